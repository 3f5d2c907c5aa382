import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

/** What stands behind an address; `kafka` speaks the protocol, and all others come with a clause that says what to do. */
export type ProbeResult =
  | { readonly isKafka: true }
  /** `clause` goes on after "because": it names the address and ends without a full stop. */
  | { readonly isKafka: false; readonly clause: string }

const shownBytesMax = 24
const answerBytesMax = 1024 * 1024
const correlationId = 0x636f696e

/** ApiVersions v0, which a broker answers before any login. @see https://kafka.apache.org/protocol.html#The_Messages_ApiVersions */
const question = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0x63, 0x6f, 0x69, 0x6e, 0xff, 0xff])

interface Place {
  readonly host: string
  readonly port: number
  readonly address: string
}

const noTls = ({ address }: Place): string =>
  `what answers at ${address} does not speak TLS; set kafka.tls=false, or take the port for TLS`
const noRoute = ({ address }: Place): string => `there is no route to ${address}`
const noAnswer = ({ address }: Place): string => `${address} does not answer; a firewall may stand between`

/** By the code of the failed connection or handshake. */
const clausesByCode: Readonly<Record<string, (place: Place) => string>> = {
  ECONNREFUSED: ({ address }) => `nothing listens at ${address}; check the port, and that the broker runs`,
  ENOTFOUND: ({ host }) => `the name ${host} is not known here; check it, or the name service`,
  EAI_AGAIN: ({ host }) => `the name ${host} cannot be looked up now; the name service does not answer`,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: noAnswer,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_TLS_CERT_ALTNAME_INVALID: ({ address, host }) =>
    `the certificate of ${address} is not for the name ${host}; take a name that it is for, or give the broker one for ${host}`,
  CERT_HAS_EXPIRED: ({ address }) => `the certificate of ${address} has expired`,
  CERT_NOT_YET_VALID: ({ address }) => `the certificate of ${address} is not valid yet; compare the clocks`
}

const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
])

/**
 * Asks the address itself, without the client: its errors say only that a connection closed or timed out, whatever stood
 * behind it. Never rejects.
 * @param tls what TLS needs, or false without it
 */
export async function probeBroker(
  address: string,
  tls: ConnectionOptions | boolean,
  withinMs: number
): Promise<ProbeResult> {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  const clause = await ask({ host, port: Number(address.slice(at + 1)), address }, tls, withinMs)
  return clause === null ? { isKafka: true } : { isKafka: false, clause }
}

/** Null when it is Kafka. */
async function ask(place: Place, tls: ConnectionOptions | boolean, withinMs: number): Promise<string | null> {
  const isTls = tls !== false
  const { host, port, address } = place
  const heard = await talk(isTls ? secure(place, tls) : connectTcp(port, host), isTls, withinMs)
  const isBroken = heard.isClosed || (heard.error !== null && codeOf(heard.error) === 'ECONNRESET')
  if (isTls && !heard.isConnected && isBroken) return await brokenHandshake(place, withinMs)
  if (heard.error !== null) return clauseOf(heard.error, place)
  const { bytes } = heard
  if (bytes.length === 0) {
    if (!heard.isConnected) return noAnswer(place)
    if (!heard.isClosed) {
      return `${address} takes connections and then says nothing for ${withinMs / 1000} s; it hangs, or is no Kafka broker`
    }
    if (!isTls && (await speaksTls(place, withinMs))) return `${address} speaks TLS; set kafka.tls=true`
    return `${address} closes connections without a word; check that the port is one for clients`
  }
  if (bytes.subarray(0, 5).toString('latin1') === 'HTTP/') {
    return `a web server (HTTP) answers at ${address}, not a Kafka broker; check the port`
  }
  // A record of type alert (21) of any version of TLS.
  if (!isTls && bytes[0] === 0x15 && bytes[1] === 3) return `${address} speaks TLS; set kafka.tls=true`
  if (isAnswer(bytes)) return null
  const shown = JSON.stringify(bytes.toString('latin1', 0, shownBytesMax))
  return `what answers at ${address} is not Kafka: it says ${shown}; check the port`
}

/** An answer to our question, of a size that it may have. */
function isAnswer(bytes: Buffer): boolean {
  if (bytes.length < 8 || bytes.readInt32BE(4) !== correlationId) return false
  const size = bytes.readInt32BE(0)
  return size >= 10 && size <= answerBytesMax
}

async function brokenHandshake(place: Place, withinMs: number): Promise<string> {
  const { host, port, address } = place
  const { bytes } = await talk(connectTcp(port, host), false, withinMs)
  return isAnswer(bytes)
    ? `${address} speaks Kafka without TLS; set kafka.tls=false, or take the port for TLS`
    : `${address} breaks off the TLS handshake; it does not speak TLS (kafka.tls=false), or wants a certificate (kafka.certFile)`
}

interface Heard {
  readonly isConnected: boolean
  readonly isClosed: boolean
  readonly bytes: Buffer
  readonly error: Error | null
}

/** Sends the question as soon as there is a connection, and listens for the first bytes of an answer. */
function talk(socket: Socket | TLSSocket, isTls: boolean, withinMs: number): Promise<Heard> {
  return new Promise(resolve => {
    let isConnected = false
    const end = (heard: Partial<Heard>): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ isConnected, isClosed: false, bytes: Buffer.alloc(0), error: null, ...heard })
    }
    const timer = setTimeout(() => end({}), withinMs)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      isConnected = true
      socket.write(question)
    })
    socket.once('data', (bytes: Buffer) => end({ bytes }))
    socket.once('end', () => end({ isClosed: true }))
    // A reset after the connection was made is a way to close it.
    socket.on('error', (error: Error) => {
      end(isConnected && codeOf(error) === 'ECONNRESET' ? { isClosed: true } : { error })
    })
  })
}

function secure({ host, port }: Place, tls: ConnectionOptions | boolean): TLSSocket {
  const options = typeof tls === 'boolean' ? {} : tls
  return connectTls({ ...options, host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
}

/** Whether a handshake succeeds, whoever's certificate it is: no secret goes over the connection. */
async function speaksTls(place: Place, withinMs: number): Promise<boolean> {
  const { isConnected } = await talk(secure(place, { rejectUnauthorized: false }), true, withinMs)
  return isConnected
}

function clauseOf(error: Error, place: Place): string {
  const code = codeOf(error)
  const { address } = place
  const known = clausesByCode[code]
  if (known !== undefined) return known(place)
  if (untrusted.has(code)) {
    return `the certificate of ${address} is from an authority that is not trusted here; name its PEM file in kafka.caFile`
  }
  if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN)/.test(code)) {
    return `${address} does not accept our certificate, or wants one; check kafka.certFile and kafka.keyFile`
  }
  return `${address} cannot be used: ${error.message.trim().replace(/\.$/, '')}`
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : ''
}
