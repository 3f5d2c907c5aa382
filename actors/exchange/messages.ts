import { type MessagePort } from 'node:worker_threads'
import { type CaptureStats } from '../../src/capture/capture-writer.ts'
import { type CapturePlan } from '../../src/capture/limits.ts'
import { type WireError } from '../../src/core/errors.ts'
import { type LogLevel } from '../../src/core/logger.ts'
import { type ExchangeName, type RequestType, type Target, type TargetPlan } from '../../src/domain/target.ts'
import { type ConnectionState } from '../../src/wire/shared-ledger.ts'
import { type ListingCacheSettings } from './listing-cache.ts'

export interface ExchangeTarget {
  readonly plan: TargetPlan
  readonly targetIndex: number
  /** The target's shards are `firstShard` … `firstShard + shards - 1` of the ledger. */
  readonly firstShard: number
  readonly shards: number
}

export interface ExchangePlan {
  readonly exchange: ExchangeName
  /** Where to dial instead of the venue (a simulator, a loopback server); null dials the venue. */
  readonly endpoints: {
    /** A URL without a path keeps the venue's own path. */
    readonly websocket: string
    /** Origin of the REST API. */
    readonly rest: string
  } | null
  readonly targets: readonly ExchangeTarget[]
}

export interface ExchangeLimits {
  readonly frameBytesMax: number
  readonly inflatedBytesMax: number
  readonly batchBytes: number
  readonly batchLingerMs: number
  /** Raw frame bytes on their way, for each connection: half are its own, half go into a pool for all of the thread. */
  readonly creditBytesPerConnection: number
}

/** Given to a connection thread as workerData. */
export interface ExchangeThreadPlan {
  readonly pod: string
  readonly logLevel: LogLevel
  readonly exchanges: readonly ExchangePlan[]
  readonly ledger: {
    readonly memory: SharedArrayBuffer
    readonly shards: number
    readonly targets: number
  }
  readonly limits: ExchangeLimits
  /** Where listings are kept; null keeps none. */
  readonly listings: ListingCacheSettings | null
  /** Where the raw frames are written beside; null writes none. */
  readonly capture: CapturePlan | null
  /** Of the `ConnectionNumbers` of the process. */
  readonly connectionNumbers: SharedArrayBuffer
}

/** main → connection thread */
export type ExchangeOrder =
  /** The port of the producer. The first one starts the dialling; a later one belongs to a new producer, the old one being dead. */
  | { readonly type: 'producer'; readonly port: MessagePort }
  /** Close every socket by its closing handshake, hand over what is left, put the drain mark on the port. */
  | { readonly type: 'stop'; readonly deadlineMs: number }

/** connection thread → main */
export type ExchangeReport =
  | { readonly type: 'ready' }
  /** The symbols of an exchange were looked up: so many connections are needed for those that it lists. */
  | { readonly type: 'lookedUp'; readonly exchange: ExchangeName; readonly connections: number }
  | {
      readonly type: 'transition'
      readonly exchange: ExchangeName
      readonly requestType: RequestType
      readonly shard: number
      /** Null before the first dial. */
      readonly connectionId: string | null
      readonly from: ConnectionState
      readonly to: ConnectionState
      readonly reason: string | null
    }
  | {
      readonly type: 'circuit'
      readonly exchange: ExchangeName
      readonly state: 'closed' | 'open' | 'halfOpen'
    }
  | {
      readonly type: 'fault'
      readonly error: WireError
      readonly exchange: ExchangeName
      readonly target: Target | null
      readonly connectionId: string | null
      /** Faults of this code and exchange that were counted but not reported since the last report. */
      readonly suppressed: number
    }
  /** The exchange confirmed the symbol on this connection. */
  | {
      readonly type: 'confirmed'
      readonly target: Target
      readonly symbol: string
      readonly connectionId: string
    }
  /** About once a second while it captures, and at its end. */
  | { readonly type: 'captured'; readonly stats: CaptureStats }
  /** The capture could not go on; the data does. */
  | { readonly type: 'captureStopped'; readonly error: WireError }
  /** Every socket is closed and the drain mark is on the producer's port. */
  | { readonly type: 'stopped' }
