import { connect, type Socket } from 'node:net'
import { IngestError } from '../core/errors.ts'
import { type LogRoute, readLogChunk } from '../wire/log-chunk.ts'
import { VerifyMessage, verifyHeaderBytes } from '../wire/log-port.ts'
import { type RecordReader, type RecordTaker } from './record-source.ts'

/** A message larger than this is no chunk of ours: the log bounds its chunks far below. */
const messageBytesMax = 256 * 1024 * 1024
const attachWithinMs = 10_000

/** Reads the embedded log over its verify socket. Taking records slowly slows the log down; nothing is dropped. */
export class EmbeddedReader implements RecordReader {
  readonly #path: string
  readonly #take: RecordTaker
  readonly #note: (sentence: string) => void
  readonly #routes = new Map<number, LogRoute>()
  #socket: Socket | null = null
  #pending: Buffer = Buffer.alloc(0)
  #used = 0
  #isAttached = false
  #hasEnded = false
  #isClosed = false
  #onAttached: (() => void) | null = null
  readonly #ended: Promise<void>
  #onEnded: () => void = () => undefined

  /** @param note told when the log breaks off without having said its end */
  constructor(path: string, take: RecordTaker, note: (sentence: string) => void) {
    this.#path = path
    this.#take = take
    this.#note = note
    this.#ended = new Promise(resolve => {
      this.#onEnded = resolve
    })
  }

  async attach(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.#path)
      this.#socket = socket
      const failed = (why: string): void => {
        socket.destroy()
        reject(
          new IngestError('SERVICE_UNREACHABLE', `The verify socket ${this.#path} does not answer: ${why}.`)
        )
      }
      const timer = setTimeout(() => failed(`nothing within ${attachWithinMs} ms`), attachWithinMs)
      this.#onAttached = () => {
        clearTimeout(timer)
        resolve()
      }
      socket.on('error', error => {
        clearTimeout(timer)
        failed(error.message)
      })
      socket.on('data', (data: Buffer) => this.#data(data))
      socket.on('close', () => {
        clearTimeout(timer)
        failed('it was closed')
        this.#gone()
      })
    })
  }

  async finish(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), deadlineMs)
    })
    const outcome = await Promise.race([this.#ended, late])
    clearTimeout(timer)
    if (outcome === 'late') {
      throw new IngestError(
        'SINK_UNAVAILABLE',
        `The embedded log at ${this.#path} did not end within ${deadlineMs} ms; stop the service before the check is finished.`
      )
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#socket?.destroy()
  }

  #gone(): void {
    if (this.#isAttached && !this.#hasEnded && !this.#isClosed) {
      this.#note(`the embedded log at ${this.#path} broke off without its end`)
    }
    this.#onEnded()
  }

  /** Messages that lie whole in what the socket gave are read in place; only the rest is kept. */
  #data(data: Buffer): void {
    if (this.#used === 0) {
      const read = this.#messages(data, data.length)
      if (read < data.length) this.#keep(data.subarray(read))
      return
    }
    this.#keep(data)
    const read = this.#messages(this.#pending, this.#used)
    if (read === 0) return
    this.#pending.copyWithin(0, read, this.#used)
    this.#used -= read
  }

  #keep(data: Buffer): void {
    let needed = this.#used + data.length
    if (this.#used + data.length >= 4) {
      // The whole message that begins here must find room, or it would be moved once for each piece.
      const head =
        this.#used >= 4 ? this.#pending : Buffer.concat([this.#pending.subarray(0, this.#used), data])
      needed = Math.max(needed, Math.min(head.readUInt32LE(0), messageBytesMax) + verifyHeaderBytes)
    }
    if (needed > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#pending.length * 2))
      this.#pending.copy(larger, 0, 0, this.#used)
      this.#pending = larger
    }
    data.copy(this.#pending, this.#used)
    this.#used += data.length
  }

  /** Reads whole messages from the start; the answer is how many bytes they took. */
  #messages(bytes: Buffer, used: number): number {
    let at = 0
    while (used - at >= verifyHeaderBytes) {
      const length = bytes.readUInt32LE(at)
      const type = bytes.readUInt8(at + 4)
      if (length > messageBytesMax) {
        this.#note(
          `the embedded log at ${this.#path} sent a message of ${length} bytes, which cannot be right`
        )
        this.#socket?.destroy()
        return used
      }
      const end = at + verifyHeaderBytes + length
      if (end > used) break
      this.#message(type, bytes.subarray(at + verifyHeaderBytes, end))
      at = end
    }
    return at
  }

  #message(type: number, body: Buffer): void {
    switch (type) {
      case VerifyMessage.attached:
        this.#isAttached = true
        this.#onAttached?.()
        break
      case VerifyMessage.route: {
        const route = JSON.parse(body.toString()) as LogRoute
        this.#routes.set(route.id, route)
        break
      }
      case VerifyMessage.chunk:
        readLogChunk(body, (number, _timestampMicros, start, end) => {
          const route = this.#routes.get(number)
          if (route !== undefined) this.#take(route.topic, route.key, body, start, end)
          else this.#note(`the embedded log at ${this.#path} sent a record of the unknown route ${number}`)
        })
        break
      case VerifyMessage.end:
        this.#hasEnded = true
        break
    }
  }
}
