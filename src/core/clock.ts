/** Time and timers as a seam: machines and actors never read the clock themselves. */
export interface Clock {
  /** Wall-clock microseconds since the epoch, monotonic between re-anchorings. */
  nowMicros(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

const reanchorEveryMs = 1000

/**
 * The process's clock: `performance.now()` (one origin for all threads) on an anchor that is moved to the wall clock once
 * a second. It never runs backwards; a wall clock that was set back holds it still until it has caught up.
 */
export class SystemClock implements Clock {
  /** Times at which the wall clock had moved by more than 10 ms against the monotonic clock. */
  jumps = 0
  #anchorMicros = Date.now() * 1000 - performance.now() * 1000
  #anchoredAtMs = performance.now()
  #last = 0

  nowMicros(): number {
    const monotonicMs = performance.now()
    if (monotonicMs - this.#anchoredAtMs > reanchorEveryMs) this.#reanchor(monotonicMs)
    const now = Math.floor(this.#anchorMicros + monotonicMs * 1000)
    if (now > this.#last) this.#last = now
    return this.#last
  }

  setTimeout(callback: () => void, ms: number): unknown {
    return setTimeout(callback, ms)
  }

  clearTimeout(timer: unknown): void {
    clearTimeout(timer as NodeJS.Timeout)
  }

  #reanchor(monotonicMs: number): void {
    const anchor = Date.now() * 1000 - monotonicMs * 1000
    if (Math.abs(anchor - this.#anchorMicros) > 10_000) this.jumps++
    // Date.now() has a resolution of 1 ms: small differences are its rounding, not drift.
    if (Math.abs(anchor - this.#anchorMicros) > 1_000) this.#anchorMicros = anchor
    this.#anchoredAtMs = monotonicMs
  }
}
