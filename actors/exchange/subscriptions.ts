import { type Instrument } from '../../src/domain/instrument.ts'
import { type RequestType } from '../../src/domain/target.ts'
import { type ControlEvent, type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { AskedRequests } from './asked-requests.ts'

export const SubscriptionState = { wanted: 0, confirmed: 1, rejected: 2 } as const

/** Channel numbers that lead to one subscription: frames of the older ones may still be on their way. */
const channelIdsPerSymbol = 8

type Rejection = ControlEvent & { readonly type: 'rejected' }

export interface SubscriptionEvents {
  send(frame: string): void
  confirmed(subscriptions: readonly number[]): void
  rejected(subscriptions: readonly number[], reason: string): void
  /** Nothing is wanted any more: everything is confirmed or refused. */
  complete(): void
  /** A request begins: for one subscription anew, or for all of them (null). */
  asked(subscription: number | null): void
  /** The venue has given a subscription a number, see `channelIds`. */
  numbered(channelId: string, subscription: number): void
}

/** The subscriptions of one socket: what was asked for, what the venue answered. Indices are the context's. */
export class Subscriptions {
  /** A `SubscriptionState` by subscription index; read per frame. */
  readonly states: Uint8Array
  /** Subscriptions by the numbers the venue gave them (Bitfinex), the latest and some that it has replaced. */
  readonly channelIds: Record<string, number> = {}
  readonly #adapter: ExchangeAdapter
  readonly #requestType: RequestType
  readonly #instruments: readonly Instrument[]
  readonly #events: SubscriptionEvents
  readonly #indexOf = new Map<string, number>()
  readonly #asked = new AskedRequests()
  /** Numbers by subscription, the oldest first. */
  readonly #numbers = new Map<number, string[]>()
  #lastId = 0
  /** The last one that the venue confirmed by its word; -1 when there is none, or it was refused since. */
  #lastAcknowledged = -1

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

  get lastId(): number {
    return this.#lastId
  }

  /** A fresh request id of this socket. */
  nextId(): number {
    return ++this.#lastId
  }

  /** Asks for everything; the venue's limit on symbols per request is the adapter's to keep. */
  subscribeAll(): void {
    this.#events.asked(null)
    for (const frame of this.#adapter.subscriptions.opening ?? []) this.#events.send(frame)
    this.#request(this.#instruments.map(instrument => instrument.native))
  }

  /** Takes one symbol off and subscribes it again, as the smallest frames the venue has for that. */
  resubscribe(subscription: number): void {
    const instrument = this.#instruments[subscription]
    if (instrument === undefined || this.states[subscription] === SubscriptionState.rejected) return
    this.#events.asked(subscription)
    this.states[subscription] = SubscriptionState.wanted
    this.#request([instrument.native], [instrument.native])
  }

  /** The first data of a symbol says the same as an acknowledgement, and often comes before it. */
  dataFor(subscription: number): void {
    this.#confirm([subscription])
  }

  /** Takes in what the venue says about a request, or about symbols by name. */
  answered(event: ControlEvent & { readonly type: 'confirmed' | 'rejected' }): void {
    if (event.type === 'rejected') {
      this.#refused(event)
      return
    }
    const request = this.#asked.byId(event.id)
    const named = this.#indicesOf(event.natives)
    const subscriptions = event.natives.length > 0 ? named : (request?.subscriptions ?? [])
    if (event.channelId !== null) {
      for (const subscription of subscriptions) this.#number(event.channelId, subscription)
    }
    this.#lastAcknowledged = subscriptions.at(-1) ?? this.#lastAcknowledged
    this.#confirm(subscriptions)
    if (request?.subscriptions.every(index => this.states[index] !== SubscriptionState.wanted) === true) {
      this.#asked.forget(request)
    }
  }

  /** Takes in a refusal that names nothing; returns false when there is no symbol that it could mean. */
  refusedLast(reason: string): boolean {
    if (this.#lastAcknowledged < 0) return false
    this.#reject([this.#lastAcknowledged], reason)
    return true
  }

  /**
   * What is named is refused, and of a request that names nothing its only symbol. Of a request that was refused as a whole
   * the rest is asked for again: in two halves when nobody knows whose fault it was, until the guilty one stands alone.
   */
  #refused(event: Rejection): void {
    const named = this.#indicesOf(event.natives)
    if (named.length > 0) {
      const request =
        event.isWholeRequest === true
          ? (this.#asked.byId(event.id) ?? this.#asked.latestWith(named))
          : undefined
      this.#reject(named, event.reason)
      if (request !== undefined) {
        this.#asked.forget(request)
        this.#requestSubscriptions(this.#wantedOf(request.subscriptions))
      }
      return
    }
    const request = this.#asked.byId(event.id)
    if (request === undefined) return
    this.#asked.forget(request)
    if (request.subscriptions.length === 1) {
      this.#reject(request.subscriptions, event.reason)
      return
    }
    const wanted = this.#wantedOf(request.subscriptions)
    const half = Math.ceil(wanted.length / 2)
    this.#requestSubscriptions(wanted.slice(0, half))
    this.#requestSubscriptions(wanted.slice(half))
  }

  #requestSubscriptions(subscriptions: readonly number[]): void {
    if (subscriptions.length > 0) this.#request(subscriptions.map(index => this.#instruments[index]!.native))
  }

  #request(added: readonly string[], removed: readonly string[] = []): void {
    const change = {
      requestType: this.#requestType,
      desired: this.#instruments
        .filter((_, index) => this.states[index] !== SubscriptionState.rejected)
        .map(instrument => instrument.native),
      added,
      removed,
      channelIdOf: (native: string) => this.#channelIdOf(native),
      nextId: () => this.nextId()
    }
    for (const { id, natives, frame } of this.#adapter.subscriptions.requests(change)) {
      this.#asked.add(id, this.#indicesOf(natives))
      this.#events.send(frame)
    }
  }

  #number(channelId: string, subscription: number): void {
    const numbers = this.#numbers.get(subscription) ?? []
    this.#numbers.set(subscription, numbers)
    if (numbers.at(-1) === channelId && this.channelIds[channelId] === subscription) return
    numbers.push(channelId)
    this.channelIds[channelId] = subscription
    const oldest = numbers.length > channelIdsPerSymbol ? numbers.shift() : undefined
    // A number that the venue has given away again belongs to whoever has it now.
    if (oldest !== undefined && this.channelIds[oldest] === subscription && !numbers.includes(oldest)) {
      delete this.channelIds[oldest]
    }
    this.#events.numbered(channelId, subscription)
  }

  #channelIdOf(native: string): string | null {
    return this.#numbers.get(this.#indexOf.get(native) ?? -1)?.at(-1) ?? null
  }

  #indicesOf(natives: readonly string[]): number[] {
    return natives.map(native => this.#indexOf.get(native) ?? -1).filter(index => index >= 0)
  }

  #wantedOf(subscriptions: readonly number[]): number[] {
    return subscriptions.filter(index => this.states[index] === SubscriptionState.wanted)
  }

  #confirm(subscriptions: readonly number[]): void {
    const fresh = this.#wantedOf(subscriptions)
    if (fresh.length === 0) return
    for (const index of fresh) this.states[index] = SubscriptionState.confirmed
    this.#events.confirmed(fresh)
    this.#checkComplete()
  }

  #reject(subscriptions: readonly number[], reason: string): void {
    const fresh = subscriptions.filter(index => this.states[index] !== SubscriptionState.rejected)
    if (subscriptions.includes(this.#lastAcknowledged)) this.#lastAcknowledged = -1
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
