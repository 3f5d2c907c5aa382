import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { type ErrorCode, errorTable, IngestError } from '../core/errors.ts'

const answerWithinMs = 10_000
const answerBytesMax = 64 * 1024 * 1024

/**
 * One answer of the admin socket, parsed.
 * @throws IngestError SERVICE_UNREACHABLE when nothing answers there, or the error the service gave
 */
export async function askAdmin(socketPath: string, path: string): Promise<unknown> {
  const response = await get(socketPath, path)
  const body = await readAll(response)
  if (response.statusCode !== 200) throw errorOf(body)
  return JSON.parse(body)
}

/** Calls back with every line of a stream until it ends or the signal aborts; waits for the reader between lines. */
export async function streamAdmin(
  socketPath: string,
  path: string,
  signal: AbortSignal,
  line: (text: string) => Promise<void>
): Promise<void> {
  const response = await get(socketPath, path)
  if (response.statusCode !== 200) throw errorOf(await readAll(response))
  // A silent topic is no fault of the service.
  response.socket.setTimeout(0)
  const leave = () => void response.destroy()
  signal.addEventListener('abort', leave)
  try {
    for await (const text of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (signal.aborted) return
      await line(text)
    }
  } finally {
    signal.removeEventListener('abort', leave)
    response.destroy()
  }
  if (!response.complete && !signal.aborted) {
    throw new IngestError('SERVICE_UNREACHABLE', `The service behind ${socketPath} went away.`)
  }
}

function get(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false, timeout: answerWithinMs }, resolve)
    outgoing.on('timeout', () => {
      const message = `The service behind ${socketPath} gave no answer within ${answerWithinMs / 1000} s.`
      outgoing.destroy(new IngestError('SERVICE_UNREACHABLE', message))
    })
    outgoing.on('error', error => reject(unreachable(socketPath, error)))
    outgoing.end()
  })
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): IngestError {
  if (error instanceof IngestError) return error
  const isAbsent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
  const why = isAbsent ? '' : ` (${error.message})`
  return new IngestError(
    'SERVICE_UNREACHABLE',
    `No coin-stream service answers on ${socketPath}${why}; start one with "coin-stream start", or name its socket with --socket.`,
    { cause: error }
  )
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > answerBytesMax) {
      throw new IngestError('LIMIT_HIT', `The service's answer has more than ${answerBytesMax} bytes.`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The error that the service put into its answer, or one that shows the answer when it is something else. */
function errorOf(body: string): IngestError {
  let given: { code?: unknown; message?: unknown } | undefined
  try {
    given = (JSON.parse(body) as { error?: typeof given }).error
  } catch {
    given = undefined
  }
  if (
    typeof given?.code === 'string' &&
    typeof given.message === 'string' &&
    Object.hasOwn(errorTable, given.code)
  ) {
    return new IngestError(given.code as ErrorCode, given.message)
  }
  return new IngestError(
    'INTERNAL',
    `The service gave an answer that is not understood: ${body.slice(0, 200)}`
  )
}
