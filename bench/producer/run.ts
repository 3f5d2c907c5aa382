import { type CompressionName, type ProducerProfile } from '../../src/domain/producer-tuning.ts'

/** One run of one producer, as its process is told. */
export interface ProducerRun {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly compression: CompressionName
  /** Bounds of ours for a profile as it is; null for plain linger and batch size. */
  readonly profile: ProducerProfile | null
  readonly lingerMs: number
  readonly batchBytes: number
  /** Null is flat out. */
  readonly recordsPerS: number | null
  readonly warmUpMs: number
  readonly measureMs: number
  /** Whether the time from append to acknowledgement of each record is taken; it costs the producer something. */
  readonly timesRecords: boolean
  readonly recordsFile: string
}

/** What happened in the window behind the warm-up. */
export interface ProducerReading {
  /** Acknowledged. */
  readonly records: number
  readonly cpuMicros: number
  readonly elapsedMs: number
  /** All of the run: the topic must hold as many. */
  readonly acknowledged: number
  /** Since the beginning: a producer that loses records was not measured. */
  readonly failed: number
  /** Why the first of them failed. */
  readonly fault: string | null
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly p999: number } | null
}

/** Process of a producer → bench. */
export type ProducerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'window' }
  | { readonly type: 'reading'; readonly reading: ProducerReading }
  | { readonly type: 'failed'; readonly reason: string }
