import { type KafkaAccess } from '../../../src/bus/kafka-client.ts'
import { type Logger } from '../../../src/core/logger.ts'
import { type PartitionActivity } from '../../../src/domain/partition-activity.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { type Accumulator } from '../kafka/accumulator.ts'
import { Sender } from '../kafka/sender.ts'
import { type RecordSink, type Route, type SinkListener } from './record-sink.ts'

export interface KafkaSinkOptions {
  readonly access: KafkaAccess
  readonly tuning: ProducerTuning
  /** Without an answer for so long, a connection is given up and its requests are sent again. */
  readonly requestTimeoutMs?: number
}

const requestTimeoutMs = 10_000

/**
 * Writes to Kafka: acks from all replicas, idempotent, in order, in batches that are encoded as the records come. While
 * Kafka does not take records they wait in order for as long as the delivery timeout lets them; `isFull` bounds them.
 */
export class KafkaSink implements RecordSink {
  readonly #sender: Sender
  readonly #accumulator: Accumulator

  /**
   * @throws IngestError CONFIG_INVALID for a compression that is not to be had here, FILE_UNREADABLE for a PEM file
   */
  constructor(options: KafkaSinkOptions, listener: SinkListener, logger: Logger) {
    this.#sender = new Sender({ requestTimeoutMs, ...options }, listener, logger)
    this.#accumulator = this.#sender.accumulator
  }

  get pendingRecords(): number {
    return this.#accumulator.pendingRecords
  }

  get pendingBytes(): number {
    return this.#accumulator.pendingBytes
  }

  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes
  }

  get isFull(): boolean {
    return this.#accumulator.isFull
  }

  get requests(): number {
    return this.#sender.requests
  }

  /** Resolves when Kafka has answered or failed for the first time: it may be away at the start, and is awaited. */
  open(): Promise<void> {
    return this.#sender.open()
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
    this.#accumulator.append(route, bytes, start, end, receivedMicros, owner, headers)
  }

  drain(deadlineMs: number): Promise<void> {
    return this.#sender.drain(deadlineMs)
  }

  async close(): Promise<void> {
    this.#sender.close()
  }

  activity(startsWindow: boolean): readonly PartitionActivity[] {
    const nowMs = performance.now()
    return this.#accumulator.partitions.map(partition => partition.activity(nowMs, startsWindow))
  }
}
