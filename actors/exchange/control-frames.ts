import { IngestError } from '../../src/core/errors.ts'
import { type ControlEvent, type ExchangeAdapter, FrameClass } from '../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { type JsonValue } from '../../src/exchange-kit/json-value.ts'
import { type Subscriptions } from './subscriptions.ts'
import { symbolList } from './symbol-list.ts'

export interface ControlFrameEvents {
  /** The venue has answered about subscriptions, and may have given them numbers. */
  answered(): void
  /** To be sent at once. */
  reply(frame: string): void
  reconnectAsked(reason: string): void
  fault(error: IngestError): void
}

/** Does what the control frames of a socket ask for. */
export class ControlFrames {
  readonly #adapter: ExchangeAdapter
  readonly #subscriptions: Subscriptions
  readonly #events: ControlFrameEvents

  constructor(adapter: ExchangeAdapter, subscriptions: Subscriptions, events: ControlFrameEvents) {
    this.#adapter = adapter
    this.#subscriptions = subscriptions
    this.#events = events
  }

  /** Takes a control frame, or one that only parsing can tell; false when it turns out to be none. */
  take(frame: Uint8Array, frameClass: FrameClass): boolean {
    let message: JsonValue
    try {
      message = parseJson(frame, 0, frame.length)
    } catch {
      return false
    }
    const events = this.#adapter.control(message)
    if (events.length === 0 && frameClass === FrameClass.unclear) return false
    for (const event of events) this.#do(event)
    return true
  }

  #do(event: ControlEvent): void {
    switch (event.type) {
      case 'confirmed':
      case 'rejected':
        this.#subscriptions.answered(event)
        this.#events.answered()
        break
      case 'refused': {
        const symbols = this.#subscriptions.refusedForNow(event)
        const meant = symbols.length === 0 ? '' : ` (${symbolList(symbols)}: to be asked for again)`
        this.#venueError(event.reason + meant)
        break
      }
      case 'rejectedLast':
        if (!this.#subscriptions.refusedLast(event.reason)) this.#venueError(event.reason)
        break
      case 'reply':
        this.#events.reply(event.frame)
        break
      case 'alive':
        break
      case 'reconnect':
        this.#events.reconnectAsked(event.reason)
        break
      case 'error':
        this.#venueError(event.message)
        break
    }
  }

  #venueError(message: string): void {
    this.#events.fault(new IngestError('VENUE_ERROR', `the exchange says: ${message}`))
  }
}
