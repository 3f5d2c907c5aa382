import { type Socket } from 'node:net'
import { IngestError } from '../core/errors.ts'

/** What is used of a connection that another client has opened, secured and authenticated. */
export interface OpenedConnection {
  readonly socket: Socket
  /** Whether its session is good for another request. Always true without SASL. */
  isAuthenticated(): boolean
  /** Authenticates anew over the same socket; resolves when requests may follow. */
  authenticate(): Promise<void>
  /** Takes a whole frame that answers one of its own requests. */
  takeFrame(frame: Buffer): void
}

export interface ProduceConnectionListener {
  /** `bytes[start, end)` is the answer's body behind its correlation id; valid during the call. */
  answered(correlationId: number, bytes: Buffer, start: number, end: number): void
  /** Told once: nothing more will be answered. */
  lost(reason: string): void
}

/** Numbers of our requests; those of the client that opened the connection count up from 0 and never come here. */
const firstCorrelationId = 0x40000000
const lastCorrelationId = 0x7fffffff
/** No answer to Produce or to an authentication comes near it; a size beyond it is garbage. */
const frameBytesMax = 16 * 1024 * 1024

/** One socket on which requests are written as they are, without a copy, and answers are handed on as they come. */
export class ProduceConnection {
  /** The newest version of Produce that the broker and our encoder know. */
  readonly produceVersion: number
  readonly #opened: OpenedConnection
  readonly #socket: Socket
  #listener: ProduceConnectionListener | null = null
  #rest: Buffer | null = null
  #correlationId = firstCorrelationId

  constructor(opened: OpenedConnection, produceVersion: number) {
    this.#opened = opened
    this.produceVersion = produceVersion
    this.#socket = opened.socket
  }

  /** From here on answers and the end are told. */
  listen(listener: ProduceConnectionListener): void {
    this.#listener = listener
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', this.#onData)
    this.#socket.on('error', error => this.#lose(error.message))
    this.#socket.on('close', () => this.#lose('the broker closed the connection'))
    if (this.#socket.destroyed) this.#lose('the broker closed the connection')
  }

  get mustAuthenticate(): boolean {
    return !this.#opened.isAuthenticated()
  }

  authenticate(): Promise<void> {
    return this.#opened.authenticate()
  }

  nextCorrelationId(): number {
    const id = this.#correlationId
    this.#correlationId = id === lastCorrelationId ? firstCorrelationId : id + 1
    return id
  }

  /** The chunks must not change until the answer is there or the connection is lost. */
  write(chunks: readonly Uint8Array[]): void {
    const socket = this.#socket
    if (chunks.length === 1) {
      socket.write(chunks[0]!)
      return
    }
    socket.cork()
    for (const chunk of chunks) socket.write(chunk)
    socket.uncork()
  }

  /** Nothing that was handed to `write` is read any more when this returns, and nothing more is told. */
  destroy(): void {
    this.#listener = null
    // The error ends an authentication that is under way.
    this.#socket.destroy(new IngestError('SINK_UNAVAILABLE', 'the connection was given up'))
  }

  #lose(reason: string): void {
    const listener = this.#listener
    if (listener === null) return
    this.destroy()
    listener.lost(reason)
  }

  readonly #onData = (chunk: Buffer): void => {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    let at = 0
    while (data.length - at >= 4) {
      const size = data.readInt32BE(at)
      if (size < 4 || size > frameBytesMax) {
        this.#lose(`the broker answered with a frame of ${size} bytes, which is none`)
        return
      }
      const end = at + 4 + size
      if (end > data.length) break
      const correlationId = data.readInt32BE(at + 4)
      if (correlationId >= firstCorrelationId) this.#listener?.answered(correlationId, data, at + 8, end)
      else this.#opened.takeFrame(data.subarray(at, end))
      if (this.#listener === null) return
      at = end
    }
    if (at < data.length) this.#rest = at === 0 ? data : data.subarray(at)
  }
}
