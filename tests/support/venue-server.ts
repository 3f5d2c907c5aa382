import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface RestReply {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface VenueServerOptions {
  /** Called for every socket that was accepted; `message` handlers are the caller's. */
  accepted(socket: WebSocket, ordinal: number): void
  rest?(path: string): RestReply
  /** HTTP status that refuses the handshake with this number, counted from 0; null accepts it. */
  refuse?(
    ordinal: number
  ): { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | null
}

/** A venue on loopback whose behaviour the test decides: WebSocket and REST on one port. */
export class VenueServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets: WebSocketServer
  handshakes = 0
  readonly restPaths: string[] = []

  private constructor(options: VenueServerOptions) {
    this.#sockets = new WebSocketServer({ noServer: true })
    this.#server = createServer((request, response) => {
      const path = request.url ?? '/'
      this.restPaths.push(path)
      const reply = options.rest?.(path) ?? { status: 404, body: '' }
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      response.end(reply.body)
    })
    this.#server.on('upgrade', (request, socket, head) => {
      const ordinal = this.handshakes++
      const refusal = options.refuse?.(ordinal) ?? null
      if (refusal !== null) {
        const headers = Object.entries(refusal.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
        socket.end(`HTTP/1.1 ${refusal.status} Refused\r\n${headers.join('')}Content-Length: 0\r\n\r\n`)
        return
      }
      // What is sent on acceptance travels in one segment with the handshake's answer, as it may from any server.
      socket.cork()
      this.#sockets.handleUpgrade(request, socket, head, accepted => options.accepted(accepted, ordinal))
      process.nextTick(() => socket.uncork())
    })
  }

  static async start(options: VenueServerOptions): Promise<VenueServer> {
    const server = new VenueServer(options)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get endpoints(): { readonly websocket: string; readonly rest: string } {
    return { websocket: `ws://127.0.0.1:${this.port}`, rest: `http://127.0.0.1:${this.port}` }
  }

  get clients(): ReadonlySet<WebSocket> {
    return this.#sockets.clients
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
