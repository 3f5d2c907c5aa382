/** Allows `count` events in any window of `windowMs`. The limits that venues publish are of this kind. */
export class RateWindow {
  readonly #count: number
  readonly #windowMs: number
  readonly #times: number[] = []

  constructor(count: number, windowMs: number) {
    this.#count = count
    this.#windowMs = windowMs
  }

  /** False when the event is one too many; a refused event does not count. */
  take(nowMs: number): boolean {
    while (this.#times.length > 0 && this.#times[0]! <= nowMs - this.#windowMs) this.#times.shift()
    if (this.#times.length >= this.#count) return false
    this.#times.push(nowMs)
    return true
  }
}
