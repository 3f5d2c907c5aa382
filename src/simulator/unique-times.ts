/**
 * Event times that never repeat and never run backwards within a channel, so that a time names its event. Where a venue
 * sends more events than its clock has ticks they run ahead of the clock by as little as that takes.
 */
export class UniqueTimes {
  readonly #perMs: number
  #last = 0

  /** @param perMs ticks of the venue's clock in a millisecond: 1 for milliseconds, 1000 for microseconds */
  constructor(perMs: 1 | 1000) {
    this.#perMs = perMs
  }

  /** The time of the next event, in ticks since the epoch. */
  take(nowMs: number): number {
    this.#last = Math.max(nowMs * this.#perMs, this.#last + 1)
    return this.#last
  }

  /** The last time taken, in ticks; 0 before the first. */
  get last(): number {
    return this.#last
  }

  /** A time of this clock as records have it. */
  microsOf(ticks: number): number {
    return ticks * (1000 / this.#perMs)
  }
}

/** `2026-11-21T10:20:30.123456Z` for microseconds since the epoch. */
export function rfc3339(micros: number): string {
  const ms = Math.floor(micros / 1000)
  return `${new Date(ms).toISOString().slice(0, 23)}${String(micros - ms * 1000).padStart(3, '0')}Z`
}
