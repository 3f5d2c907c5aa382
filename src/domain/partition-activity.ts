/** Why a batch left for the broker: full, its linger was over, the broker was idle, memory was short, or a drain. */
export const flushReasons = ['full', 'linger', 'idle', 'memory', 'drain'] as const
export type FlushReason = (typeof flushReasons)[number]

/** What the producer does for one partition. Counts are since its start. */
export interface PartitionActivity {
  readonly topic: string
  readonly partition: number
  readonly batches: number
  readonly records: number
  /** Bytes of acknowledged batches before compression, and as sent. */
  readonly bytes: number
  readonly wire_bytes: number
  /** Attempts beyond the first. */
  readonly retries: number
  /** The linger in force now. */
  readonly linger_ms: number
  /** How full the batches were that left lately, 0 to 1. */
  readonly fill: number
  readonly records_per_s: number
  readonly last_flush: FlushReason | null
  /** Waiting or on their way. */
  readonly buffered_bytes: number
  /** From a batch's first record to its acknowledgement, over the current window; null when nothing was acknowledged. */
  readonly ack_ms_p50: number | null
  readonly ack_ms_p99: number | null
}
