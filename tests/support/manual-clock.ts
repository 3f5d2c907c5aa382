import { type Clock } from '../../src/core/clock.ts'

interface Timer {
  readonly id: number
  readonly dueMicros: number
  readonly callback: () => void
}

/** A clock that stands still until a test moves it; timers fire on the way, each at its own time. */
export class ManualClock implements Clock {
  #nowMicros: number
  #timers: Timer[] = []
  #nextId = 1

  constructor(nowMicros = 1_790_000_000_000_000) {
    this.#nowMicros = nowMicros
  }

  /** Timers that have not fired. */
  get pendingTimers(): number {
    return this.#timers.length
  }

  nowMicros(): number {
    return this.#nowMicros
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const id = this.#nextId++
    this.#timers.push({ id, dueMicros: this.#nowMicros + Math.max(0, ms) * 1000, callback })
    return id
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter(({ id }) => id !== timer)
  }

  /** Moves the time on; a timer set by a timer fires as well when it falls due within the move. */
  advance(ms: number): void {
    const until = this.#nowMicros + ms * 1000
    for (;;) {
      const due = this.#timers
        .filter(timer => timer.dueMicros <= until)
        .sort((a, b) => a.dueMicros - b.dueMicros || a.id - b.id)[0]
      if (due === undefined) break
      this.clearTimeout(due.id)
      this.#nowMicros = Math.max(this.#nowMicros, due.dueMicros)
      due.callback()
    }
    this.#nowMicros = until
  }
}
