/** Restarts within a sliding period, after OTP's intensity and period. */
export class RestartWindow {
  readonly #intensity: number
  readonly #periodMicros: number
  #times: number[] = []

  constructor(intensity: number, periodMs: number) {
    this.#intensity = intensity
    this.#periodMicros = periodMs * 1000
  }

  /** Notes a restart; false when it is one more than the period allows. */
  admit(nowMicros: number): boolean {
    this.#times = this.#times.filter(time => time > nowMicros - this.#periodMicros)
    this.#times.push(nowMicros)
    return this.#times.length <= this.#intensity
  }
}
