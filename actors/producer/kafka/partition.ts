import { type ProducerId } from '../../../src/bus/cluster-client.ts'
import { Histogram } from '../../../src/core/histogram.ts'
import { type FlushReason, type PartitionActivity } from '../../../src/domain/partition-activity.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { type Batch } from './batch.ts'
import { type Codec } from './compression.ts'
import { type QueuedBatch } from './queued-batch.ts'
import { Tuner } from './tuner.ts'

/** Sequence numbers are non-negative 32-bit integers and begin again at 0. */
const sequenceMask = 0x7fffffff

/** What waits for one partition, in order, and how it is numbered: at most its first batch is on its way. */
export class Partition {
  readonly topic: string
  readonly topicBytes: Uint8Array
  readonly partition: number
  readonly codec: Codec
  readonly tuner: Tuner
  /** Closed batches; the first is the one on its way, if any is. */
  readonly queue: QueuedBatch[] = []
  /** The batch that records are appended to. */
  open: Batch | null = null
  isInFlight = false
  /** Node id of its leader; null while that is not known. */
  leader: number | null = null
  /** Failed attempts since the last success. */
  failures = 0
  /** Monotonic milliseconds before which nothing is sent. */
  notBeforeMs = 0
  identity: ProducerId | null = null
  /** The identity's numbering has a hole or an open end: the next batch needs another one. */
  mustRenew = false
  sequence = 0
  batches = 0
  records = 0
  bytes = 0
  wireBytes = 0
  retries = 0
  lastFlush: FlushReason | null = null
  /** In force at its broker when its last batch left. */
  lingerMs: number
  /** Microseconds from a batch's first record to its acknowledgement, in the current window. */
  #ackMicros = new Histogram()
  #acks = 0

  constructor(topic: string, partition: number, codec: Codec, tuning: ProducerTuning) {
    this.topic = topic
    this.topicBytes = new TextEncoder().encode(topic)
    this.partition = partition
    this.codec = codec
    this.tuner = new Tuner(tuning)
    this.lingerMs = this.tuner.lingerMs
  }

  get isEmpty(): boolean {
    return this.open === null && this.queue.length === 0
  }

  /** When the first record that waits or is on its way came; Infinity without any. */
  get oldestMs(): number {
    const first = this.queue.length > 0 ? this.queue[0]!.batch : this.open
    return first === null ? Number.POSITIVE_INFINITY : first.createdMs
  }

  get bufferedBytes(): number {
    let bytes = this.open?.capacity ?? 0
    for (const { batch } of this.queue) bytes += batch.capacity
    return bytes
  }

  /** Begins anew at 0 under a producer id that this partition has not used before. */
  renumber(identity: ProducerId): void {
    this.identity = identity
    this.sequence = 0
    this.mustRenew = false
    for (const queued of this.queue) queued.isStamped = false
  }

  /** Writes the numbers into the first batch; an attempt that repeats it changes nothing. */
  stamp(queued: QueuedBatch): void {
    if (queued.isStamped) return
    const { id, epoch } = this.identity!
    queued.batch.stamp(id, epoch, this.sequence)
    queued.isStamped = true
  }

  /** The first batch is in the log. */
  acknowledged({ batch, attempts }: QueuedBatch, nowMs: number): void {
    this.sequence = (this.sequence + batch.count) & sequenceMask
    this.failures = 0
    this.notBeforeMs = 0
    this.batches++
    this.records += batch.count
    this.bytes += batch.size
    this.wireBytes += batch.wireBytes
    this.retries += attempts - 1
    this.#ackMicros.record((nowMs - batch.createdMs) * 1_000)
    this.#acks++
  }

  activity(nowMs: number, startsWindow: boolean): PartitionActivity {
    const acks = this.#ackMicros
    const hasAcks = this.#acks > 0
    const activity = {
      topic: this.topic,
      partition: this.partition,
      batches: this.batches,
      records: this.records,
      bytes: this.bytes,
      wire_bytes: this.wireBytes,
      retries: this.retries,
      linger_ms: this.lingerMs,
      fill: this.tuner.fill,
      records_per_s: this.tuner.recordsPerSecond(nowMs),
      last_flush: this.lastFlush,
      buffered_bytes: this.bufferedBytes,
      ack_ms_p50: hasAcks ? acks.quantile(0.5) / 1_000 : null,
      ack_ms_p99: hasAcks ? acks.quantile(0.99) / 1_000 : null
    }
    if (startsWindow && hasAcks) {
      this.#ackMicros = new Histogram()
      this.#acks = 0
    }
    return activity
  }
}
