import { type Clock } from '../../src/core/clock.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type ExchangeAdapter, FrameClass } from '../../src/exchange-kit/adapter.ts'
import { FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type SessionNotice,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { type FrameAccount, frameFieldAt } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { ControlFrames } from './control-frames.ts'
import { FrameOutlet } from './frame-outlet.ts'
import { FrameReader } from './frame-reader.ts'
import { type Lane, type LaneOwner } from './lane.ts'
import { type LinkObserver } from './link-observer.ts'
import { type LinkEvents, type LinkPlan } from './link-plan.ts'
import { MessagePacer, requestsWaitingMax } from './message-pacer.ts'
import { SnapshotRequests } from './snapshot-requests.ts'
import { type Dial, type SocketEnd, type VenueSocket } from './socket.ts'
import { SubscriptionState, Subscriptions } from './subscriptions.ts'

const receivedAt = frameFieldAt('received')
const bytesReceivedAt = frameFieldAt('bytesReceived')
const controlAt = frameFieldAt('control')
const lastFrameAt = frameFieldAt('lastFrameMicros')

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
  readonly #reader: FrameReader
  readonly #control: ControlFrames
  readonly #pacer: MessagePacer
  readonly #socket: VenueSocket
  readonly #observer: LinkObserver | null
  readonly #snapshots: SnapshotRequests | null
  readonly #outlet: FrameOutlet
  /** The latest version: it knows everything that an earlier one did. */
  #context: ConnectionContext | null = null
  #frameSeq = 0
  #openedMicros = 0
  #lastPingMicros = 0
  #isClosing = false
  #isEnded = false
  /** Frames are missing: what still comes before the socket's end belongs to nothing. */
  #isBroken = false
  #isRenumbered = false
  #lossReason: GapReason = 'disconnect'

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
    const { plan, adapter, clock, batcher, account, events } = options
    this.plan = plan
    this.#adapter = adapter
    this.#clock = clock
    this.#batcher = batcher
    this.#events = events
    this.#observer = options.observer
    this.#values = account.values
    this.#reader = new FrameReader(adapter, plan.instruments, plan.inflatedBytesMax)
    this.lane = batcher.open(plan.connection, account, this)
    const { lane } = this
    const { request_type: requestType } = plan.target
    const { limitMs } = adapter.heartbeat
    this.#outlet = new FrameOutlet({ clock, account, batcher, lane, requestType, limitMs })
    this.#socket = options.dial(
      { url: plan.url, connectionId: plan.connectionId, frameBytesMax: plan.frameBytesMax, clock },
      { opened: () => this.#opened(), frame: bytes => this.#frame(bytes), ended: end => this.#ended(end) }
    )
    const { messages } = adapter.limits
    this.#pacer = new MessagePacer(clock, messages, account, frame => this.#sent(frame))
    this.subscriptions = new Subscriptions(
      adapter,
      requestType,
      plan.instruments,
      {
        send: (frame, onSent) => this.#pacer.send(frame, onSent),
        confirmed: subscriptions => this.#confirmed(subscriptions),
        rejected: (subscriptions, reason) => this.#rejected(subscriptions, reason),
        complete: () => events.subscribed(),
        asked: (subscriptions, isAnew) => this.#observer?.asked(subscriptions, isAnew),
        numbered: () => {
          this.#isRenumbered = true
        }
      },
      clock
    )
    this.#control = new ControlFrames(adapter, this.subscriptions, {
      answered: () => this.#tellNumbers(),
      reply: frame => this.#pacer.reply(frame),
      reconnectAsked: reason => events.reconnectAsked(reason),
      fault: error => events.fault(error)
    })
    const { book } = adapter.continuity
    this.#snapshots =
      book.mode === 'delta' && book.snapshot.from === 'request'
        ? new SnapshotRequests(book.snapshot, plan.instruments, {
            nextId: () => {
              this.#observer?.tookId()
              return this.subscriptions.nextId()
            },
            send: (frame, onSent) => this.#pacer.send(frame, onSent),
            fault: error => events.fault(error)
          })
        : null
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
    this.#reader.resume()
    this.#tellNumbers()
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
    if (this.#openedMicros === 0 || this.#outlet.isPaused) return 0
    const heardMicros = Math.max(this.#socket.readMicros, this.#outlet.resumedMicros, this.#openedMicros)
    return (nowMicros - heardMicros) / 1000
  }

  /** Keeps the socket alive as the venue wants it, or ends it when it cannot be given all that it is to have. */
  heartbeat(nowMicros: number): void {
    if (this.#pacer.isOverfull && this.isOpen) {
      const message = `more than ${requestsWaitingMax} requests wait for their turn on one connection; it is dialled anew`
      this.terminate('disconnect', new IngestError('LIMIT_HIT', message))
      return
    }
    const { ping } = this.#adapter.heartbeat
    if (ping === null || this.#openedMicros === 0 || nowMicros - this.#lastPingMicros < ping.everyMs * 1000)
      return
    this.#lastPingMicros = nowMicros
    if (ping.frame === 'websocket') this.probe()
    else this.#pacer.ping(ping.frame.text)
  }

  /** Asks again for what the venue owes an answer, and returns it; a paused socket would not hear the answer. */
  askAgain(nowMicros: number): readonly number[] {
    return this.isOpen && !this.#outlet.isPaused ? this.subscriptions.askAgain(nowMicros) : []
  }

  probe(): void {
    this.#observer?.pinged()
    this.#socket.ping()
  }

  close(): void {
    this.#isClosing = true
    this.#outlet.resume()
    this.#pacer.stop()
    this.#socket.close()
  }

  terminate(reason: GapReason, error: IngestError): void {
    this.#lossReason = reason
    this.#socket.terminate(error)
  }

  /** The book of a subscription is to be sent as a whole: by a request, or else by subscribing it anew. */
  wantSnapshot(subscription: number, requests: number): void {
    if (!this.isOpen) return
    if (this.#snapshots === null) this.subscriptions.resubscribe([subscription])
    else this.#snapshots.want(subscription, requests)
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
    if (this.#context === null) return []
    const messages: ToProducer[] = [{ type: 'context', context: this.#context }]
    const resumed = this.#events.resumption(true)
    const notices: (SessionNotice | null)[] = [
      { type: 'opened', atMicros: this.#openedMicros, previous },
      resumed
    ]
    const subscriptions = this.subscriptions.confirmed
    if (subscriptions.length > 0) {
      notices.push({ type: 'confirmed', subscriptions, atMicros: this.#clock.nowMicros() })
    }
    for (const notice of notices) {
      if (notice !== null) messages.push({ type: 'notice', connection, notice })
    }
    // Snapshots that came in the stream went to the producer before. A replay cannot ask for others.
    if (resumed !== null && this.#restsOnStream()) this.subscriptions.resubscribe(subscriptions)
    return messages
  }

  creditExhausted(): void {
    if (this.isOpen && !this.#isClosing) this.#outlet.pause(this.#socket)
  }

  creditReopened(): void {
    this.#outlet.resume()
    const touched = this.#outlet.endShedding()
    if (!this.#restsOnStream() || !this.isOpen || this.#isClosing) return
    this.subscriptions.resubscribe(touched ?? this.subscriptions.confirmed)
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
    if (this.#isBroken) return
    const readMicros = this.#socket.readMicros
    if (this.#observer !== null) this.#observer.frame(received, readMicros)
    const reader = this.#reader
    const error = reader.read(received)
    if (error?.code === 'FRAMES_LOST') {
      // What follows a hole must not be delivered, or the hole would lie before the gap that declares it.
      this.#isBroken = true
      this.terminate('sequence', error)
      return
    }
    this.#count(received.length, readMicros)
    const frameSeq = ++this.#frameSeq
    if (error !== null) {
      // The codec makes a dead letter of it, and the gap that belongs to it.
      this.#events.fault(error)
      this.#outlet.take(received, readMicros, frameSeq, unknownSubscription, FrameKind.garbled)
      return
    }
    const { frame, frameClass, subscription } = reader
    if (frameClass === FrameClass.alive) {
      this.#values[controlAt] = this.#values[controlAt]! + 1
      return
    }
    if (frameClass !== FrameClass.data) {
      if (this.#control.take(frame, frameClass)) this.#values[controlAt] = this.#values[controlAt]! + 1
      // What is neither control nor data at first sight goes to the codec to be judged.
      else this.#outlet.take(frame, readMicros, frameSeq, unknownSubscription, FrameKind.stream)
      return
    }
    if (this.firstDataMicros === 0) {
      this.firstDataMicros = readMicros
      this.#events.firstData()
    }
    this.lastDataMicros = readMicros
    if (subscription >= 0 && this.subscriptions.states[subscription] === SubscriptionState.wanted) {
      this.subscriptions.dataFor(subscription)
    }
    this.#outlet.take(frame, readMicros, frameSeq, subscription, FrameKind.stream)
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
    this.#outlet.resume()
    this.#outlet.endShedding()
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

  #tellNumbers(): void {
    if (!this.#isRenumbered) return
    this.#isRenumbered = false
    this.#reader.renumber(this.subscriptions.channelIds)
    this.#sendContext()
  }

  #sendContext(): void {
    const { connection, connectionId, target, shard, targetIndex, instruments, projection } = this.plan
    const context: ConnectionContext = {
      connection,
      version: (this.#context?.version ?? 0) + 1,
      connectionId,
      target,
      shard,
      targetIndex,
      instruments,
      projection,
      channelIds: { ...this.subscriptions.channelIds }
    }
    this.#context = context
    this.#batcher.context(this.lane, context)
  }

  #notice(notice: SessionNotice): void {
    this.#batcher.notice(this.lane, notice)
  }

  /**
   * Whether only another subscription brings another snapshot of a book. Whole books heal with their next frame, books whose
   * snapshots are fetched or asked for when the producer wants one.
   */
  #restsOnStream(): boolean {
    const { book } = this.#adapter.continuity
    const isBook = this.plan.target.request_type === 'orderbook'
    return isBook && book.mode === 'delta' && book.snapshot.from === 'stream'
  }
}
