import { type Clock } from '../../src/core/clock.ts'
import { TokenBucket } from '../../src/core/token-bucket.ts'
import { type Rate } from '../../src/exchange-kit/adapter.ts'

interface Waiting {
  readonly frame: string
  readonly onSent: (() => void) | null
}

/** Sends frames in their order, no faster than 80 % of every limit of the venue. */
export class MessagePacer {
  readonly #clock: Clock
  readonly #buckets: readonly TokenBucket[]
  readonly #send: (frame: string) => void
  readonly #waiting: Waiting[] = []
  #timer: unknown = null

  constructor(clock: Clock, limits: readonly Rate[], send: (frame: string) => void) {
    this.#clock = clock
    this.#buckets = limits.map(limit => new TokenBucket(limit))
    this.#send = send
  }

  /** @param onSent told when the frame is on its way */
  send(frame: string, onSent: (() => void) | null = null): void {
    this.#waiting.push({ frame, onSent })
    this.#drain()
  }

  /** Goes in front of what waits: an answer that the venue is waiting for. */
  sendFirst(frame: string): void {
    this.#waiting.unshift({ frame, onSent: null })
    this.#drain()
  }

  stop(): void {
    this.#waiting.length = 0
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #drain(): void {
    while (this.#timer === null && this.#waiting.length > 0) {
      const nowMs = this.#clock.nowMicros() / 1000
      const waitMs = Math.max(0, ...this.#buckets.map(bucket => bucket.msUntil(1, nowMs)))
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimeout(() => {
          this.#timer = null
          this.#drain()
        }, waitMs)
        return
      }
      for (const bucket of this.#buckets) bucket.tryTake(1, nowMs)
      const { frame, onSent } = this.#waiting.shift()!
      this.#send(frame)
      onSent?.()
    }
  }
}
