import { type RequestType } from '../domain/target.ts'
import {
  type EnumRule,
  type IntegerRule,
  type LevelsRule,
  type SymbolRule,
  type TextRule,
  type TimeRule
} from './rules.ts'

/**
 * One kind of data frame: how to recognise it, and which of its fields become which fields of the record. The tables of a
 * venue are tried in order, those of the wanted request type first; `compile.ts` makes code of them at start.
 */
export type FrameTable = TickerTable | TradeTable | BookTable | ChecksumTable | IgnoredTable
export type RecordTable = TickerTable | TradeTable | BookTable

/** Conditions on a frame; paths start at the event (see `envelope`), or at the frame with a leading `/`. */
export type Guard =
  | { readonly guard: 'is'; readonly path: string; readonly word: string }
  /** The text begins, or ends, so: topics such as `publicTrade.BTCUSDT` or `market.btcusdt.trade.detail`. */
  | { readonly guard: 'begins' | 'ends'; readonly path: string; readonly word: string }
  | { readonly guard: 'absent'; readonly path: string }
  | { readonly guard: 'present'; readonly path: string }
  | { readonly guard: 'list'; readonly path: string }
  /** A list of lists, or an empty one. */
  | { readonly guard: 'lists'; readonly path: string }
  | { readonly guard: 'noList'; readonly path: string }

export const is = (path: string, word: string): Guard => ({ guard: 'is', path, word })
export const begins = (path: string, word: string): Guard => ({ guard: 'begins', path, word })
export const ends = (path: string, word: string): Guard => ({ guard: 'ends', path, word })
export const isAbsent = (path: string): Guard => ({ guard: 'absent', path })
export const isPresent = (path: string): Guard => ({ guard: 'present', path })
export const isList = (path: string): Guard => ({ guard: 'list', path })
export const isListOfLists = (path: string): Guard => ({ guard: 'lists', path })
export const isNoList = (path: string): Guard => ({ guard: 'noList', path })

interface TableHead {
  /** Unique within the venue; appears in stack traces of the compiled code. */
  readonly name: string
  /** All of them must hold. */
  readonly match: readonly Guard[]
  /** `snapshot`: the body of a REST answer, not a frame of the stream. */
  readonly source?: 'stream' | 'snapshot'
  /** Key under which the event lies where the venue wraps it; a bare event is taken as well. */
  readonly envelope?: string
}

interface RecordHead extends TableHead {
  /** Path of a list in the frame: every element is one event. An empty list makes the frame ignored as `empty`. */
  readonly each?: string
  /** The venue lists the newest event first: the list is read from its end, so that records keep the order of events. */
  readonly newestFirst?: boolean
  /** Fields that a projection may ask for: the venue's own names and where they stand. */
  readonly raw?: Readonly<Record<string, string>>
}

interface CommonFields {
  readonly symbol: SymbolRule
  /** Left out where the venue sends no event time. */
  readonly exchange_ts?: TimeRule
  readonly stream_type: EnumRule<'SNAPSHOT' | 'REALTIME'>
}

type Window = 'ROLLING_24H' | 'UTC_DAY' | 'LOCAL_DAY' | 'UNKNOWN'

/** A nullable field that is left out is one the venue never sends. */
export interface TickerFields extends CommonFields {
  readonly last: TextRule
  readonly open?: TextRule
  readonly high?: TextRule
  readonly low?: TextRule
  readonly prev_close?: TextRule
  readonly bid?: TextRule
  readonly bid_size?: TextRule
  readonly ask?: TextRule
  readonly ask_size?: TextRule
  readonly base_volume?: TextRule
  readonly quote_volume?: TextRule
  readonly change?: TextRule
  readonly change_rate?: TextRule
  readonly price_window: EnumRule<Window>
  readonly volume_window: EnumRule<Window>
}

export interface TradeFields extends CommonFields {
  readonly trade_id: TextRule
  readonly price: TextRule
  readonly size: TextRule
  readonly side: EnumRule<'BUY' | 'SELL' | 'UNKNOWN'>
  readonly sequence?: TextRule
}

export interface BookFields extends CommonFields {
  readonly kind: EnumRule<'SNAPSHOT' | 'DELTA'>
  readonly bids: LevelsRule
  readonly asks: LevelsRule
  readonly sequence_first?: TextRule
  readonly sequence_last?: TextRule
  readonly sequence_previous?: TextRule
  readonly checksum?: IntegerRule
}

export interface TickerTable extends RecordHead {
  readonly requestType: 'ticker'
  readonly fields: TickerFields
  /**
   * A number that changes whenever the symbol traded; it is evidence that its trade channel should have moved. It may be
   * null where the market never traded, but must be there, unless it is optional.
   */
  readonly evidence?: IntegerRule
}

export interface TradeTable extends RecordHead {
  readonly requestType: 'trade'
  readonly fields: TradeFields
}

export interface BookTable extends RecordHead {
  readonly requestType: 'orderbook'
  readonly fields: BookFields
}

/** A frame that carries only the checksum of a book as it is after the frames before; it makes no record. */
export interface ChecksumTable extends TableHead {
  readonly requestType: null
  readonly symbol: SymbolRule
  readonly checksum: IntegerRule
}

/** A well-formed frame that holds nothing for any target. */
export interface IgnoredTable extends TableHead {
  readonly requestType: null
  readonly ignore: 'kind' | 'empty' | 'unsupported protocol'
}

/** Raw fields named as the path itself. */
export function raw(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map(name => [name, name]))
}

/** Raw fields under their long names, found under their short ones as well. */
export function rawLongOrShort(
  shortNames: Readonly<Record<string, string>>
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(shortNames).map(([long, short]) => [long, `${long}|${short}`]))
}

/** A kind of frame that holds nothing for any target. */
export function ignored(name: string, ...match: readonly Guard[]): IgnoredTable {
  return { name, requestType: null, match, ignore: 'kind' }
}

/** Names of a projection that no frame of this request type carries; empty when the projection is fine. */
export function unknownProjection(
  tables: readonly FrameTable[],
  requestType: RequestType,
  projection: readonly string[]
): string[] {
  return projection.filter(
    name => !tables.some(table => table.requestType === requestType && Object.hasOwn(table.raw ?? {}, name))
  )
}
