import { SystemClock } from '../../core/clock.ts'

/** The system's clock for something that ends before the process does: what it still waits for then is called off. */
export class StoppableClock extends SystemClock {
  readonly #timers = new Set<NodeJS.Timeout>()
  #isStopped = false

  override setTimeout(callback: () => void, ms: number): unknown {
    if (this.#isStopped) return null
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  override clearTimeout(timer: unknown): void {
    if (timer === null) return
    clearTimeout(timer as NodeJS.Timeout)
    this.#timers.delete(timer as NodeJS.Timeout)
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
