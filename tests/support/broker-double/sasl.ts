import { type ClusterState } from './cluster-state.ts'
import { codes } from './codes.ts'
import { type WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** What a connection has proved so far. */
export interface Session {
  /** Monotonic milliseconds; 0: has not authenticated. */
  validUntilMs: number
  hasShakenHands: boolean
}

export function answerSaslHandshake(request: WireReader, session: Session): Buffer {
  session.hasShakenHands = request.string() === 'PLAIN'
  const writer = new WireWriter().int16(session.hasShakenHands ? codes.none : codes.unsupportedSaslMechanism)
  return writer.array(['PLAIN'], name => writer.string(name)).toBuffer()
}

/**
 * PLAIN: an identity to act as, a name and a password with NUL between them. A refusal ends the connection after the answer.
 * @see https://kafka.apache.org/protocol.html#The_Messages_SaslAuthenticate
 */
export function answerSaslAuthenticate(
  request: WireReader,
  version: number,
  session: Session,
  cluster: ClusterState
): Buffer {
  const [, username, password] = request.bytes().toString('utf8').split('\0')
  const { sasl } = cluster.options
  const isRight =
    session.hasShakenHands && sasl !== undefined && sasl.username === username && sasl.password === password
  if (isRight) cluster.authentications++
  const { sessionMs } = sasl ?? {}
  session.validUntilMs = !isRight ? 0 : sessionMs === undefined ? Infinity : performance.now() + sessionMs
  session.hasShakenHands = false
  const writer = new WireWriter()
  writer.int16(isRight ? codes.none : codes.saslAuthenticationFailed)
  writer.string(isRight ? null : 'Authentication failed: Invalid username or password')
  writer.bytes(Buffer.alloc(0))
  return version === 0 ? writer.toBuffer() : writer.int64(BigInt(sessionMs ?? 0)).toBuffer()
}
