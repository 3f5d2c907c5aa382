import { type Clock } from '../../src/core/clock.ts'
import { type ErrorCode, type IngestError, toWire } from '../../src/core/errors.ts'
import { type ExchangeName, type Target } from '../../src/domain/target.ts'
import { type ExchangeReport } from './messages.ts'

const reportsMax = 5
const windowMicros = 10_000_000

interface Window {
  startedMicros: number
  reported: number
  suppressed: number
}

/**
 * Tells main about faults, at most five of a code per exchange in ten seconds: a venue that fails does so thousands of
 * times. What is held back is counted, and told with the next report.
 */
export class FaultReporter {
  readonly #clock: Clock
  readonly #report: (report: ExchangeReport) => void
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock, report: (report: ExchangeReport) => void) {
    this.#clock = clock
    this.#report = report
  }

  fault(
    exchange: ExchangeName,
    error: IngestError,
    target: Target | null = null,
    connectionId: string | null = null
  ): void {
    const window = this.#windowOf(exchange, error.code)
    if (window.reported >= reportsMax) {
      window.suppressed++
      return
    }
    window.reported++
    const suppressed = window.suppressed
    window.suppressed = 0
    this.#report({ type: 'fault', error: toWire(error), exchange, target, connectionId, suppressed })
  }

  #windowOf(exchange: ExchangeName, code: ErrorCode): Window {
    const key = `${exchange}|${code}`
    const now = this.#clock.nowMicros()
    let window = this.#windows.get(key)
    if (window === undefined) {
      window = { startedMicros: now, reported: 0, suppressed: 0 }
      this.#windows.set(key, window)
    } else if (now - window.startedMicros >= windowMicros) {
      window.startedMicros = now
      window.reported = 0
    }
    return window
  }
}
