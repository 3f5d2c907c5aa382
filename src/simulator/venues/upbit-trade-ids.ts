import { type Random } from '../random.ts'

/**
 * Trade ids: thirteen digits of milliseconds and a counter of four. They are unique but not a strict order:
 * once in a while two neighbours come in the wrong order, as they do on the real wire.
 */
export class UpbitTradeIds {
  /** The id that `take` gave: milliseconds and counter. */
  ms = 0
  counter = 0
  readonly #random: Random
  readonly #swapRate: number
  #lastMs = 0
  #lastCounter = -1
  #heldMs = 0
  #heldCounter = 0

  constructor(random: Random, swapRate: number) {
    this.#random = random
    this.#swapRate = swapRate
  }

  take(nowMs: number): void {
    if (this.#heldMs > 0) {
      this.ms = this.#heldMs
      this.counter = this.#heldCounter
      this.#heldMs = 0
      return
    }
    this.#next(nowMs)
    if (!this.#random.chance(this.#swapRate)) return
    this.#heldMs = this.ms
    this.#heldCounter = this.counter
    this.#next(nowMs)
  }

  #next(nowMs: number): void {
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs
      this.#lastCounter = -1
    }
    // More than ten thousand trades in one millisecond run on into the next.
    if (++this.#lastCounter === 10_000) {
      this.#lastMs++
      this.#lastCounter = 0
    }
    this.ms = this.#lastMs
    this.counter = this.#lastCounter
  }
}
