import { type PartitionActivity } from '../../../src/domain/partition-activity.ts'

/** Where a record goes: one per symbol and per control key, made once, so that a record names it by reference. */
export interface Route {
  readonly id: number
  readonly topic: string
  readonly partition: number
  /** UTF-8 text of the record key, and its bytes. */
  readonly key: string
  readonly keyBytes: Uint8Array
}

export type Outcome = 'published' | 'failed'

export interface SinkListener {
  /**
   * `count` records reached their fate. The arrays are only valid during the call: the owner given at `append`
   * and the receive time (µs) of each.
   */
  settled(owners: Int32Array, receivedMicros: Float64Array, count: number, outcome: Outcome): void
  /**
   * Records of one route could not be delivered, or their fate is unknown; told beside `settled` with 'failed', with the
   * receive times of the first and the last of them, so that the loss can be declared.
   */
  undelivered(route: Route, firstMicros: number, lastMicros: number, count: number, reason: string): void
  /**
   * Kafka refused this one record for good (too large for the topic, not valid), so that it becomes a dead letter. Told
   * beside `undelivered` and `settled` with 'failed', and before them; `value` is only valid during the call.
   */
  refused(route: Route, value: Uint8Array, receivedMicros: number, reason: string): void
  /** Called once per change: whether the sink takes records, and why not, in a sentence. */
  availability(isUp: boolean, message: string): void
}

/**
 * The seam between the pipeline and what keeps records. Records of one partition are kept in the order of `append`;
 * each is settled exactly once. The caller bounds what is pending (credits); a sink never drops on its own.
 */
export interface RecordSink {
  open(): Promise<void>
  /**
   * Copies `bytes[start, end)` before it returns. `owner` is handed back at settlement. `headers` are record headers as
   * `encodeHeaders` writes them; a sink whose log has none leaves them out.
   */
  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    headers?: Uint8Array
  ): void
  readonly pendingRecords: number
  /** Bytes of records that are not settled. */
  readonly pendingBytes: number
  /** Memory that these take. Above the sink's cap (`isFull`) the caller appends nothing but control records. */
  readonly bufferedBytes: number
  readonly isFull: boolean
  /** Produce requests since the start, repeated ones included; 0 where there are none. */
  readonly requests: number
  /** Sends what is waiting without lingering; resolves when all is settled, or at the deadline with what is left failed. */
  drain(deadlineMs: number): Promise<void>
  close(): Promise<void>
  /** What each partition does; `startsWindow` begins a new window for the quantiles. Empty where there are no batches. */
  activity(startsWindow: boolean): readonly PartitionActivity[]
}
