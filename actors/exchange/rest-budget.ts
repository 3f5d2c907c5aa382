import { type Clock } from '../../src/core/clock.ts'
import { TokenBucket } from '../../src/core/token-bucket.ts'
import { type Limits } from '../../src/exchange-kit/adapter.ts'
import { type RestAnswer } from './rest.ts'

/** Somebody who waits for a turn (with a weight) or for a time (with a timer). */
interface Waiting {
  readonly weight: number
  readonly isWanted: () => boolean
  readonly settle: (isWanted: boolean) => void
  timer: unknown
}

/** Refused for asking too much: everybody waits, not only who asked. */
const refusals: ReadonlySet<number> = new Set([403, 418, 429, 451])
const always = (): boolean => true

/**
 * The request weight of one exchange, shared by everything that asks its REST API; first come, first served. What is not
 * wanted any more costs no weight. Whoever lets something go calls `discard`, so that nothing waits here but what is still
 * wanted: of book snapshots one for each subscription of an open connection, and the listing.
 */
export class RestBudget {
  readonly #clock: Clock
  readonly #bucket: TokenBucket
  readonly #penaltyMs: number
  #turns: Waiting[] = []
  readonly #pauses = new Set<Waiting>()
  readonly #stopping = new AbortController()
  #blockedUntilMs = 0
  #timer: unknown = null

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#bucket = new TokenBucket(limits.restWeight)
    this.#penaltyMs = limits.penaltyMs
  }

  /** Aborts when the budget is stopped: requests that are under way need not go on. */
  get stopped(): AbortSignal {
    return this.#stopping.signal
  }

  /** How many wait, for a turn or for a time. */
  get waiting(): number {
    return this.#turns.length + this.#pauses.size
  }

  /** Resolves with true when the weight has been taken, with false when that is not wanted any more. */
  async turn(weight: number, isWanted: () => boolean = always): Promise<boolean> {
    return await new Promise(settle => {
      this.#turns.push({ weight, isWanted, settle, timer: null })
      this.#drain()
    })
  }

  /** Resolves with true after this time, with false as soon as nobody wants to go on any more. */
  async pause(ms: number, isWanted: () => boolean = always): Promise<boolean> {
    if (this.stopped.aborted) return false
    return await new Promise(settle => {
      const waiting: Waiting = { weight: 0, isWanted, settle, timer: null }
      this.#pauses.add(waiting)
      waiting.timer = this.#clock.setTimeout(() => {
        this.#pauses.delete(waiting)
        settle(isWanted())
      }, ms)
    })
  }

  /** Lets go whatever is not wanted any more. */
  discard(): void {
    const isKept = (waiting: Waiting): boolean => !this.stopped.aborted && waiting.isWanted()
    const gone = [...this.#turns, ...this.#pauses].filter(waiting => !isKept(waiting))
    this.#turns = this.#turns.filter(isKept)
    for (const waiting of gone) {
      if (this.#pauses.delete(waiting)) this.#clock.clearTimeout(waiting.timer)
      waiting.settle(false)
    }
  }

  /** Looks at every answer: a refusal blocks the exchange's REST API for as long as the venue says. */
  judge(answer: RestAnswer): void {
    if (answer.type !== 'failed' || answer.status === null || !refusals.has(answer.status)) return
    const untilMs = this.#nowMs() + (answer.retryAfterMs ?? this.#penaltyMs)
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, untilMs)
  }

  /** Nobody gets a turn any more; whoever waits is told. */
  stop(): void {
    this.#stopping.abort()
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
    this.discard()
  }

  #nowMs(): number {
    return this.#clock.nowMicros() / 1000
  }

  #drain(): void {
    while (this.#timer === null && this.#turns.length > 0) {
      const { weight, isWanted, settle } = this.#turns[0]!
      if (this.stopped.aborted || !isWanted()) {
        this.#turns.shift()
        settle(false)
        continue
      }
      const nowMs = this.#nowMs()
      const waitMs = Math.max(this.#blockedUntilMs - nowMs, this.#bucket.msUntil(weight, nowMs))
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimeout(() => {
          this.#timer = null
          this.#drain()
        }, waitMs)
        return
      }
      this.#turns.shift()
      this.#bucket.tryTake(weight, nowMs)
      settle(true)
    }
  }
}
