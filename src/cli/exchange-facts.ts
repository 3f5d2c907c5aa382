import { type Region, type RequestType } from '../domain/target.ts'
import {
  type BookRules,
  type DeltaBookRules,
  type ExchangeAdapter,
  type Rate
} from '../exchange-kit/adapter.ts'

/** At most `count` within `window_ms`. */
export interface RateFacts {
  readonly count: number
  readonly window_ms: number
}

export interface MessageRateFacts extends RateFacts {
  /** Everything that is sent, or only what asks for something. */
  readonly counts: 'messages' | 'requests'
}

/** What `coin-stream exchanges --json` says of one venue; all of it comes from its adapter. */
export interface ExchangeFacts {
  readonly exchange: string
  readonly region: Region
  readonly documentation: string
  /** The venue's name for the channel behind each request type. */
  readonly channels: Readonly<Record<RequestType, string>>
  readonly confirmed_by: 'ack' | 'first-data'
  readonly heartbeat: {
    /** What the client sends, and how often; null where the venue pings. `text` is null for a WebSocket ping. */
    readonly ping: { readonly every_ms: number; readonly text: string | null } | null
    readonly watchdog_ms: number
  }
  readonly limits: {
    readonly connects: RateFacts
    readonly connections: number | null
    readonly messages: readonly MessageRateFacts[]
    readonly symbols_per_connection: number
    readonly symbols_per_request: number
    readonly rest_weight: RateFacts
    readonly connection_age_max_ms: number | null
  }
  readonly compression: 'none' | 'gzip'
  readonly trade_ids: 'contiguous' | 'unique'
  readonly numbers_frames: boolean
  readonly book: {
    readonly mode: 'whole' | 'delta'
    readonly snapshot: 'stream' | 'rest' | 'request' | null
    readonly sequence: DeltaBookRules['sequence'] | null
    readonly check: 'none' | 'crossed' | 'checksum'
    readonly depth: number | null
    /** How a book is kept, in sentences. */
    readonly procedure: string
  }
  /** REST URL of the instruments; null where the venue has none. */
  readonly listing: string | null
  readonly example: { readonly symbol: string; readonly native: string }
  readonly quirks: readonly string[]
}

export function factsOf(adapter: ExchangeAdapter): ExchangeFacts {
  const { name, limits, heartbeat, continuity, instruments, endpoints } = adapter
  const { ping, watchdogMs } = heartbeat
  const symbol = exampleSymbol(adapter.region)
  return {
    exchange: name,
    region: adapter.region,
    documentation: adapter.documentation,
    channels: adapter.channels,
    confirmed_by: adapter.subscriptions.confirmedBy,
    heartbeat: {
      ping:
        ping === null
          ? null
          : { every_ms: ping.everyMs, text: ping.frame === 'websocket' ? null : ping.frame.text },
      watchdog_ms: watchdogMs
    },
    limits: {
      connects: rateFacts(limits.connects),
      connections: limits.connections,
      messages: limits.messages.map(rate => ({ ...rateFacts(rate), counts: rate.counts })),
      symbols_per_connection: limits.symbolsPerConnection,
      symbols_per_request: limits.symbolsPerRequest,
      rest_weight: rateFacts(limits.restWeight),
      connection_age_max_ms: limits.connectionAgeMaxMs
    },
    compression: adapter.compression,
    trade_ids: continuity.trade.ids,
    numbers_frames: continuity.frameSequence !== undefined,
    book: bookFacts(continuity.book),
    listing: instruments.listing === null ? null : endpoints.rest + instruments.listing.path,
    example: { symbol, native: instruments.nativeOf(symbol) },
    quirks: adapter.quirks
  }
}

function rateFacts({ count, windowMs }: Rate): RateFacts {
  return { count, window_ms: windowMs }
}

/** A pair that every venue of the region may be expected to have. */
export function exampleSymbol(region: Region): string {
  switch (region) {
    case 'korea':
      return 'BTC-KRW'
    case 'asia':
      return 'BTC-USDT'
    case 'na':
    case 'eu':
      return 'BTC-USD'
  }
}

function bookFacts(book: BookRules): ExchangeFacts['book'] {
  const procedure = bookProcedure(book)
  if (book.mode === 'whole') {
    return { mode: 'whole', snapshot: null, sequence: null, check: 'none', depth: null, procedure }
  }
  const { sequence, snapshot, check, depth } = book
  return {
    mode: 'delta',
    snapshot: snapshot.from,
    sequence,
    check: typeof check === 'string' ? check : 'checksum',
    depth,
    procedure
  }
}

/** How a book is kept and how a loss is noticed, in sentences. */
function bookProcedure(book: BookRules): string {
  if (book.mode === 'whole') return 'Every frame is the whole book, so there is nothing to put together.'
  const { sequence, snapshot, check, depth } = book
  const sentences = [snapshotSentence(snapshot), sequenceSentences[sequence]]
  if (check === 'crossed')
    sentences.push('A best bid at or above the best ask proves that an update was lost.')
  if (typeof check === 'object') {
    sentences.push(`A checksum over the best ${check.levels} levels of each side proves the book.`)
  }
  if (depth !== null) {
    sentences.push(
      `The venue drops levels beyond the best ${depth} of a side without saying so, and so must readers.`
    )
  }
  return sentences.join(' ')
}

function snapshotSentence(snapshot: DeltaBookRules['snapshot']): string {
  switch (snapshot.from) {
    case 'stream':
      return 'After each subscription the venue sends a snapshot, then updates.'
    case 'rest':
      return `A snapshot is fetched by REST (weight ${snapshot.weight}) and the updates behind it follow.`
    case 'request':
      return 'A snapshot is asked for on the same socket and the updates behind it follow.'
  }
}

const sequenceSentences: Readonly<Record<DeltaBookRules['sequence'], string>> = {
  'first-follows-last':
    'Each update begins one above the number with which the last one ended; a hole is a lost update.',
  'previous-equals-last':
    'Each update names the number of the one before it; another number is a lost update.',
  increasing: 'The numbers of updates only grow: they tell repeats, and no losses.',
  none: 'Updates carry no number.'
}
