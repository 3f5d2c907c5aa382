import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { LossTally } from '../sinks/loss-tally.ts'
import { type Outcome, type Route, type SinkListener } from '../sinks/record-sink.ts'
import { type Batch, batchHeaderBytes } from './batch.ts'
import { BatchPool } from './batch-pool.ts'
import { type Codec, codecOf } from './compression.ts'
import { Partition } from './partition.ts'
import { QueuedBatch } from './queued-batch.ts'

export interface AccumulatorListener {
  /** A partition that was not seen before. */
  learned(partition: Partition): void
  /** A batch was opened: its first record begins to wait. */
  opened(partition: Partition, batch: Batch): void
  /** A batch is full, and may go without waiting. */
  filled(partition: Partition): void
  /** Nothing is pending any more. */
  emptied(): void
}

/** Of the buffer: from here on batches are sent without waiting for more records. */
const shortShare = 0.75

/**
 * Gathers records into batches, one open batch per partition. A batch closes when it is full; else the open one grows until
 * the sender takes it, so that an outage makes few large batches. Knows what is pending from append to settlement.
 */
export class Accumulator {
  readonly partitions: Partition[] = []
  readonly #tuning: ProducerTuning
  readonly #sink: SinkListener
  readonly #listener: AccumulatorListener
  readonly #pool: BatchPool
  readonly #codecs = new Map<string, Codec>()
  readonly #routes: (Route | undefined)[] = []
  readonly #byRoute: (Partition | undefined)[] = []
  readonly #byName = new Map<string, Partition>()
  #pendingRecords = 0
  #pendingBytes = 0

  constructor(tuning: ProducerTuning, sink: SinkListener, listener: AccumulatorListener) {
    this.#tuning = tuning
    this.#sink = sink
    this.#listener = listener
    this.#pool = new BatchPool(tuning.batchBytes)
    // A codec that is not there must be told at the start, not with the first batch.
    for (const name of [tuning.compression, ...Object.values(tuning.compressionByTopic)]) {
      this.#codecs.set(name, codecOf(name))
    }
  }

  get pendingRecords(): number {
    return this.#pendingRecords
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get bufferedBytes(): number {
    return this.#pool.bytesInUse
  }

  get isFull(): boolean {
    return this.#pool.bytesInUse >= this.#tuning.bufferBytes
  }

  get isShort(): boolean {
    return this.#pool.bytesInUse >= shortShare * this.#tuning.bufferBytes
  }

  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    headers?: Uint8Array
  ): void {
    let partition = this.#byRoute[route.id]
    if (partition === undefined || this.#routes[route.id] !== route) partition = this.#learn(route)
    const batch = partition.open ?? this.#openBatch(partition)
    const before = batch.size
    if (batch.append(route, bytes, start, end, receivedMicros, owner, headers)) {
      this.#pendingRecords++
      this.#pendingBytes += batch.size - before
      return
    }
    this.#close(partition, 'full')
    const next = this.#openBatch(partition)
    next.append(route, bytes, start, end, receivedMicros, owner, headers)
    this.#pendingRecords++
    this.#pendingBytes += next.size - batchHeaderBytes
    this.#listener.filled(partition)
  }

  /** The partition's first batch, closed and sealed; an open one is closed for `reason`. Null when nothing waits. */
  first(partition: Partition, reason: FlushReason): QueuedBatch | null {
    if (partition.queue.length === 0) {
      if (partition.open === null) return null
      this.#close(partition, reason)
    }
    const queued = partition.queue[0]!
    if (!queued.batch.isSealed) queued.batch.seal(partition.codec)
    return queued
  }

  /** The first batch has reached its end. */
  settleFirst(partition: Partition, outcome: Outcome): void {
    this.#settle(partition.queue.shift()!.batch, outcome)
  }

  /** Fails the first batch, telling each route's loss first, so that it can be declared. */
  failFirst(partition: Partition, reason: string): void {
    this.#tellLosses([partition.queue[0]!.batch], reason)
    this.settleFirst(partition, 'failed')
  }

  /** Fails the first batch because Kafka will never take its records: these are handed out as they are. */
  refuseFirst(partition: Partition, reason: string): void {
    this.#tellRefused(partition.queue[0]!.batch, reason)
    this.failFirst(partition, reason)
  }

  /** Puts the halves of the first batch in its place. */
  splitFirst(partition: Partition): void {
    const { batch, reason } = partition.queue[0]!
    const before = batch.size - batchHeaderBytes
    const parts = batch.split(this.#pool)
    partition.queue.splice(0, 1, ...parts.map(part => new QueuedBatch(part, reason)))
    for (const part of parts) this.#pendingBytes += part.size - batchHeaderBytes
    this.#pendingBytes -= before
  }

  /** Refuses the records of the first batch that stand in these rows; the others take its place. */
  refuseRows(partition: Partition, rows: ReadonlySet<number>, reason: string): void {
    const { batch, reason: flushReason } = partition.queue[0]!
    const before = batch.size - batchHeaderBytes
    const parts = batch.split(this.#pool, rows)
    for (const part of parts) this.#pendingBytes += part.size - batchHeaderBytes
    this.#pendingBytes -= before
    let row = 0
    const [good, bad]: [Batch[], Batch[]] = [[], []]
    for (const part of parts) {
      if (rows.has(row)) bad.push(part)
      else good.push(part)
      row += part.count
    }
    partition.queue.splice(0, 1, ...good.map(part => new QueuedBatch(part, flushReason)))
    for (const part of bad) this.#tellRefused(part, reason)
    this.#tellLosses(bad, reason)
    for (const part of bad) this.#settle(part, 'failed')
  }

  /** Closes the open batch behind the others, so that it can be settled like them. */
  closeOpen(partition: Partition, reason: FlushReason): void {
    if (partition.open !== null) this.#close(partition, reason)
  }

  /** Fails all that waits at this moment. What the listener appends meanwhile, to declare the loss, comes after it. */
  failAll(reason: string): void {
    const batches: Batch[] = []
    for (const partition of this.partitions) {
      this.closeOpen(partition, 'drain')
      for (const { batch } of partition.queue.splice(0)) batches.push(batch)
    }
    if (batches.length === 0) return
    this.#tellLosses(batches, reason)
    for (const batch of batches) this.#settle(batch, 'failed')
  }

  #learn(route: Route): Partition {
    const { id, topic, partition: number } = route
    const name = `${topic}/${number}`
    let partition = this.#byName.get(name)
    if (partition === undefined) {
      const { compression, compressionByTopic } = this.#tuning
      const codec = this.#codecs.get(compressionByTopic[topic] ?? compression)!
      partition = new Partition(topic, number, codec, this.#tuning)
      this.#byName.set(name, partition)
      this.partitions.push(partition)
      this.#listener.learned(partition)
    }
    this.#routes[id] = route
    this.#byRoute[id] = partition
    return partition
  }

  #openBatch(partition: Partition): Batch {
    const batch = this.#pool.take(partition.tuner.fill * this.#tuning.batchBytes)
    batch.createdMs = performance.now()
    partition.open = batch
    this.#listener.opened(partition, batch)
    return batch
  }

  #close(partition: Partition, reason: FlushReason): void {
    partition.queue.push(new QueuedBatch(partition.open!, reason))
    partition.open = null
  }

  #settle(batch: Batch, outcome: Outcome): void {
    this.#pendingRecords -= batch.count
    this.#pendingBytes -= batch.size - batchHeaderBytes
    this.#sink.settled(batch.owners, batch.receivedMicros, batch.count, outcome)
    this.#pool.release(batch)
    if (this.#pendingRecords === 0) this.#listener.emptied()
  }

  #tellRefused(batch: Batch, reason: string): void {
    const { routes, receivedMicros, count } = batch
    const values = batch.values()
    for (let row = 0; row < count; row++) {
      this.#sink.refused(this.#routes[routes[row]!]!, values[row]!, receivedMicros[row]!, reason)
    }
  }

  #tellLosses(batches: readonly Batch[], reason: string): void {
    const tally = new LossTally()
    for (const { routes, receivedMicros, count } of batches) {
      for (let row = 0; row < count; row++) tally.add(this.#routes[routes[row]!]!, receivedMicros[row]!)
    }
    tally.tell(this.#sink, reason)
  }
}
