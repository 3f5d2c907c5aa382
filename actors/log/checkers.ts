import { createServer, type Server, type Socket } from 'node:net'
import { listenOnUnixSocket } from '../../src/core/unix-socket.ts'
import { type LogRoute } from '../../src/wire/log-chunk.ts'
import { VerifyMessage, verifyHeaderBytes } from '../../src/wire/log-port.ts'

interface Checker {
  readonly socket: Socket
  /** Routes that this checker has been told. */
  readonly routes: Set<number>
}

/**
 * The verify socket: every chunk goes to every attached checker, whole and in order. A checker that falls behind by more
 * than its bytes holds the log up; it never loses anything, and never costs more memory than that and what is on its way.
 */
export class Checkers {
  readonly #bytesMax: number
  readonly #checkers = new Set<Checker>()
  readonly #server: Server
  readonly #onReady: () => void
  #onGone: (() => void) | null = null
  #isListening = false
  refused = 0

  /** @param onReady called when the checkers may have caught up */
  constructor(limits: { checkers: number; checkerBytes: number }, onReady: () => void) {
    this.#bytesMax = limits.checkerBytes
    this.#onReady = onReady
    this.#server = createServer(socket => {
      if (this.#checkers.size < limits.checkers) this.#attach(socket)
      else {
        this.refused++
        socket.destroy()
      }
    })
  }

  get count(): number {
    return this.#checkers.size
  }

  /** Whether every checker is near enough to take more. */
  get areReady(): boolean {
    for (const checker of this.#checkers) if (checker.socket.writableLength > this.#bytesMax) return false
    return true
  }

  async listen(path: string): Promise<void> {
    await listenOnUnixSocket(this.#server, path, 'verify socket')
    this.#isListening = true
  }

  /** Sends a chunk whose entries name `routes`. The chunk must not change afterwards. */
  write(chunk: Uint8Array, routes: readonly LogRoute[]): void {
    for (const checker of this.#checkers) {
      const { socket } = checker
      socket.cork()
      for (const route of routes) {
        if (checker.routes.has(route.id)) continue
        checker.routes.add(route.id)
        const body = Buffer.from(JSON.stringify(route))
        socket.write(header(VerifyMessage.route, body.length))
        socket.write(body)
      }
      socket.write(header(VerifyMessage.chunk, chunk.length))
      socket.write(chunk)
      socket.uncork()
    }
  }

  /** Tells the end and waits until every checker has read it, or the deadline. Harmless when repeated. */
  async close(deadlineMs: number): Promise<void> {
    if (!this.#isListening) return
    this.#isListening = false
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const { socket } of this.#checkers) socket.end(header(VerifyMessage.end, 0))
    let timer: NodeJS.Timeout | undefined
    const gone = new Promise<void>(resolve => {
      this.#onGone = resolve
      timer = setTimeout(resolve, deadlineMs)
      if (this.#checkers.size === 0) resolve()
    })
    await gone
    clearTimeout(timer)
    for (const { socket } of this.#checkers) socket.destroy()
    await closed
  }

  #attach(socket: Socket): void {
    const checker: Checker = { socket, routes: new Set() }
    this.#checkers.add(checker)
    socket.on('drain', this.#onReady)
    // A checker that breaks off closes as well; its error says nothing more.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#checkers.delete(checker)
      if (this.#checkers.size === 0) this.#onGone?.()
      this.#onReady()
    })
    // A checker says nothing; reading lets its end be noticed.
    socket.resume()
    socket.write(header(VerifyMessage.attached, 0))
  }
}

function header(type: number, bodyLength: number): Buffer {
  const bytes = Buffer.allocUnsafe(verifyHeaderBytes)
  bytes.writeUInt32LE(bodyLength, 0)
  bytes.writeUInt8(type, 4)
  return bytes
}
