import { type Instrument } from '../../src/domain/instrument.ts'
import { type RequestType } from '../../src/domain/target.ts'
import { type ControlEvent, type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'

export const SubscriptionState = { wanted: 0, confirmed: 1, rejected: 2 } as const

export interface SubscriptionEvents {
  send(frame: string): void
  confirmed(subscriptions: readonly number[]): void
  rejected(subscriptions: readonly number[], reason: string): void
  /** Nothing is wanted any more: everything is confirmed or refused. */
  complete(): void
}

/** The subscriptions of one socket: what was asked for, what the venue answered. Indices are the context's. */
export class Subscriptions {
  /** A `SubscriptionState` by subscription index; read per frame. */
  readonly states: Uint8Array
  /** Channel ids by the number the venue gave them (Bitfinex). */
  readonly channelIds: Record<string, number> = {}
  readonly #adapter: ExchangeAdapter
  readonly #requestType: RequestType
  readonly #instruments: readonly Instrument[]
  readonly #events: SubscriptionEvents
  readonly #indexOf = new Map<string, number>()
  readonly #asked = new Map<string, readonly number[]>()
  #lastId = 0

  constructor(
    adapter: ExchangeAdapter,
    requestType: RequestType,
    instruments: readonly Instrument[],
    events: SubscriptionEvents
  ) {
    this.#adapter = adapter
    this.#requestType = requestType
    this.#instruments = instruments
    this.#events = events
    this.states = new Uint8Array(instruments.length)
    instruments.forEach((instrument, index) => {
      this.#indexOf.set(instrument.native, index)
      this.#indexOf.set(adapter.instruments.streamNameOf(instrument.native), index)
    })
  }

  get wanted(): number[] {
    return this.#having(SubscriptionState.wanted)
  }

  get confirmed(): number[] {
    return this.#having(SubscriptionState.confirmed)
  }

  /** Asks for everything; the venue's limit on symbols per request is the adapter's to keep. */
  subscribeAll(): void {
    const natives = this.#instruments.map(instrument => instrument.native)
    this.#request(natives, natives, [])
  }

  /** Takes one symbol off and subscribes it again, as the smallest frames the venue has for that. */
  resubscribe(subscription: number): void {
    const instrument = this.#instruments[subscription]
    if (instrument === undefined || this.states[subscription] === SubscriptionState.rejected) return
    this.states[subscription] = SubscriptionState.wanted
    const desired = this.#instruments
      .filter((_, index) => this.states[index] !== SubscriptionState.rejected)
      .map(other => other.native)
    this.#request(desired, [instrument.native], [instrument.native])
  }

  /** The first data of a symbol says the same as an acknowledgement, and often comes before it. */
  dataFor(subscription: number): void {
    this.#confirm([subscription])
  }

  /** Takes in what the venue says about a request, or about symbols by name. */
  answered(event: ControlEvent & { readonly type: 'confirmed' | 'rejected' }): void {
    const subscriptions = this.#subscriptionsOf(event)
    if (event.type === 'rejected') {
      this.#reject(subscriptions, event.reason)
      return
    }
    if (event.channelId !== null) {
      for (const subscription of subscriptions) this.channelIds[event.channelId] = subscription
    }
    this.#confirm(subscriptions)
  }

  #request(desired: readonly string[], added: readonly string[], removed: readonly string[]): void {
    const change = {
      requestType: this.#requestType,
      desired,
      added,
      removed,
      channelIdOf: (native: string) => this.#channelIdOf(native),
      nextId: () => ++this.#lastId
    }
    for (const request of this.#adapter.subscriptions.requests(change)) {
      if (request.id !== null && request.natives.length > 0) {
        this.#asked.set(
          request.id,
          request.natives.map(native => this.#indexOf.get(native) ?? -1).filter(index => index >= 0)
        )
      }
      this.#events.send(request.frame)
    }
  }

  #channelIdOf(native: string): string | null {
    const index = this.#indexOf.get(native)
    return Object.keys(this.channelIds).findLast(id => this.channelIds[id] === index) ?? null
  }

  #subscriptionsOf(event: {
    readonly id: string | null
    readonly natives: readonly string[]
  }): readonly number[] {
    if (event.natives.length > 0) {
      return event.natives.map(native => this.#indexOf.get(native) ?? -1).filter(index => index >= 0)
    }
    if (event.id === null) return []
    const asked = this.#asked.get(event.id) ?? []
    this.#asked.delete(event.id)
    return asked
  }

  #confirm(subscriptions: readonly number[]): void {
    const fresh = subscriptions.filter(index => this.states[index] === SubscriptionState.wanted)
    if (fresh.length === 0) return
    for (const index of fresh) this.states[index] = SubscriptionState.confirmed
    this.#events.confirmed(fresh)
    this.#checkComplete()
  }

  #reject(subscriptions: readonly number[], reason: string): void {
    const fresh = subscriptions.filter(index => this.states[index] !== SubscriptionState.rejected)
    if (fresh.length === 0) return
    for (const index of fresh) this.states[index] = SubscriptionState.rejected
    this.#events.rejected(fresh, reason)
    this.#checkComplete()
  }

  #checkComplete(): void {
    if (!this.states.includes(SubscriptionState.wanted)) this.#events.complete()
  }

  #having(state: number): number[] {
    const found: number[] = []
    this.states.forEach((has, index) => {
      if (has === state) found.push(index)
    })
    return found
  }
}
