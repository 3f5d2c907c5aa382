import { type OffsetReport } from './report.ts'

const keptMax = 8192

/** Differences of two clocks; of many an even sample is kept, with the extremes of all. */
export class Offsets {
  readonly #kept: number[] = []
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #count = 0
  #every = 1

  /** @param micros NaN is passed over */
  add(micros: number): void {
    if (Number.isNaN(micros)) return
    this.#min = Math.min(this.#min, micros)
    this.#max = Math.max(this.#max, micros)
    if (this.#count++ % this.#every !== 0) return
    this.#kept.push(micros)
    if (this.#kept.length < keptMax) return
    // Every second one stays, and from now on only half as many come in.
    for (let at = 0; at < keptMax / 2; at++) this.#kept[at] = this.#kept[at * 2]!
    this.#kept.length = keptMax / 2
    this.#every *= 2
  }

  /** In milliseconds; null when there was none. */
  get report(): OffsetReport | null {
    if (this.#count === 0) return null
    const sorted = this.#kept.toSorted((a, b) => a - b)
    return {
      median: millis(sorted[sorted.length >> 1]!),
      min: millis(this.#min),
      max: millis(this.#max),
      events: this.#count
    }
  }
}

function millis(micros: number): number {
  return Math.round(micros / 100) / 10
}
