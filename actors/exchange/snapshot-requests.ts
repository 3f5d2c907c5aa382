import { IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type RequestedSnapshot } from '../../src/exchange-kit/adapter.ts'

export interface SnapshotRequestEvents {
  nextId(): number
  /** Sends a frame when the venue's limits allow, and tells when it is sent. */
  send(frame: string, onSent: () => void): void
  fault(error: IngestError): void
}

/**
 * Book snapshots that are asked for on the socket that brings the updates. The answer is a frame of the stream, so only
 * the producer knows whether it came, and asks again when not; here a book waits at most once for its turn.
 */
export class SnapshotRequests {
  readonly #rules: RequestedSnapshot
  readonly #instruments: readonly Instrument[]
  readonly #events: SnapshotRequestEvents
  /** Subscriptions whose request waits to be sent. */
  readonly #waiting = new Set<number>()
  /** Those whose missing snapshot was reported, until another is asked for. */
  readonly #reported = new Set<number>()

  constructor(rules: RequestedSnapshot, instruments: readonly Instrument[], events: SnapshotRequestEvents) {
    this.#rules = rules
    this.#instruments = instruments
    this.#events = events
  }

  /** @param requests made for this snapshot so far, this one included */
  want(subscription: number, requests: number): void {
    const instrument = this.#instruments[subscription]
    if (instrument === undefined || this.#waiting.has(subscription)) return
    if (requests <= 1) this.#reported.delete(subscription)
    else if (!this.#reported.has(subscription)) {
      this.#reported.add(subscription)
      const message = `the book snapshot of ${instrument.symbol} did not come when it was asked for; it is asked for again`
      this.#events.fault(new IngestError('SNAPSHOT_FAILED', message))
    }
    this.#waiting.add(subscription)
    this.#events.send(this.#rules.frame(instrument.native, this.#events.nextId()), () =>
      this.#waiting.delete(subscription)
    )
  }
}
