import { type Clock } from '../../src/core/clock.ts'

interface Timer {
  readonly id: number
  readonly dueMicros: number
  readonly callback: () => void
}

/** The time of a capture: it moves with the entries that are replayed, and timers fire on the way. */
export class ReplayClock implements Clock {
  #nowMicros = 0
  #timers: Timer[] = []
  #nextDueMicros = Infinity
  #lastId = 0

  nowMicros(): number {
    return this.#nowMicros
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { id: ++this.#lastId, dueMicros: this.#nowMicros + Math.max(0, ms) * 1000, callback }
    this.#timers.push(timer)
    // Equal times fire in the order in which they were set.
    this.#timers.sort((a, b) => a.dueMicros - b.dueMicros || a.id - b.id)
    this.#nextDueMicros = this.#timers[0]!.dueMicros
    return timer.id
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter(({ id }) => id !== timer)
    this.#nextDueMicros = this.#timers[0]?.dueMicros ?? Infinity
  }

  /** Moves on to this time; one that has passed already changes nothing. */
  advanceTo(micros: number): void {
    while (this.#nextDueMicros <= micros) {
      const due = this.#timers.shift()!
      this.#nextDueMicros = this.#timers[0]?.dueMicros ?? Infinity
      if (due.dueMicros > this.#nowMicros) this.#nowMicros = due.dueMicros
      due.callback()
    }
    if (micros > this.#nowMicros) this.#nowMicros = micros
  }

  /** Does something as of an earlier time, which timers do not see. */
  asOf(micros: number, act: () => void): void {
    const now = this.#nowMicros
    this.#nowMicros = micros
    act()
    this.#nowMicros = now
  }
}
