import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type RegistryAccess } from '../../src/bus/registry-http.ts'

export interface StubRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Null when there was no body. */
  readonly body: unknown
}

/** Answers one request; what it leaves unanswered stays open until the stub closes. */
export type StubAnswer = (response: ServerResponse, request: StubRequest) => void

/** An answer with a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): StubAnswer {
  return response => {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json', ...headers })
    response.end(JSON.stringify(body))
  }
}

export function raw(status: number, body: string, headers: Record<string, string> = {}): StubAnswer {
  return response => {
    response.writeHead(status, headers)
    response.end(body)
  }
}

export const silence: StubAnswer = () => undefined

/** A server on loopback that answers as it was told, one answer a request; the last one is repeated. */
export class StubRegistry implements AsyncDisposable {
  readonly requests: StubRequest[] = []
  readonly #server: Server
  readonly #answers: StubAnswer[]
  readonly #scheme: string

  private constructor(answers: readonly StubAnswer[], tls: { key: string; cert: string } | null) {
    this.#answers = [...answers]
    this.#scheme = tls === null ? 'http' : 'https'
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#take(request, response)
    }
    this.#server = tls === null ? createServer(onRequest) : createTlsServer(tls, onRequest)
    // A client that turns away in the middle is what some tests are about.
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  static async start(
    answers: readonly StubAnswer[],
    tls: { key: string; cert: string } | null = null
  ): Promise<StubRegistry> {
    const stub = new StubRegistry(answers, tls)
    stub.#server.listen(0, '127.0.0.1')
    await once(stub.#server, 'listening')
    return stub
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `${this.#scheme}://127.0.0.1:${port}`
  }

  access(overrides: Partial<RegistryAccess> = {}): RegistryAccess {
    const nobody = { username: null, password: null, token: null, caFile: null }
    return { url: this.url, ...nobody, timeoutMs: 5_000, ...overrides }
  }

  /** `METHOD /path` of every request so far. */
  get asked(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`)
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const taken = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: body === '' ? null : (JSON.parse(body) as unknown)
    }
    this.requests.push(taken)
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0]
    answer?.(response, taken)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A port of loopback on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
