import { type Instrument } from '../domain/instrument.ts'
import { type ExchangeName, type Region, type RequestType } from '../domain/target.ts'
import { type FrameTable } from './field-table.ts'
import { type JsonValue } from './json-value.ts'

/**
 * The adapter contract: everything the service must know of one venue, as data and small pure functions. No sockets, no
 * timers, no clock: the connection session does those. A venue that needs more than this grows a named hook here.
 */
export interface ExchangeAdapter {
  readonly name: ExchangeName
  readonly region: Region
  /** The venue's own documentation of its public WebSocket feed. */
  readonly documentation: string
  readonly endpoints: Endpoints
  readonly limits: Limits
  readonly heartbeat: Heartbeat
  readonly instruments: InstrumentRules
  readonly subscriptions: SubscriptionRules
  readonly continuity: ContinuityRules
  /** `gzip`: data frames are compressed by the venue itself, and so inflated (bounded) before anything else. */
  readonly compression: 'none' | 'gzip'
  /** Field tables of every kind of data frame, tried in order; see `field-table.ts`. */
  readonly frames: readonly FrameTable[]
  /** Whether the venue may wrap its frames in a list (Upbit's JSON_LIST); positional venues say nothing here. */
  readonly listFrames?: boolean
  /**
   * Looks at the first bytes of a frame and tells data from control without parsing. `found` is filled in place.
   * Called once per frame on the connection thread: no allocation.
   */
  peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void
  /** Reads a parsed control frame (or one that `peek` could not tell); `[]` when there is nothing to do. */
  control(message: JsonValue): readonly ControlEvent[]
}

export interface Endpoints {
  /** Dialled for a request type, without what `requests` sends afterwards. */
  readonly websocket: Readonly<Record<RequestType, string>>
  /** Origin of the REST API, without a path. */
  readonly rest: string
  /** Exact hosts that `connection.url` of a command may name. */
  readonly allowedHosts: readonly string[]
}

export interface Rate {
  readonly count: number
  readonly windowMs: number
}

/** The venue's published limits; the service stays at or below 80 % of each rate. */
export interface Limits {
  readonly connects: Rate
  /** Messages the client may send on one connection, all of them holding at once. */
  readonly messages: readonly Rate[]
  readonly symbolsPerConnection: number
  readonly symbolsPerRequest: number
  readonly restWeight: Rate
  /** Shortest pause between two dials after a failure. */
  readonly reconnectFloorMs: number
  /** How long to stay away after HTTP 418, 429, 403 or 451 when the venue states no time. */
  readonly penaltyMs: number
  /** A connection is replaced before it reaches this age; null when the venue sets none. */
  readonly connectionAgeMaxMs: number | null
}

export interface Heartbeat {
  /** What the client sends to keep the socket alive; null when the venue pings. */
  readonly ping: { readonly everyMs: number; readonly frame: 'websocket' | { readonly text: string } } | null
  /** Silence of the whole socket (pings and pongs count as life) after which a probe is sent. */
  readonly watchdogMs: number
  /** How long the venue waits for our answers; a paused socket answers none. */
  readonly limitMs: number
}

export interface InstrumentRules {
  /** REST path of the venue's listing, and how to read its body; null where there is no listing. */
  readonly listing: {
    readonly path: string
    readonly weight: number
    parse(body: JsonValue): readonly Instrument[]
  } | null
  /** Canonical symbol of a native one by rule alone, null when the rule cannot tell. */
  canonicalOf(native: string): string | null
  /** Native symbol of a canonical one by rule alone (the listing, where there is one, has the last word). */
  nativeOf(canonical: string): string
  /** How subscriptions and peeked frames write a native symbol (Binance: lower case in stream names). */
  streamNameOf(native: string): string
}

export interface SubscriptionChange {
  readonly requestType: RequestType
  /** Native symbols wanted after the change, and what the change adds and removes. */
  readonly desired: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** A fresh request id of this connection. */
  nextId(): number
}

/** One frame to send. The venue's answer names either `id` or the symbols themselves. */
export interface SubscriptionRequest {
  readonly frame: string
  readonly id: string | null
  /** Native symbols whose confirmation this frame asks for (empty for an unsubscribe). */
  readonly natives: readonly string[]
}

export interface SubscriptionRules {
  /** `ack`: the venue confirms each request or symbol. `first-data`: its first data frame is the confirmation. */
  readonly confirmedBy: 'ack' | 'first-data'
  /** The smallest correct frames for a change (where the venue replaces: the whole new set). */
  requests(change: SubscriptionChange): readonly SubscriptionRequest[]
}

/** How order and completeness of a channel can be checked. */
export interface ContinuityRules {
  readonly trade: {
    /** `contiguous`: a hole in the ids is a loss. `unique`: ids only tell duplicates. */
    readonly ids: 'contiguous' | 'unique'
  }
  readonly book: BookRules
}

export type BookRules =
  /** Every frame is the whole book. */
  | { readonly mode: 'whole' }
  /** Deltas whose `sequence_first` must be the last `sequence_last` + 1, on a snapshot fetched over REST. */
  | { readonly mode: 'first-follows-last'; readonly snapshot: RestSnapshot }
  /** Deltas whose `sequence_previous` must equal the last `sequence_last`, on a snapshot in the stream. */
  | { readonly mode: 'previous-equals-last' }
  /** Deltas on a snapshot in the stream, without sequence; `checksum` says whether frames carry one to check. */
  | { readonly mode: 'delta'; readonly checksum: boolean }

export interface RestSnapshot {
  path(native: string): string
  readonly weight: number
}

export const FrameClass = { data: 0, control: 1, unclear: 2 } as const
export type FrameClass = (typeof FrameClass)[keyof typeof FrameClass]

/** What `peek` found. The symbol's bytes (in `streamNameOf` form) are a range of the frame; 0, 0 when not seen. */
export interface Peeked {
  frameClass: FrameClass
  symbolStart: number
  symbolEnd: number
}

export type ControlEvent =
  /** A request or symbols are confirmed; `channelId` where the venue will name the channel by number from now on. */
  | {
      readonly type: 'confirmed'
      readonly id: string | null
      readonly natives: readonly string[]
      readonly channelId: string | null
    }
  | {
      readonly type: 'rejected'
      readonly id: string | null
      readonly natives: readonly string[]
      readonly reason: string
    }
  /** Something to be sent back at once (an application-level pong). */
  | { readonly type: 'reply'; readonly frame: string }
  /** A heartbeat, pong or notice without consequence: it only proves that the socket lives. */
  | { readonly type: 'alive' }
  /** The venue asks for a new connection, or is about to end this one. */
  | { readonly type: 'reconnect'; readonly reason: string }
  /** An error that names no request of ours. */
  | { readonly type: 'error'; readonly message: string }
