import { type Clock } from '../../src/core/clock.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type RequestType } from '../../src/domain/target.ts'
import { type ControlEvent, type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { AskedRequests } from './asked-requests.ts'
import { AskingAgain } from './asking-again.ts'
import { ChannelNumbers } from './channel-numbers.ts'

export const SubscriptionState = { wanted: 0, confirmed: 1, rejected: 2 } as const

const none: readonly number[] = []

type Rejection = ControlEvent & { readonly type: 'rejected' }

export interface SubscriptionEvents {
  /** @param onSent told when the frame is on its way: the venue's limits may hold it back */
  send(frame: string, onSent?: () => void): void
  confirmed(subscriptions: readonly number[]): void
  rejected(subscriptions: readonly number[], reason: string): void
  /** Nothing is wanted any more: everything is confirmed or refused. */
  complete(): void
  /** Requests begin that answer no frame: for these, taken off first when `isAnew`, or for everything (null). */
  asked(subscriptions: readonly number[] | null, isAnew: boolean): void
  /** The venue has given a subscription a number, see `channelIds`. */
  numbered(channelId: string, subscription: number): void
}

/** The subscriptions of one socket: what was asked for, what the venue answered. Indices are the context's. */
export class Subscriptions {
  /** A `SubscriptionState` by subscription index; read per frame. */
  readonly states: Uint8Array
  /** What the venue has not answered in full. */
  readonly requests = new AskedRequests()
  readonly #adapter: ExchangeAdapter
  readonly #requestType: RequestType
  readonly #instruments: readonly Instrument[]
  readonly #events: SubscriptionEvents
  readonly #indexOf = new Map<string, number>()
  readonly #again: AskingAgain
  readonly #clock: Clock
  readonly #isWanted = (index: number): boolean => this.states[index] === SubscriptionState.wanted
  readonly #numbers = new ChannelNumbers()
  /** Taken off and not acknowledged since: their data may have been on its way. */
  readonly #left = new Set<number>()
  #lastId = 0
  /** The last one that the venue confirmed by its word; -1 when there is none, or it was refused since. */
  #lastAcknowledged = -1

  constructor(
    adapter: ExchangeAdapter,
    requestType: RequestType,
    instruments: readonly Instrument[],
    events: SubscriptionEvents,
    clock: Clock
  ) {
    this.#adapter = adapter
    this.#requestType = requestType
    this.#instruments = instruments
    this.#events = events
    this.#clock = clock
    this.#again = new AskingAgain(instruments.length)
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

  /** Subscriptions by the numbers the venue gave them. */
  get channelIds(): Readonly<Record<string, number>> {
    return this.#numbers.subscriptions
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
    this.#events.asked(null, false)
    for (const frame of this.#adapter.subscriptions.opening ?? []) this.#events.send(frame)
    this.#request(this.#instruments.map(instrument => instrument.native))
  }

  /** Takes these symbols off and subscribes them again, as the smallest frames the venue has for that. */
  resubscribe(subscriptions: readonly number[]): void {
    const live = subscriptions.filter(index => this.#isOurs(index))
    if (live.length === 0) return
    this.#events.asked(live, true)
    for (const index of live) {
      this.states[index] = SubscriptionState.wanted
      this.#left.add(index)
      this.#again.reset(index)
    }
    const natives = this.#nativesOf(live)
    this.#request(natives, natives)
  }

  /**
   * What is still wanted and has waited long enough for its answer is asked for again; nothing is taken off before that.
   * Called about once a second; returns what was asked for.
   */
  askAgain(nowMicros: number): readonly number[] {
    if (!this.states.includes(SubscriptionState.wanted)) return none
    const requests = this.#again.due(this.wanted, nowMicros)
    for (const subscriptions of requests) this.ask(subscriptions)
    return requests.flat()
  }

  /** Asks for these symbols, whatever was asked before. */
  ask(subscriptions: readonly number[]): void {
    const live = subscriptions.filter(index => this.#isOurs(index))
    if (live.length === 0) return
    this.#events.asked(live, false)
    this.#request(this.#nativesOf(live))
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
    const request = this.requests.byId(event.id)
    const named = this.#indicesOf(event.natives)
    const subscriptions = event.natives.length > 0 ? named : (request?.subscriptions ?? [])
    for (const subscription of subscriptions) {
      this.#left.delete(subscription)
      if (event.channelId !== null && this.#numbers.give(event.channelId, subscription)) {
        this.#events.numbered(event.channelId, subscription)
      }
    }
    this.#lastAcknowledged = subscriptions.at(-1) ?? this.#lastAcknowledged
    this.#confirm(subscriptions)
    if (request?.subscriptions.some(this.#isWanted) === false) this.requests.forget(request)
    this.requests.forgetAnswered(this.#isWanted)
  }

  /**
   * Takes in a refusal that passes: what is named, or else all of the request, stays wanted and is asked for again in its
   * time, although data that was on its way may have confirmed it. Returns these symbols.
   */
  refusedForNow(event: ControlEvent & { readonly type: 'refused' }): readonly string[] {
    const request = this.requests.byId(event.id)
    const isNamed = event.natives.length > 0
    const meant = isNamed ? this.#indicesOf(event.natives) : (request?.subscriptions ?? [])
    const again = meant.filter(index => this.#isOurs(index))
    for (const index of again) this.states[index] = SubscriptionState.wanted
    if (!isNamed && request !== undefined) {
      this.#again.refusedTogether(again)
      this.requests.forget(request)
    }
    return again.map(index => this.#instruments[index]!.symbol)
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
          ? (this.requests.byId(event.id) ?? this.requests.latestWith(named))
          : undefined
      this.#reject(named, event.reason)
      if (request !== undefined) {
        this.requests.forget(request)
        this.#requestSubscriptions(this.#owedOf(request.subscriptions))
      }
      this.requests.forgetAnswered(this.#isWanted)
      return
    }
    const request = this.requests.byId(event.id)
    if (request === undefined) return
    this.requests.forget(request)
    if (request.subscriptions.length === 1) {
      this.#reject(request.subscriptions, event.reason)
      return
    }
    const owed = this.#owedOf(request.subscriptions)
    const half = Math.ceil(owed.length / 2)
    this.#requestSubscriptions(owed.slice(0, half))
    this.#requestSubscriptions(owed.slice(half))
  }

  /** Of a request that the venue has not granted: what is not confirmed, or only by data from before. */
  #owedOf(subscriptions: readonly number[]): number[] {
    const owed = subscriptions.filter(
      index => this.#isWanted(index) || (this.#left.has(index) && this.#isOurs(index))
    )
    for (const index of owed) this.states[index] = SubscriptionState.wanted
    return owed
  }

  #requestSubscriptions(subscriptions: readonly number[]): void {
    if (subscriptions.length > 0) this.#request(this.#nativesOf(subscriptions))
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
      const subscriptions = this.#indicesOf(natives)
      this.requests.add(id, subscriptions)
      this.#again.asked(subscriptions)
      this.#events.send(frame, () => this.#again.sent(subscriptions, this.#clock.nowMicros()))
    }
  }

  #channelIdOf(native: string): string | null {
    return this.#numbers.latestOf(this.#indexOf.get(native) ?? -1)
  }

  #indicesOf(natives: readonly string[]): number[] {
    return natives.map(native => this.#indexOf.get(native) ?? -1).filter(index => index >= 0)
  }

  #nativesOf(subscriptions: readonly number[]): string[] {
    return subscriptions.map(index => this.#instruments[index]!.native)
  }

  /** Known here, and not refused for good. */
  #isOurs(index: number): boolean {
    return index < this.#instruments.length && this.states[index] !== SubscriptionState.rejected
  }

  #wantedOf(subscriptions: readonly number[]): number[] {
    return subscriptions.filter(this.#isWanted)
  }

  #confirm(subscriptions: readonly number[]): void {
    const fresh = this.#wantedOf(subscriptions)
    if (fresh.length === 0) return
    for (const index of fresh) {
      this.states[index] = SubscriptionState.confirmed
      this.#again.reset(index)
    }
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
