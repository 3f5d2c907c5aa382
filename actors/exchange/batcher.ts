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
import { type Lane, type LaneOwner, newLane } from './lane.ts'

const heldAt = frameFieldAt('held')
const handedOverAt = frameFieldAt('handedOver')
const shedAt = frameFieldAt('shed')
const messagesGivenUpAt = frameFieldAt('messagesGivenUp')

/** The way to a producer: its port, or what stands in for it. */
export type ProducerPort = Pick<MessagePort, 'postMessage'>

/**
 * Contexts, notices and batches that may wait for a producer: connections that come and go make some at every dial. Room
 * for what all connections of a large process bring in the minutes in which a producer that fails is started anew.
 */
const messagesWaitingMax = 65_536

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
  /** Messages in all outboxes. */
  #waiting = 0
  #port: ProducerPort | null = null
  #timer: unknown = null
  /** Producers that were lost so far, with those that never came. A connection that outlives one must tell the next where its data broke off. */
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
    const writer = new FrameBatchWriter(connection, this.#batchBytes)
    const lane = newLane({ connection, writer, credits, values: account.values, owner })
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

  /**
   * Whether a frame would go beyond the overdraft as well, which the connections of a shard have together: it is to be
   * shed. The connection is told when there is credit again.
   */
  isOverdrawn(lane: Lane): boolean {
    if (!lane.credits.isOverdrawn(lane.writer.bytes)) return false
    lane.isExhausted = true
    this.#exhausted.add(lane)
    return true
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
    this.#waiting = 0
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
    this.#makeRoom()
    this.#note(lane)
    this.#waiting++
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
      this.#makeRoom()
      this.#waiting++
      lane.outbox.push(message)
      return
    }
    lane.isIntroduced = true
    this.#port.postMessage(message)
  }

  /**
   * No producer comes. What waits for it is given up as if one had died with it: its frames are shed, and every connection
   * tells the next producer that its data broke off. Whoever is paused or sheds goes on so until there is one.
   */
  #makeRoom(): void {
    if (this.#waiting < messagesWaitingMax) return
    this.#waiting = 0
    this.epoch++
    for (const lane of this.#lanes.values()) {
      const { values, outbox } = lane
      values[messagesGivenUpAt] = values[messagesGivenUpAt]! + outbox.length
      for (const message of outbox.splice(0)) {
        if (message.type !== 'batches') continue
        const frames = framesOf(message.buffers)
        values[heldAt] = values[heldAt]! - frames
        values[shedAt] = values[shedAt]! + frames
      }
      lane.isIntroduced = true
      lane.credits.reset()
      lane.underWay.length = 0
      this.#forget(lane)
    }
  }

  #post(lane: Lane, message: ToProducer): void {
    if (message.type !== 'batches') {
      this.#port!.postMessage(message)
      return
    }
    const { values } = lane
    const frames = framesOf(message.buffers)
    values[heldAt] = values[heldAt]! - frames
    values[handedOverAt] = values[handedOverAt]! + frames
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

function framesOf(buffers: readonly ArrayBuffer[]): number {
  return buffers.reduce((sum, buffer) => sum + new FrameBatch(buffer).frames, 0)
}
