import { type Config } from '../config/schema.ts'
import { type LogLevel } from '../core/logger.ts'
import { type FrameLedger, type RecordLedger } from '../domain/ledger.ts'
import { type PartitionActivity } from '../domain/partition-activity.ts'
import { type CompressionName, type ProducerProfile } from '../domain/producer-tuning.ts'
import { type LatencySummary, type Summary } from '../domain/summary.ts'
import { type ExchangeName, type TargetPlan } from '../domain/target.ts'

export interface SimulationOptions {
  /** Socket of a simulation that is already running; null starts one of our own, which ends with us. */
  readonly attach: string | null
  /** Events per second over all venues. */
  readonly rate: number | 'max'
  readonly seed: number
  /** A fault list as `--faults help` explains it; empty for none. */
  readonly faults: string
  /** Whether the simulation reads the records back and compares them with what it sent. */
  readonly verify: boolean
}

/** A capture in the place of exchanges. */
export interface ReplayOptions {
  readonly folder: string
  /** Paths of the segments of each captured thread, the oldest first. */
  readonly threads: readonly (readonly string[])[]
  readonly speed: 'original' | 'max'
  /** Microseconds since the epoch; null for the capture's own beginning and end. */
  readonly fromMicros: number | null
  readonly toMicros: number | null
}

export interface ServiceOptions {
  readonly config: Config
  /** What to collect. Empty with a simulation: everything the simulated exchanges offer. */
  readonly plans: readonly TargetPlan[]
  readonly simulation: SimulationOptions | null
  /** Where to dial instead of the real venues, when there is no simulation: loopback servers of tests and benches. */
  readonly endpoints: ReadonlyMap<ExchangeName, { readonly websocket: string; readonly rest: string }> | null
  /** What writes to Kafka: the service's own producer, or kafkajs `send()` as the bench's reference. */
  readonly sinkKind: 'kafka' | 'kafkajs-send'
  /** Folder that gets the raw frames, new or empty; null captures nothing. */
  readonly capture: string | null
  /** A capture that is replayed instead of connecting to exchanges; `plans` are its targets. */
  readonly replay: ReplayOptions | null
  /** Whether the summary has a digest of each key's records. Only for the embedded log. */
  readonly digests: boolean
  /** Stops by itself after this time; null runs until it is told to stop. */
  readonly forMs: number | null
  /** May differ from `config.log.level`: logs would tear a live table. */
  readonly logLevel: LogLevel
}

export interface TargetStatus {
  /** `exchange/request_type` */
  readonly target: string
  /** The worst state of its connections, see `connectionStates`. */
  readonly state: string
  readonly symbols: number
  readonly connections: number
  /** Records published since the start, and per second lately. */
  readonly records: number
  readonly records_per_s: number
  readonly latency_ms: LatencySummary
  readonly gaps_open: number
  /** Since the last frame of any of its connections; null before the first. */
  readonly freshness_ms: number | null
}

export interface ThreadStatus {
  readonly name: string
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped'
  readonly restarts: number
}

/** The Kafka producer now. */
export interface ProducerStatus {
  readonly profile: ProducerProfile
  readonly compression: CompressionName
  /** Topics with a compression of their own. */
  readonly compression_by_topic: Readonly<Record<string, CompressionName>>
  readonly available: boolean
  /** Why it is not available, or since when it is again, in a sentence; empty when nothing ever happened. */
  readonly message: string
  /** Memory of encoded batches, and its limit. */
  readonly buffered_bytes: number
  readonly buffer_bytes: number
  /** Raw frames that wait because that memory is used up, or for the codec. */
  readonly undecoded_bytes: number
  readonly requests: number
  readonly partitions: readonly PartitionActivity[]
}

/** What a running service says of itself: the live table, `status` and the admin socket all show this. */
export interface StatusSnapshot {
  /** Milliseconds since the epoch. */
  readonly started_at: number
  readonly state: 'starting' | 'running' | 'stopping'
  readonly pod: string
  readonly simulated: boolean
  /** Whether a capture is fed in the place of exchanges. */
  readonly replayed: boolean
  readonly sink: {
    readonly kind: 'embedded' | 'kafka'
    readonly available: boolean
    /** Why it is not available, in a sentence; empty when it is. */
    readonly message: string
  }
  readonly registry: string
  /** Null when the records go into the log inside the process. */
  readonly producer: ProducerStatus | null
  readonly targets: readonly TargetStatus[]
  readonly frames: FrameLedger
  readonly records: RecordLedger
  readonly gaps: { readonly opened: number; readonly closed: number; readonly open: number }
  readonly reconnects: number
  readonly threads: readonly ThreadStatus[]
  /** How often each error code occurred, and each limit of the configuration was hit. */
  readonly errors: Readonly<Record<string, number>>
  readonly limits: Readonly<Record<string, number>>
  /** Times at which the wall clock had moved against the monotonic one. */
  readonly clock_jumps: number
}

export interface RunningService {
  snapshot(): StatusSnapshot
  /** Stops gracefully: sockets closed, everything accepted drained within the deadline. Twice is harmless. */
  stop(reason: string): Promise<Summary>
  /** Shortens a stop that is under way to what can be done at once. */
  hurry(): void
  /** Ends a thread (`producer`, `conn-0`, …) as a crash would, for tests of what comes then; a simulation is told. */
  crash(thread: string): Promise<void>
  /** Settles when the service has ended, by itself or by `stop`; rejects when it could not go on. */
  readonly finished: Promise<Summary>
}

export type RunService = (options: ServiceOptions) => Promise<RunningService>
