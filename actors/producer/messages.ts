import { type MessagePort } from 'node:worker_threads'
import { type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { type ErrorCode, type WireError } from '../../src/core/errors.ts'
import { type LogLevel } from '../../src/core/logger.ts'
import { type ErrorEvent } from '../../src/domain/error-event.ts'
import { type Gap, type GapReason } from '../../src/domain/gap.ts'
import { type PartitionActivity } from '../../src/domain/partition-activity.ts'
import { type ProducerTuning } from '../../src/domain/producer-tuning.ts'
import { type ExchangeName, type Target } from '../../src/domain/target.ts'

/** Where the records go. The embedded log is reached through a port of its own. */
export type SinkPlan =
  | { readonly kind: 'embedded'; readonly port: MessagePort }
  /** `kafkajs-send` is the reference that conformance suite and bench compare with. */
  | { readonly kind: 'kafka' | 'kafkajs-send'; readonly access: KafkaAccess }

/** Given to the producer thread as workerData. */
export interface ProducerPlan {
  readonly pod: string
  readonly logLevel: LogLevel
  readonly sink: SinkPlan
  readonly encoding: 'avro' | 'json'
  /** By topic, of every topic that holds Avro: what stands in front of each value. */
  readonly schemaIds: Readonly<Record<string, number>>
  /** Partition counts by topic, as they are in the sink. */
  readonly partitions: Readonly<Record<string, number>>
  readonly ledger: {
    readonly memory: SharedArrayBuffer
    readonly shards: number
    readonly targets: number
  }
  /** Where gap events wait for the next start when the sink takes no more; null keeps none. */
  readonly gapFile: string | null
  /**
   * Whether it looks for silent channels and for snapshots that are owed. Not in a replay: what was asked for then is in the
   * capture, and a look at the time of day would make the records depend on it.
   */
  readonly looksForSilence: boolean
  /** Gaps of a producer that died, of whose end the sink is not known to have heard. */
  readonly openGaps: readonly Gap[]
  readonly tuning: ProducerTuning
  readonly codecs: number
  readonly offload: 'busy' | 'always'
  /** Whose frames will come: the codecs are warmed up for them. */
  readonly exchanges: readonly ExchangeName[]
  readonly limits: {
    readonly inlineBytesMax: number
    readonly tradeIdsPerSymbol: number
    readonly bookPendingBytes: number
    readonly bookLevelsMax: number
    readonly handOverBytes: number
    readonly deadLettersPerSecond: number
    readonly creditBytes: number
    readonly controlReserveBytes: number
  }
}

/** main → producer */
export type ProducerOrder =
  /** The direct port of a connection thread. */
  | { readonly type: 'port'; readonly thread: number; readonly port: MessagePort }
  /** Publish an error of another thread. */
  | { readonly type: 'error'; readonly event: ErrorEvent }
  /** Settle everything; `threads` connection threads will each say that they have sent their last. */
  | { readonly type: 'drain'; readonly threads: number; readonly deadlineMs: number }

export interface OpenGapCount {
  readonly target: Target
  readonly open: number
}

export interface ProducerStats {
  readonly gaps: { readonly opened: number; readonly closed: number; readonly open: number }
  readonly openByTarget: readonly OpenGapCount[]
  readonly gapsByReason: Readonly<Partial<Record<GapReason, number>>>
  readonly sink: {
    readonly isUp: boolean
    readonly message: string
    readonly pendingRecords: number
    readonly pendingBytes: number
    readonly bufferedBytes: number
    readonly requests: number
  }
  /** Raw bytes of frames that wait for the codec, or for the sink to have memory again. */
  readonly undecodedBytes: number
  /** Times at which the wall clock had moved against the monotonic one. */
  readonly clockJumps: number
  readonly partitionActivity: readonly PartitionActivity[]
  readonly deadLetters: { readonly published: number; readonly suppressed: number }
  readonly deadByCode: Readonly<Partial<Record<ErrorCode, number>>>
  readonly undelivered: number
  readonly offloaded: number
  readonly inlined: number
  /** How often each limit of the configuration was hit: frames, updates or letters that went because of it. */
  readonly limitHits: Readonly<Record<string, number>>
}

/** producer → main */
export type ProducerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'stats'; readonly stats: ProducerStats }
  /** Told when it is opened, and when the sink has its end: what lies between is a successor's to close. */
  | { readonly type: 'gapOpened'; readonly gap: Gap }
  | { readonly type: 'gapClosed'; readonly gapId: string }
  | { readonly type: 'fault'; readonly error: WireError }
  | { readonly type: 'drained'; readonly stats: ProducerStats }
