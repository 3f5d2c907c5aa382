import { type MessagePort } from 'node:worker_threads'
import { type Clock } from '../../src/core/clock.ts'
import { CreditPool, Credits } from '../../src/core/credits.ts'
import { FrameBatch, FrameBatchWriter, type FrameKind } from '../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type SessionNotice,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { type FrameAccount, frameFieldAt } from '../../src/wire/shared-ledger.ts'

const heldAt = frameFieldAt('held')
const handedOverAt = frameFieldAt('handedOver')

/** The way to a producer: its port, or what stands in for it. */
export type ProducerPort = Pick<MessagePort, 'postMessage'>

/** What a connection tells a producer that has not seen it yet. */
export interface LaneOwner {
  /** Contexts and notices that make a new producer know this connection as it stands. */
  introduce(): readonly ToProducer[]
  /** No credit is left. */
  creditExhausted(): void
  creditReopened(): void
}

/** One connection's way to the producer. Everything on it arrives in the order in which it was put in. */
export interface Lane {
  readonly connection: number
  readonly writer: FrameBatchWriter
  readonly credits: Credits
  readonly values: Float64Array
  readonly owner: LaneOwner
  /** What waits for a producer, while there is none. */
  readonly outbox: ToProducer[]
  contextVersion: number
  /** Whether some producer, perhaps a dead one, knows this connection. */
  isIntroduced: boolean
  isPending: boolean
  isExhausted: boolean
  isClosed: boolean
  /** The last frame that was appended, and when it was received. */
  lastFrameSeq: number
  lastMicros: number
  /** Last frames of the batches on their way, the oldest first. */
  readonly underWay: { readonly frameSeq: number; readonly micros: number }[]
  /** The last settled frame, and when it was received; 0 before the first. */
  settledFrameSeq: number
  settledMicros: number
}

/**
 * Frames of all connections of a thread on their way to the producer: a batch per connection, and one timer and one
 * message for all batches that are due. Without a producer everything waits here, within the connections' credits.
 */
export class Batcher {
  readonly #clock: Clock
  readonly #batchBytes: number
  readonly #lingerMs: number
  readonly #creditBytes: number
  readonly #pool: CreditPool
  /** One window for each shard: connections that follow each other share it, or every reconnect would bring new credit. */
  readonly #credits = new Map<FrameAccount, Credits>()
  readonly #exhausted = new Set<Lane>()
  readonly #lanes = new Map<number, Lane>()
  readonly #pending: Lane[] = []
  #port: ProducerPort | null = null
  #timer: unknown = null
  /** Producers that were lost so far. A connection that outlives one must tell the next where its data broke off. */
  epoch = 0

  /** @param options `creditBytes` of each shard's own, and `poolBytes` that all of them may borrow from */
  constructor(options: {
    clock: Clock
    batchBytes: number
    lingerMs: number
    creditBytes: number
    poolBytes: number
  }) {
    this.#clock = options.clock
    this.#batchBytes = options.batchBytes
    this.#lingerMs = options.lingerMs
    this.#creditBytes = options.creditBytes
    this.#pool = new CreditPool(options.poolBytes)
  }

  open(connection: number, account: FrameAccount, owner: LaneOwner): Lane {
    const credits = this.#credits.get(account) ?? new Credits(this.#creditBytes, this.#pool)
    this.#credits.set(account, credits)
    const lane: Lane = {
      connection,
      writer: new FrameBatchWriter(connection, this.#batchBytes),
      credits,
      values: account.values,
      owner,
      outbox: [],
      contextVersion: 0,
      isIntroduced: false,
      isPending: false,
      isExhausted: false,
      isClosed: false,
      lastFrameSeq: 0,
      lastMicros: 0,
      underWay: [],
      settledFrameSeq: 0,
      settledMicros: 0
    }
    this.#lanes.set(connection, lane)
    return lane
  }

  append(
    lane: Lane,
    frame: Uint8Array,
    receivedMicros: number,
    frameSeq: number,
    subscription: number,
    kind: FrameKind
  ): void {
    const { writer, values } = lane
    if (writer.isFullFor(frame.length) && this.#port !== null) this.#ship(lane)
    writer.append(frame, receivedMicros, frameSeq, subscription, kind)
    lane.lastFrameSeq = frameSeq
    lane.lastMicros = receivedMicros
    values[heldAt] = values[heldAt]! + 1
    if (!lane.isPending) this.#await(lane)
    if (!lane.isExhausted && lane.credits.isExhausted(writer.bytes)) {
      lane.isExhausted = true
      this.#exhausted.add(lane)
      lane.owner.creditExhausted()
    }
  }

  context(lane: Lane, context: ConnectionContext): void {
    this.#takeBatch(lane)
    lane.contextVersion = context.version
    this.#send(lane, { type: 'context', context })
  }

  /** Puts a fact in its place among the connection's frames. */
  notice(lane: Lane, notice: SessionNotice): void {
    this.#takeBatch(lane)
    this.#send(lane, { type: 'notice', connection: lane.connection, notice })
  }

  /** Hands over what a connection has collected so far, so that what another of its shard brings comes after it. */
  handOver(lane: Lane): void {
    this.#takeBatch(lane)
  }

  /** The connection has ended; nothing comes after its last notice. */
  close(lane: Lane): void {
    this.#takeBatch(lane)
    lane.isClosed = true
    this.#forget(lane)
  }

  settled(connection: number, bytes: number, frameSeq: number): void {
    const lane = this.#lanes.get(connection)
    if (lane === undefined) return
    const { underWay } = lane
    while (underWay.length > 0 && underWay[0]!.frameSeq <= frameSeq) {
      const batch = underWay.shift()!
      lane.settledFrameSeq = batch.frameSeq
      lane.settledMicros = batch.micros
    }
    lane.credits.refund(bytes)
    // What one gives back may be what another waits for.
    for (const exhausted of this.#exhausted) this.#reopen(exhausted)
    this.#forget(lane)
  }

  /** The producer is gone: what was handed over will never be settled. */
  detach(): void {
    if (this.#port === null) return
    this.#port = null
    this.epoch++
    for (const lane of this.#lanes.values()) {
      lane.credits.reset()
      lane.underWay.length = 0
      this.#forget(lane)
    }
  }

  /** A producer takes over: it is told of every connection, then gets what has waited for it. */
  attach(port: ProducerPort): void {
    this.detach()
    this.#port = port
    for (const lane of [...this.#lanes.values()]) {
      if (lane.isIntroduced) for (const message of lane.owner.introduce()) port.postMessage(message)
      lane.isIntroduced = true
      for (const message of lane.outbox.splice(0)) this.#post(lane, message)
      this.#takeBatch(lane)
      this.#reopen(lane)
      this.#forget(lane)
    }
  }

  /** Hands over everything and marks the end, for a producer that drains. */
  drain(): void {
    this.#flush()
    this.#port?.postMessage({ type: 'drain' } satisfies ToProducer)
  }

  #await(lane: Lane): void {
    lane.isPending = true
    this.#pending.push(lane)
    this.#timer ??= this.#clock.setTimeout(() => this.#flush(), this.#lingerMs)
  }

  /** Everything that waits, in one message. */
  #flush(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
    // Without a producer the frames stay in their writers; attaching a new one takes them.
    const buffers: ArrayBuffer[] = []
    for (const lane of this.#pending) {
      lane.isPending = false
      if (this.#port !== null && lane.writer.frames > 0) buffers.push(this.#take(lane))
    }
    this.#pending.length = 0
    if (buffers.length > 0)
      this.#port?.postMessage({ type: 'batches', buffers } satisfies ToProducer, buffers)
  }

  #ship(lane: Lane): void {
    const buffers = [this.#take(lane)]
    this.#port?.postMessage({ type: 'batches', buffers } satisfies ToProducer, buffers)
  }

  #takeBatch(lane: Lane): void {
    if (lane.writer.frames === 0) return
    if (this.#port !== null) {
      this.#ship(lane)
      return
    }
    this.#note(lane)
    lane.outbox.push({ type: 'batches', buffers: [lane.writer.take(lane.contextVersion)] })
  }

  /** Takes the batch and moves its frames and bytes from what we hold to what is handed over. */
  #take(lane: Lane): ArrayBuffer {
    const { writer, values } = lane
    const frames = writer.frames
    this.#note(lane)
    values[heldAt] = values[heldAt]! - frames
    values[handedOverAt] = values[handedOverAt]! + frames
    return writer.take(lane.contextVersion)
  }

  #note(lane: Lane): void {
    lane.credits.debit(lane.writer.bytes)
    lane.underWay.push({ frameSeq: lane.lastFrameSeq, micros: lane.lastMicros })
  }

  #send(lane: Lane, message: ToProducer): void {
    if (this.#port === null) {
      lane.outbox.push(message)
      return
    }
    lane.isIntroduced = true
    this.#port.postMessage(message)
  }

  #post(lane: Lane, message: ToProducer): void {
    if (message.type !== 'batches') {
      this.#port!.postMessage(message)
      return
    }
    const { values } = lane
    for (const buffer of message.buffers) {
      const { frames } = new FrameBatch(buffer)
      values[heldAt] = values[heldAt]! - frames
      values[handedOverAt] = values[handedOverAt]! + frames
    }
    this.#port!.postMessage(message, [...message.buffers])
  }

  /** A closed lane stays until its last batch is settled, so that its owner knows how far it came. */
  #forget(lane: Lane): void {
    if (!lane.isClosed || lane.outbox.length > 0 || lane.underWay.length > 0) return
    this.#lanes.delete(lane.connection)
    this.#exhausted.delete(lane)
  }

  #reopen(lane: Lane): void {
    if (!lane.isExhausted || !lane.credits.isReopened(lane.writer.bytes)) return
    lane.isExhausted = false
    this.#exhausted.delete(lane)
    lane.owner.creditReopened()
  }
}
