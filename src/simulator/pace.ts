/** What tells that the run is faster than its readers, or than itself. */
export interface Load {
  /** Bytes that wait in the servers' sockets. */
  readonly bytesWaiting: number
  /** How far the check is behind. */
  readonly lagMs: number
  /** Events made so far. */
  readonly made: number
}

const startRate = 5_000
const lowestRate = 200
const highestRate = 500_000
const lookEveryMs = 500
/** After a refusal: what has piled up needs a while to run off, whatever the rate is now. */
const restMs = 1_500
const bytesHigh = 1024 * 1024
const lagHighMs = 900
const lagWarmMs = 500
/** Making less than this share of what the rate asks for is a refusal too. */
const shareLow = 0.8
/** Each look without trouble lets a ceiling, which may have come from a passing disturbance, rise by this much. */
const ceilingRise = 1.01

/** How many events a second the run makes: a number asked for, or the highest that its readers keep up with. */
export class Pace {
  readonly #seeks: boolean
  #rate: number
  #ceiling = Number.POSITIVE_INFINITY
  #lookedAtMs = 0
  #lookAtMs = 0
  #madeBefore = 0

  constructor(asked: number | 'max') {
    this.#seeks = asked === 'max'
    this.#rate = asked === 'max' ? startRate : asked
  }

  get rate(): number {
    return this.#rate
  }

  /** Looks at the load, at most twice a second. Does nothing when the rate is fixed. */
  adapt(nowMs: number, load: Load): void {
    if (!this.#seeks || nowMs < this.#lookAtMs) return
    const isFirst = this.#lookedAtMs === 0
    const share = ((load.made - this.#madeBefore) * 1000) / ((nowMs - this.#lookedAtMs) * this.#rate)
    this.#madeBefore = load.made
    this.#lookedAtMs = nowMs
    this.#lookAtMs = nowMs + lookEveryMs
    if (isFirst) return
    if (load.bytesWaiting > bytesHigh || load.lagMs > lagHighMs || share < shareLow) {
      this.#ceiling = Math.min(this.#ceiling, this.#rate)
      this.#rate = Math.max(lowestRate, this.#rate * 0.75)
      this.#lookAtMs = nowMs + restMs
    } else {
      this.#ceiling *= ceilingRise
      if (load.lagMs > lagWarmMs) return
      const step = this.#ceiling === Number.POSITIVE_INFINITY ? 1.3 : 1.05
      const limit = Math.min(highestRate, this.#ceiling * 0.9)
      this.#rate = Math.max(this.#rate, Math.min(limit, this.#rate * step))
    }
  }
}
