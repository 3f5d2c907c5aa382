import { type MessagePort } from 'node:worker_threads'
import { type WireError } from '../../src/core/errors.ts'
import { type LogLevel } from '../../src/core/logger.ts'

/** Given to the log thread as workerData. */
export interface LogPlan {
  readonly logLevel: LogLevel
  /** Unix socket on which checkers attach; null opens none. */
  readonly verifySocket: string | null
  readonly limits: LogLimits
}

export interface LogLimits {
  /** Bytes kept of one topic; the oldest records go first. */
  readonly topicBytes: number
  /** Bytes a checker may be behind before acknowledgements wait for it. */
  readonly checkerBytes: number
  readonly checkers: number
  readonly tails: number
}

export const defaultLogLimits: LogLimits = {
  topicBytes: 64 * 1024 * 1024,
  checkerBytes: 4 * 1024 * 1024,
  checkers: 4,
  tails: 16
}

/** What a reader of a tail asks for. */
export interface TailQuery {
  readonly topic: string
  readonly from: 'earliest' | 'latest'
  /** Only records whose key starts with this; empty takes all. */
  readonly keyPrefix: string
}

/** main → log */
export type LogOrder =
  /** The port of a producer's sink; an earlier producer's port ends by itself. */
  | { readonly type: 'producer'; readonly port: MessagePort }
  /** Records go to the port until it is closed. */
  | { readonly type: 'tail'; readonly port: MessagePort; readonly query: TailQuery }
  /** Nothing more will be written: checkers are told the end and get the time to read it. */
  | { readonly type: 'close'; readonly deadlineMs: number }

export interface TopicStats {
  readonly topic: string
  /** Records and bytes ever written, and what has left at the limit. */
  readonly records: number
  readonly keptBytes: number
  readonly evictedRecords: number
}

export interface LogStats {
  readonly topics: readonly TopicStats[]
  readonly checkers: number
  /** Acknowledgements that wait for a checker now. */
  readonly heldAcks: number
  /** How often each limit was reached. */
  readonly limitHits: Readonly<Record<string, number>>
}

/** log → main */
export type LogReport =
  | { readonly type: 'ready' }
  | { readonly type: 'stats'; readonly stats: LogStats }
  | { readonly type: 'fault'; readonly error: WireError }
  | { readonly type: 'closed'; readonly stats: LogStats }
