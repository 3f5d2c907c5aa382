import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { asIngestError, IngestError } from '../../src/core/errors.ts'
import { listenOnUnixSocket } from '../../src/core/unix-socket.ts'
import { type AdminHandlers, type TailRequest } from './messages.ts'
import { TailResponse } from './tail-response.ts'

const connectionsMax = 64
const tailsMax = 8
const headerBytesMax = 8 * 1024
const closeWithinMs = 1000

const verbs = 'GET /v1/status, GET /v1/targets and GET /v1/topics/{topic}/tail'

/** HTTP/1.1 on a Unix socket that only its owner can open; JSON answers, errors as `{"error":{"code","message"}}`. */
export class AdminServer {
  readonly #path: string
  readonly #handlers: AdminHandlers
  readonly #server: Server
  readonly #tails = new Set<TailResponse>()
  #isOpen = false

  constructor(path: string, handlers: AdminHandlers) {
    this.#path = path
    this.#handlers = handlers
    this.#server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) =>
      this.#answer(request, response)
    )
    this.#server.maxConnections = connectionsMax
  }

  /** @throws IngestError ADDRESS_IN_USE when another process answers on the path, or something else lies there. */
  async open(): Promise<void> {
    try {
      await listenOnUnixSocket(this.#server, this.#path, 'admin socket')
    } catch (error) {
      const { code, message } = asIngestError(error)
      if (code !== 'ADDRESS_IN_USE') throw error
      throw new IngestError(code, `${message} Another path can be chosen with --socket.`, { cause: error })
    }
    this.#isOpen = true
  }

  /** Ends the tails and the connections and removes the socket; harmless when repeated. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const tail of [...this.#tails]) tail.end()
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), closeWithinMs)
    await closed
    clearTimeout(timer)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    try {
      // Nothing here takes a body; what comes is read and forgotten so that the connection can be used again.
      request.resume()
      this.#route(request, response)
    } catch (error) {
      refuse(response, statusOf(error), asIngestError(error))
    }
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const base = 'http://admin'
    const url = new URL(URL.canParse(request.url ?? '/', base) ? (request.url ?? '/') : '/', base)
    if (request.method !== 'GET') {
      refuse(response, 405, new IngestError('USAGE', `The admin socket answers ${verbs} only.`))
      return
    }
    const topic = /^\/v1\/topics\/([^/]+)\/tail$/.exec(url.pathname)?.[1]
    if (url.pathname === '/v1/status') sendJson(response, 200, this.#handlers.status())
    else if (url.pathname === '/v1/targets') sendJson(response, 200, this.#handlers.targets())
    else if (topic !== undefined) this.#tail(topic, url.searchParams, response)
    else refuse(response, 404, new IngestError('USAGE', `There is no ${url.pathname}; there are ${verbs}.`))
  }

  #tail(topic: string, parameters: URLSearchParams, response: ServerResponse): void {
    if (!this.#handlers.topics.includes(topic)) {
      const message = `There is no topic ${topic}; there are ${this.#handlers.topics.join(', ')}.`
      refuse(response, 404, new IngestError('USAGE', message))
      return
    }
    const request = readTailRequest(topic, parameters)
    if (this.#tails.size >= tailsMax) {
      throw new IngestError('LIMIT_HIT', `${tailsMax} tails are running already; end one of them first.`)
    }
    const tail = new TailResponse(response, request.count)
    const stop = this.#handlers.tail(request, tail)
    this.#tails.add(tail)
    tail.begin(() => {
      this.#tails.delete(tail)
      stop()
    })
  }
}

function readTailRequest(topic: string, parameters: URLSearchParams): TailRequest {
  const from = parameters.get('from') ?? 'latest'
  if (from !== 'earliest' && from !== 'latest') {
    throw new IngestError('USAGE', `from is earliest or latest, and "${from}" is neither.`)
  }
  const n = parameters.get('n')
  if (n !== null && !/^[1-9]\d{0,8}$/.test(n)) {
    throw new IngestError('USAGE', `n is a number of records from 1, and "${n}" is none.`)
  }
  return { topic, from, count: n === null ? null : Number(n), filter: parameters.get('filter') ?? '' }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text)
  })
  response.end(text)
}

function refuse(response: ServerResponse, status: number, { code, message }: IngestError): void {
  if (response.headersSent) response.destroy()
  else sendJson(response, status, { error: { code, message } })
}

function statusOf(error: unknown): number {
  const { code } = asIngestError(error)
  if (code === 'USAGE') return 400
  return code === 'LIMIT_HIT' || code === 'SINK_UNAVAILABLE' ? 503 : 500
}
