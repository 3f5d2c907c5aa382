import { type Clock } from '../../src/core/clock.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type Target } from '../../src/domain/target.ts'
import {
  type ControlEvent,
  type ExchangeAdapter,
  FrameClass,
  type Peeked
} from '../../src/exchange-kit/adapter.ts'
import { inflate } from '../../src/exchange-kit/inflate.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { type JsonValue } from '../../src/exchange-kit/json-value.ts'
import { SymbolTable } from '../../src/exchange-kit/symbol-table.ts'
import { FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type SessionNotice,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { type FrameAccount, frameFieldAt } from '../../src/wire/shared-ledger.ts'
import { type Batcher, type Lane, type LaneOwner } from './batcher.ts'
import { type LinkObserver } from './link-observer.ts'
import { MessagePacer } from './message-pacer.ts'
import { Shedding } from './shedding.ts'
import { type Dial, type SocketEnd, type VenueSocket } from './socket.ts'
import { SubscriptionState, Subscriptions } from './subscriptions.ts'

const receivedAt = frameFieldAt('received')
const bytesReceivedAt = frameFieldAt('bytesReceived')
const controlAt = frameFieldAt('control')
const lastFrameAt = frameFieldAt('lastFrameMicros')
const pausedAt = frameFieldAt('paused')

/** A socket may be paused for at most this long: a paused one answers no pings. */
const pauseMsMax = 2_000

export interface LinkPlan {
  readonly connection: number
  readonly connectionId: string
  readonly target: Target
  readonly shard: number
  readonly targetIndex: number
  readonly instruments: readonly Instrument[]
  readonly projection: readonly string[]
  readonly url: string
  /** The connection this one replaces. */
  readonly previous: number | null
  readonly frameBytesMax: number
  readonly inflatedBytesMax: number
}

export interface LinkEvents {
  opened(): void
  /** The first data frame of this socket. */
  firstData(): void
  confirmed(subscriptions: readonly number[]): void
  rejected(subscriptions: readonly number[], reason: string): void
  subscribed(): void
  reconnectAsked(reason: string): void
  fault(error: IngestError): void
  ended(end: SocketEnd): void
  /** Where the data of this shard broke off, when the producer was replaced since its last connection began. */
  resumption(isForced: boolean): (SessionNotice & { readonly type: 'resumed' }) | null
}

/**
 * One socket session from dial to end: frames in, in their order, to the producer; control frames answered at once.
 * The life around it (when to dial, when to give up) is the machine's; see `session.ts`.
 */
export class Link implements LaneOwner {
  readonly plan: LinkPlan
  readonly lane: Lane
  readonly subscriptions: Subscriptions
  firstDataMicros = 0
  lastDataMicros = 0
  readonly #adapter: ExchangeAdapter
  readonly #clock: Clock
  readonly #batcher: Batcher
  readonly #events: LinkEvents
  readonly #values: Float64Array
  readonly #isGzip: boolean
  readonly #symbols = new SymbolTable()
  readonly #peeked: Peeked = { frameClass: FrameClass.data, symbolStart: 0, symbolEnd: 0 }
  readonly #pacer: MessagePacer
  readonly #socket: VenueSocket
  readonly #observer: LinkObserver | null
  readonly #contexts: ConnectionContext[] = []
  #frameSeq = 0
  #openedMicros = 0
  #lastPingMicros = 0
  #lastReadSeen = 0
  #guess = -1
  #isClosing = false
  #isEnded = false
  #lossReason: GapReason = 'disconnect'
  #pauseTimer: unknown = null
  #pausedMicros = 0
  #shedding: Shedding | null = null

  constructor(options: {
    plan: LinkPlan
    adapter: ExchangeAdapter
    clock: Clock
    batcher: Batcher
    account: FrameAccount
    dial: Dial
    events: LinkEvents
    /** Null when nothing is captured. */
    observer: LinkObserver | null
  }) {
    const { plan, adapter, clock, events } = options
    this.plan = plan
    this.#adapter = adapter
    this.#clock = clock
    this.#batcher = options.batcher
    this.#events = events
    this.#observer = options.observer
    this.#values = options.account.values
    this.#isGzip = adapter.compression === 'gzip'
    this.lane = this.#batcher.open(plan.connection, options.account, this)
    plan.instruments.forEach(({ native }, index) => {
      this.#symbols.add(native, index)
      this.#symbols.add(adapter.instruments.streamNameOf(native), index)
    })
    this.#socket = options.dial(
      { url: plan.url, connectionId: plan.connectionId, frameBytesMax: plan.frameBytesMax, clock },
      { opened: () => this.#opened(), frame: bytes => this.#frame(bytes), ended: end => this.#ended(end) }
    )
    this.#pacer = new MessagePacer(clock, adapter.limits.messages, frame => this.#sent(frame))
    this.subscriptions = new Subscriptions(adapter, plan.target.request_type, plan.instruments, {
      send: frame => this.#pacer.send(frame),
      confirmed: subscriptions => this.#confirmed(subscriptions),
      rejected: (subscriptions, reason) => this.#rejected(subscriptions, reason),
      complete: () => events.subscribed(),
      asked: subscription => this.#observer?.asked(subscription)
    })
  }

  get isOpen(): boolean {
    return this.#openedMicros > 0 && !this.#isEnded
  }

  /** Frames so far, those that a replay knows to be missing included. */
  get frameSeq(): number {
    return this.#frameSeq
  }

  /** For a replay: frames up to this one came before it, or were not captured. */
  resumeAt(frameSeq: number): void {
    this.#frameSeq = frameSeq
  }

  get wasOpen(): boolean {
    return this.#openedMicros > 0
  }

  ageMs(nowMicros: number): number {
    return this.#openedMicros === 0 ? 0 : (nowMicros - this.#openedMicros) / 1000
  }

  /** Time between the first and the last data frame. */
  get dataMs(): number {
    return (this.lastDataMicros - this.firstDataMicros) / 1000
  }

  /** How long nothing at all has come, pings and pongs included; a paused socket is not silent. */
  silentMs(nowMicros: number): number {
    if (this.#openedMicros === 0 || this.#pausedMicros > 0) return 0
    const heardMicros = Math.max(this.#socket.readMicros, this.#lastReadSeen, this.#openedMicros)
    return (nowMicros - heardMicros) / 1000
  }

  /** Keeps the socket alive as the venue wants it. */
  heartbeat(nowMicros: number): void {
    const { ping } = this.#adapter.heartbeat
    if (ping === null || this.#openedMicros === 0 || nowMicros - this.#lastPingMicros < ping.everyMs * 1000)
      return
    this.#lastPingMicros = nowMicros
    if (ping.frame === 'websocket') this.probe()
    else this.#pacer.sendFirst(ping.frame.text)
  }

  probe(): void {
    this.#observer?.pinged()
    this.#socket.ping()
  }

  close(): void {
    this.#isClosing = true
    this.#endPause()
    this.#pacer.stop()
    this.#socket.close()
  }

  terminate(reason: GapReason, error: IngestError): void {
    this.#lossReason = reason
    this.#socket.terminate(error)
  }

  /** The body of a REST snapshot takes its place among the frames. Credits do not hold it back: deltas wait for it. */
  snapshot(body: Uint8Array, subscription: number): void {
    if (!this.isOpen) return
    const now = this.#clock.nowMicros()
    this.#observer?.snapshot(body, subscription, now)
    this.#count(body.length, now)
    this.#batcher.append(this.lane, body, now, ++this.#frameSeq, subscription, FrameKind.snapshot)
  }

  snapshotFailed(subscription: number, message: string): void {
    if (this.isOpen) this.#batcher.notice(this.lane, { type: 'snapshotFailed', subscription, message })
  }

  introduce(): readonly ToProducer[] {
    const { connection, previous } = this.plan
    const messages: ToProducer[] = this.#contexts.map(context => ({ type: 'context', context }))
    if (this.#openedMicros === 0) return messages
    const notices: (SessionNotice | null)[] = [
      { type: 'opened', atMicros: this.#openedMicros, previous },
      this.#events.resumption(true)
    ]
    const subscriptions = this.subscriptions.confirmed
    if (subscriptions.length > 0) {
      notices.push({ type: 'confirmed', subscriptions, atMicros: this.#clock.nowMicros() })
    }
    for (const notice of notices) {
      if (notice !== null) messages.push({ type: 'notice', connection, notice })
    }
    return messages
  }

  creditExhausted(): void {
    if (this.#shedding !== null || this.#pausedMicros > 0 || !this.isOpen || this.#isClosing) return
    this.#pausedMicros = this.#clock.nowMicros()
    this.#values[pausedAt] = 1
    this.#socket.pause()
    const pauseMs = Math.min(pauseMsMax, this.#adapter.heartbeat.limitMs / 4)
    this.#pauseTimer = this.#clock.setTimeout(() => {
      this.#shedding = new Shedding(this.#batcher, this.lane, this.plan.target.request_type)
      this.#endPause()
    }, pauseMs)
  }

  creditReopened(): void {
    this.#endPause()
    this.#endShedding()
  }

  #opened(): void {
    this.#openedMicros = this.#clock.nowMicros()
    this.#lastPingMicros = this.#openedMicros
    this.#observer?.opened(this.#openedMicros)
    this.#sendContext()
    this.#notice({ type: 'opened', atMicros: this.#openedMicros, previous: this.plan.previous })
    const resumed = this.#events.resumption(false)
    if (resumed !== null) this.#notice(resumed)
    this.#events.opened()
  }

  #frame(received: Uint8Array): void {
    const readMicros = this.#socket.readMicros
    if (this.#observer !== null) this.#observer.frame(received, readMicros)
    this.#count(received.length, readMicros)
    const frameSeq = ++this.#frameSeq
    let frame = received
    if (this.#isGzip) {
      const inflated = inflate(received, this.plan.inflatedBytesMax)
      if (inflated instanceof IngestError) {
        // The codec makes a dead letter of what it cannot read, and the gap that belongs to it.
        this.#events.fault(inflated)
        this.#data(received, readMicros, frameSeq, unknownSubscription)
        return
      }
      frame = inflated
    }
    const peeked = this.#peeked
    this.#adapter.peek(frame, 0, frame.length, peeked)
    if (peeked.frameClass !== FrameClass.data) {
      this.#unclear(frame, readMicros, frameSeq, peeked.frameClass)
      return
    }
    let subscription = unknownSubscription
    if (peeked.symbolEnd > 0) {
      subscription = this.#symbols.find(frame, peeked.symbolStart, peeked.symbolEnd, this.#guess)
      this.#guess = subscription
    }
    if (this.firstDataMicros === 0) {
      this.firstDataMicros = readMicros
      this.#events.firstData()
    }
    this.lastDataMicros = readMicros
    if (subscription >= 0 && this.subscriptions.states[subscription] === SubscriptionState.wanted) {
      this.subscriptions.dataFor(subscription)
    }
    this.#data(frame, readMicros, frameSeq, subscription)
  }

  #sent(text: string): void {
    this.#observer?.sent(text)
    this.#socket.send(text)
  }

  #count(bytes: number, atMicros: number): void {
    const values = this.#values
    values[receivedAt] = values[receivedAt]! + 1
    values[bytesReceivedAt] = values[bytesReceivedAt]! + bytes
    values[lastFrameAt] = atMicros
  }

  #data(frame: Uint8Array, readMicros: number, frameSeq: number, subscription: number): void {
    if (this.#shedding !== null) this.#shedding.take(frame, readMicros, frameSeq, subscription)
    else this.#batcher.append(this.lane, frame, readMicros, frameSeq, subscription, FrameKind.stream)
  }

  /** A control frame, or one that only parsing can tell. What turns out to be neither goes to the codec to be judged. */
  #unclear(frame: Uint8Array, readMicros: number, frameSeq: number, frameClass: FrameClass): void {
    let message: JsonValue
    try {
      message = parseJson(frame, 0, frame.length)
    } catch {
      this.#data(frame, readMicros, frameSeq, unknownSubscription)
      return
    }
    const events = this.#adapter.control(message)
    if (events.length === 0 && frameClass === FrameClass.unclear) {
      this.#data(frame, readMicros, frameSeq, unknownSubscription)
      return
    }
    this.#values[controlAt] = this.#values[controlAt]! + 1
    for (const event of events) this.#control(event)
  }

  #control(event: ControlEvent): void {
    switch (event.type) {
      case 'confirmed':
      case 'rejected': {
        const channelsBefore = Object.keys(this.subscriptions.channelIds).length
        this.subscriptions.answered(event)
        if (Object.keys(this.subscriptions.channelIds).length !== channelsBefore) this.#sendContext()
        break
      }
      case 'reply':
        this.#pacer.sendFirst(event.frame)
        break
      case 'alive':
        break
      case 'reconnect':
        this.#events.reconnectAsked(event.reason)
        break
      case 'error':
        this.#events.fault(new IngestError('VENUE_ERROR', `the exchange says: ${event.message}`))
        break
    }
  }

  #confirmed(subscriptions: readonly number[]): void {
    this.#notice({ type: 'confirmed', subscriptions, atMicros: this.#clock.nowMicros() })
    this.#events.confirmed(subscriptions)
  }

  #rejected(subscriptions: readonly number[], reason: string): void {
    this.#notice({ type: 'rejected', subscriptions, reason })
    this.#events.rejected(subscriptions, reason)
  }

  #ended(end: SocketEnd): void {
    this.#isEnded = true
    this.#observer?.ended(this.#isClosing, this.#lossReason, this.#clock.nowMicros())
    this.#pacer.stop()
    this.#endPause()
    this.#endShedding()
    if (this.#openedMicros > 0) {
      const atMicros = this.#clock.nowMicros()
      if (this.#isClosing) this.#notice({ type: 'closed', atMicros })
      else {
        const reason = this.#lossReason
        this.#notice({ type: 'lost', reason, atMicros, lastFrameSeq: this.#frameSeq })
      }
    }
    this.#batcher.close(this.lane)
    this.#events.ended(end)
  }

  #sendContext(): void {
    const { connection, connectionId, target, shard, targetIndex, instruments, projection } = this.plan
    const context: ConnectionContext = {
      connection,
      version: this.#contexts.length + 1,
      connectionId,
      target,
      shard,
      targetIndex,
      instruments,
      projection,
      channelIds: { ...this.subscriptions.channelIds }
    }
    this.#contexts.push(context)
    this.#batcher.context(this.lane, context)
  }

  #notice(notice: SessionNotice): void {
    this.#batcher.notice(this.lane, notice)
  }

  #endPause(): void {
    if (this.#pauseTimer !== null) this.#clock.clearTimeout(this.#pauseTimer)
    this.#pauseTimer = null
    if (this.#pausedMicros === 0) return
    this.#pausedMicros = 0
    this.#values[pausedAt] = 0
    this.#lastReadSeen = this.#clock.nowMicros()
    this.#socket.resume()
  }

  #endShedding(): void {
    const shedding = this.#shedding
    if (shedding === null) return
    this.#shedding = null
    const touched = shedding.touched
    shedding.finish()
    const isDelta = this.plan.target.request_type === 'orderbook' && !this.#healsByItself()
    if (isDelta && this.isOpen && !this.#isClosing) {
      for (const subscription of touched) this.subscriptions.resubscribe(subscription)
    }
  }

  /** Whole books heal with their next frame, books on REST snapshots when the producer asks for one. */
  #healsByItself(): boolean {
    const { book } = this.#adapter.continuity
    return book.mode === 'whole' || book.snapshot.from !== 'stream'
  }
}
