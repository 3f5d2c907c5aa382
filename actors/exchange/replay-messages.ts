import { type MessagePort } from 'node:worker_threads'
import { type WireError } from '../../src/core/errors.ts'
import { type LogLevel } from '../../src/core/logger.ts'
import { type ExchangeLimits, type ExchangeReport, type ExchangeTarget } from './messages.ts'

/** Given to the replay thread as workerData. */
export interface ReplayThreadPlan {
  readonly logLevel: LogLevel
  /** Paths of the segments of each captured thread, the oldest first. */
  readonly threads: readonly (readonly string[])[]
  readonly targets: readonly ExchangeTarget[]
  readonly ledger: {
    readonly memory: SharedArrayBuffer
    readonly shards: number
    readonly targets: number
  }
  readonly limits: ExchangeLimits
  /** Raw frame bytes that may be on their way; the replay waits for room instead of shedding. */
  readonly windowBytes: number
  readonly speed: 'original' | 'max'
  /** Microseconds since the epoch; null for the capture's own beginning and end. */
  readonly fromMicros: number | null
  readonly toMicros: number | null
}

export interface ReplayStats {
  readonly connections: number
  /** Frames and REST bodies that were replayed. */
  readonly frames: number
  /** Frames that the capture says it has not, over all its holes. */
  readonly missing: number
  /** Times of the first and the last replayed entry in microseconds, 0 when there was none. */
  readonly firstMicros: number
  readonly lastMicros: number
}

/** main → replay thread */
export type ReplayOrder =
  /** The port of the producer. The first one begins the replay; a later one belongs to a new producer. */
  | { readonly type: 'producer'; readonly port: MessagePort }
  /** End here, and put the drain mark on the port. */
  | { readonly type: 'stop' }

/** replay thread → main */
export type ReplayReport =
  | { readonly type: 'ready' }
  | (ExchangeReport & { readonly type: 'fault' })
  /** Something about the files that the user should know: what is torn, damaged, or missing. */
  | { readonly type: 'remark'; readonly sentence: string }
  | { readonly type: 'progress'; readonly stats: ReplayStats }
  /** Everything was fed and has been settled, but for book updates whose snapshot never came. */
  | { readonly type: 'finished'; readonly stats: ReplayStats }
  /** The capture cannot be read. */
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'stopped' }
