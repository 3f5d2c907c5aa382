import { type FrameLedger, type RecordLedger } from './ledger.ts'
import { type PartitionActivity } from './partition-activity.ts'
import { type CompressionName, type ProducerProfile } from './producer-tuning.ts'
import { type Truth } from './truth.ts'

export interface LatencySummary {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export interface TargetSummary {
  /** `exchange/request_type` */
  readonly target: string
  readonly state: string
  readonly symbols: number
  readonly records: number
  readonly latency_ms: LatencySummary
}

/** What the producer did in a run, over all partitions and for each. */
export interface ProducerSummary {
  readonly profile: ProducerProfile
  readonly compression: CompressionName
  /** Acknowledged batches and their records; bytes before compression and as sent. */
  readonly batches: number
  readonly records: number
  readonly records_per_batch: number
  readonly bytes: number
  readonly wire_bytes: number
  /** How many times smaller the batches were on the wire. */
  readonly compression_ratio: number
  /** Produce requests, and attempts of batches beyond their first. */
  readonly requests: number
  readonly retries: number
  readonly partitions: readonly PartitionActivity[]
}

/** What a run has captured of its raw frames. */
export interface CaptureSummary {
  readonly folder: string
  readonly frames: number
  /** Of the frames, and of the files. */
  readonly raw_bytes: number
  readonly file_bytes: number
  readonly segments: number
  /** Frames that are not in the capture because writing could not keep up; the capture says where. */
  readonly dropped: number
  /** Why the capture ended before the run did; null when it did not. */
  readonly stopped: string | null
}

/** What a replay has fed. */
export interface ReplaySummary {
  readonly connections: number
  readonly frames: number
  /** Frames that the capture says it has not. */
  readonly missing: number
  /** Times of the first and the last entry in microseconds; 0 when there was none. */
  readonly first_ts: number
  readonly last_ts: number
  /** What the files lack, in sentences: torn ends, damaged blocks. */
  readonly remarks: readonly string[]
}

/** SHA-256 over all records of one key, each with its length, in their order. */
export interface KeyDigest {
  readonly topic: string
  readonly key: string
  readonly records: number
  readonly sha256: string
}

/** What a bounded run prints at its end. Latency is from the socket read to the sink's acknowledgement. */
export interface Summary {
  readonly duration_ms: number
  readonly exchanges: number
  readonly targets: number
  readonly symbols: number
  readonly frames: FrameLedger
  readonly records: RecordLedger
  /** Records the sink gave up on, or had not acknowledged at the deadline of the drain; each lies in a gap. */
  readonly undelivered: number
  readonly gaps: { readonly opened: number; readonly closed: number; readonly open: number }
  readonly events_per_s: { readonly asked: number | 'max' | null; readonly reached: number }
  readonly reconnects: number
  readonly latency_ms: LatencySummary
  readonly cpu_us_per_record: number
  readonly rss_mb: number
  readonly per_target: readonly TargetSummary[]
  /** Null when the records went into the log inside the process. */
  readonly producer: ProducerSummary | null
  readonly truth: Truth | null
  readonly capture: CaptureSummary | null
  readonly replay: ReplaySummary | null
  /** Of the keys of the data topics; null when they were not asked for. */
  readonly digests: readonly KeyDigest[] | null
}
