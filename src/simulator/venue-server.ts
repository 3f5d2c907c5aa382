import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { type ExchangeName } from '../domain/target.ts'
import { Connection, type WireCounters, type WireFaults } from './connection.ts'
import { nowMs } from './fault-log.ts'
import { type RateWindow } from './rate-window.ts'

/** Clients send subscriptions, nothing large. */
const messageBytesMax = 256 * 1024
const handshakesLoggedMax = 100_000

/** What a venue does with one of its connections. */
export interface Session {
  message(text: string): void
  /** The client sent a ping (answered already) or a pong. */
  ping(): void
  pong(): void
  closed(): void
}

export interface RestAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** The venue's side of the server: paths, limits and what is said on a connection. */
export interface Venue {
  readonly exchange: ExchangeName
  /** Where the venue takes WebSocket connections; the first is the usual one. */
  readonly websocketPaths: readonly string[]
  readonly connects: RateWindow
  open(connection: Connection, path: string, query: URLSearchParams): Session
  rest(path: string, query: URLSearchParams): RestAnswer | null
}

export interface Handshake {
  readonly atMs: number
  /** 101 when the connection was taken, else the HTTP status that refused it. */
  readonly status: number
}

export interface ServerContext {
  readonly wire: WireFaults
  readonly counters: WireCounters
  readonly closesAtOnce: boolean
  nextConnectionId(): number
  markDirty(connection: Connection): void
}

/** WebSocket and REST of one simulated venue on one loopback port. */
export class VenueServer {
  readonly venue: Venue
  readonly connections = new Set<Connection>()
  readonly #context: ServerContext
  readonly #handshakes: Handshake[] = []
  readonly #http: Server
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    // Frames are built by hand, so nothing may be negotiated that would change them.
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
    autoPong: false
  })

  constructor(venue: Venue, context: ServerContext) {
    this.venue = venue
    this.#context = context
    this.#http = createServer((request, response) => this.#answer(request, response))
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head)
    })
  }

  /** Every handshake of this host with its time, so that a test can count how often a client came. */
  get handshakes(): readonly Handshake[] {
    return this.#handshakes
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** With the path where there is only one; else a client brings its own. */
  get websocketUrl(): string {
    const [path = '/', ...others] = this.venue.websocketPaths
    return `ws://127.0.0.1:${this.#port}${others.length === 0 ? path : '/'}`
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen(0, '127.0.0.1', () => {
        this.#http.off('error', reject)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.webSocket.terminate()
    this.#webSockets.close()
    const closed = new Promise<void>(resolve => this.#http.close(() => resolve()))
    this.#http.closeAllConnections()
    await closed
  }

  get #port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const url = new URL(request.url ?? '/', 'http://venue')
    const found = request.method === 'GET' ? this.venue.rest(url.pathname, url.searchParams) : null
    const answer = found ?? { status: 404, body: '{"error":"not found"}' }
    response.writeHead(answer.status, { 'content-type': 'application/json;charset=UTF-8', ...answer.headers })
    response.end(answer.body)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before `ws` takes it over nobody else listens, and a reset must not end the process.
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://venue')
    if (!this.venue.websocketPaths.includes(url.pathname)) return this.#refuse(socket, 404, 'Not Found')
    if (!this.venue.connects.take(nowMs())) return this.#refuse(socket, 429, 'Too Many Requests')
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      this.#log(101)
      this.#open(webSocket, socket, url)
    })
  }

  #refuse(socket: Duplex, status: number, reason: string): void {
    this.#log(status)
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  }

  #open(webSocket: WebSocket, socket: Duplex, url: URL): void {
    const { wire, counters } = this.#context
    const connection = new Connection(
      this.#context.nextConnectionId(),
      this.venue.exchange,
      webSocket,
      socket,
      wire,
      counters,
      dirty => this.#context.markDirty(dirty)
    )
    webSocket.on('error', () => webSocket.terminate())
    if (this.#context.closesAtOnce) return connection.close(1001, 'going away', 'accept-close')
    this.connections.add(connection)
    const session = this.venue.open(connection, url.pathname, url.searchParams)
    webSocket.on('message', data => session.message(textOf(data)))
    webSocket.on('ping', payload => {
      connection.pong(payload)
      session.ping()
    })
    webSocket.on('pong', () => session.pong())
    webSocket.on('close', () => {
      connection.ended()
      this.connections.delete(connection)
      session.closed()
    })
  }

  #log(status: number): void {
    if (this.#handshakes.length < handshakesLoggedMax) this.#handshakes.push({ atMs: nowMs(), status })
  }
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8')
}
