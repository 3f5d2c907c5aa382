import { type Clock } from '../../src/core/clock.ts'
import { TokenBucket } from '../../src/core/token-bucket.ts'
import { type Limits } from '../../src/exchange-kit/adapter.ts'
import { type RestAnswer } from './rest.ts'

interface Job {
  readonly weight: number
  readonly run: () => void
}

/** Refused for asking too much: everybody waits, not only who asked. */
const refusals: ReadonlySet<number> = new Set([403, 418, 429, 451])

/** The request weight of one exchange, shared by everything that asks its REST API; first come, first served. */
export class RestBudget {
  readonly #clock: Clock
  readonly #bucket: TokenBucket
  readonly #penaltyMs: number
  readonly #jobs: Job[] = []
  #blockedUntilMs = 0
  #timer: unknown = null
  #isStopped = false

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#bucket = new TokenBucket(limits.restWeight)
    this.#penaltyMs = limits.penaltyMs
  }

  run(weight: number, run: () => void): void {
    this.#jobs.push({ weight, run })
    this.#drain()
  }

  /** Looks at every answer: a refusal blocks the exchange's REST API for as long as the venue says. */
  judge(answer: RestAnswer): void {
    if (answer.type !== 'failed' || answer.status === null || !refusals.has(answer.status)) return
    const untilMs = this.#nowMs() + (answer.retryAfterMs ?? this.#penaltyMs)
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, untilMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#jobs.length = 0
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #nowMs(): number {
    return this.#clock.nowMicros() / 1000
  }

  #drain(): void {
    while (!this.#isStopped && this.#timer === null && this.#jobs.length > 0) {
      const { weight, run } = this.#jobs[0]!
      const nowMs = this.#nowMs()
      const waitMs = Math.max(this.#blockedUntilMs - nowMs, this.#bucket.msUntil(weight, nowMs))
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimeout(() => {
          this.#timer = null
          this.#drain()
        }, waitMs)
        return
      }
      this.#jobs.shift()
      this.#bucket.tryTake(weight, nowMs)
      run()
    }
  }
}
