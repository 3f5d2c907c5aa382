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
  /** The venue's name for the channel behind each request type, for the documents. */
  readonly channels: Readonly<Record<RequestType, string>>
  /** What a reader of this venue's records must know, in whole sentences; they end up in the documents. */
  readonly quirks: readonly string[]
  readonly endpoints: Endpoints
  readonly limits: Limits
  readonly heartbeat: Heartbeat
  readonly instruments: InstrumentRules
  readonly subscriptions: SubscriptionRules
  readonly continuity: ContinuityRules
  /** Where a channel may take longer than 1.5 s to show a trade; see `freshness.ts` of the producer. */
  readonly freshness?: FreshnessRules
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

export interface MessageRate extends Rate {
  /** `messages`: everything that the client sends, pings and replies as well. `requests`: only what asks for something. */
  readonly counts: 'messages' | 'requests'
}

/** The venue's published limits; the service stays at or below 80 % of each rate. */
export interface Limits {
  readonly connects: Rate
  /** Open connections that the venue allows one address; null when it publishes no number. */
  readonly connections: number | null
  /** Messages the client may send on one connection, all of them holding at once. */
  readonly messages: readonly MessageRate[]
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
  /** The number under which the venue confirmed a native symbol on this connection; null when it gave none. */
  channelIdOf(native: string): string | null
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
  /** Sent once after the socket opened, before any request (options of the connection). */
  readonly opening?: readonly string[]
  /** The smallest correct frames for a change (where the venue replaces: the whole new set). */
  requests(change: SubscriptionChange): readonly SubscriptionRequest[]
}

export interface FreshnessRules {
  /** By request type: how long after a trade the channel shows it at the latest, milliseconds. */
  readonly showsTradesWithinMs: Readonly<Partial<Record<RequestType, number>>>
}

/** How order and completeness of a channel can be checked. */
export interface ContinuityRules {
  readonly trade: {
    /** `contiguous`: a hole in the ids is a loss. `unique`: ids only tell duplicates. */
    readonly ids: 'contiguous' | 'unique'
  }
  readonly book: BookRules
  /**
   * Where every frame of a connection, heartbeats included, carries a number one above the frame before: reads it, NaN
   * when the frame has none to be read. A hole means lost frames of whoever; the connection is then dialled anew. Called
   * once per frame on the connection thread: no allocation.
   */
  frameSequence?(bytes: Uint8Array, start: number, end: number): number
}

export type BookRules =
  /** Every frame is the whole book. */
  { readonly mode: 'whole' } | DeltaBookRules

/** A snapshot and then updates with absolute sizes. */
export interface DeltaBookRules {
  readonly mode: 'delta'
  /**
   * `first-follows-last`: `sequence_first` is the last `sequence_last` + 1. `previous-equals-last`: `sequence_previous` is
   * the last `sequence_last`. `increasing`: `sequence_last` only grows, holes mean nothing. `none`: there is no sequence.
   */
  readonly sequence: 'first-follows-last' | 'previous-equals-last' | 'increasing' | 'none'
  readonly snapshot: StreamSnapshot | RestSnapshot | RequestedSnapshot
  /** `crossed`: without anything better, a best bid at or above the best ask proves that an update was lost. */
  readonly check: 'none' | 'crossed' | BookChecksum
  /** Levels a side beyond which the venue drops levels without saying so; null when it removes them itself. */
  readonly depth: number | null
}

/** The venue sends the snapshot by itself after each subscription, and subscribing anew brings another. */
export interface StreamSnapshot {
  readonly from: 'stream'
}

export interface RestSnapshot {
  readonly from: 'rest'
  path(native: string): string
  readonly weight: number
}

/** The snapshot is asked for on the same socket and comes as a frame of the stream, beside the updates. */
export interface RequestedSnapshot {
  readonly from: 'request'
  frame(native: string, id: number): string
}

/** A level of a book as the record has it: the digits sent. Sizes carry no sign. */
export interface BookLevel {
  readonly price: string
  readonly size: string
}

/** A checksum over the best levels of both sides, which a frame carries as an integer. */
export interface BookChecksum {
  /** Levels of each side that it covers. */
  readonly levels: number
  /** Both sides best first, at most `levels` each; the sum as a signed 32-bit integer. */
  sum(bids: readonly BookLevel[], asks: readonly BookLevel[]): number
}

/** `alive`: a heartbeat that says nothing else; it is counted as control and neither parsed nor passed on. */
export const FrameClass = { data: 0, control: 1, unclear: 2, alive: 3 } as const
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
  /**
   * The venue will never take these symbols: the session gives them up. Only for causes on the adapter's own list of those
   * that say that a symbol or its channel is wrong.
   */
  | {
      readonly type: 'rejected'
      readonly id: string | null
      readonly natives: readonly string[]
      readonly reason: string
      /** The venue refused everything that stood in the same request; what it does not name is asked for again. */
      readonly isWholeRequest?: boolean
    }
  /**
   * A refusal that may pass, as every one does whose cause the adapter does not know. What it names, or else everything in
   * the request, stays wanted and is asked for again later.
   */
  | {
      readonly type: 'refused'
      readonly id: string | null
      readonly natives: readonly string[]
      readonly reason: string
    }
  /** A refusal for good that names nothing: it is meant for the symbol that was confirmed just before. */
  | { readonly type: 'rejectedLast'; readonly reason: string }
  /** Something to be sent back at once (an application-level pong). */
  | { readonly type: 'reply'; readonly frame: string }
  /** A heartbeat, pong or notice without consequence: it only proves that the socket lives. */
  | { readonly type: 'alive' }
  /** The venue asks for a new connection, or is about to end this one. */
  | { readonly type: 'reconnect'; readonly reason: string }
  /** An error that names no request of ours. */
  | { readonly type: 'error'; readonly message: string }
