import { type ServerResponse } from 'node:http'
import { type TailStream } from './messages.ts'

/** A reader that is this far behind skips lines: a slow `tail` must not fill the service's memory. */
const waitingBytesMax = 4 * 1024 * 1024

/** An NDJSON response that skips what its reader cannot take, and says so in its place: `{"skipped":n}`. */
export class TailResponse implements TailStream {
  readonly #response: ServerResponse
  #left: number
  #skipped = 0
  #isOver = false
  #onEnd: (() => void) | null = null

  constructor(response: ServerResponse, count: number | null) {
    this.#response = response
    this.#left = count ?? Number.POSITIVE_INFINITY
    response.on('drain', () => this.#tellSkipped())
    response.on('close', () => this.end())
  }

  /**
   * Tells the reader that it is attached, also while the topic is silent. Until here the source may still refuse, and
   * the answer be an error. `onEnd` is called once, at once when the tail is over already.
   */
  begin(onEnd: () => void): void {
    if (this.#isOver) {
      onEnd()
      return
    }
    this.#onEnd = onEnd
    this.#writeHead()
    this.#response.flushHeaders()
  }

  line(text: string): void {
    if (this.#isOver) return
    this.#writeHead()
    if (this.#response.writableLength > waitingBytesMax) {
      this.#skipped++
      return
    }
    this.#tellSkipped()
    this.#response.write(`${text}\n`)
    this.#left--
    if (this.#left <= 0) this.end()
  }

  end(): void {
    if (this.#isOver) return
    this.#tellSkipped()
    this.#isOver = true
    if (!this.#response.destroyed) {
      this.#writeHead()
      this.#response.end()
    }
    this.#onEnd?.()
  }

  #writeHead(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  }

  #tellSkipped(): void {
    if (this.#skipped === 0 || this.#isOver) return
    const skipped = this.#skipped
    this.#skipped = 0
    if (!this.#response.destroyed) this.#response.write(`{"skipped":${skipped}}\n`)
  }
}
