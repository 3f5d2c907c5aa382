/**
 * The vocabulary of field tables: how one field of a frame becomes one field of a record.
 *
 * Paths name places in a frame: `trade_price`, `data.open`, `2.1` (positions of arrays). `a|b` accepts either key in one
 * place (formats with long and short names; where both stand the first wins). Inside a table with `each` or `envelope` a
 * path starts at the element or the event; a leading `/` starts at the frame instead: `/ts`.
 *
 * A rule whose field is absent or null makes the frame dead, unless it says `optional` or `nullable`: a field that a venue
 * renamed must not turn into silent nulls.
 */
interface Optional {
  readonly optional?: boolean
}

interface Nullable extends Optional {
  readonly nullable?: boolean
}

/** Rules that give text: record fields of type string. */
export type TextRule =
  /** A string, or an integer as text: ids and sequences. */
  | ({ readonly rule: 'text'; readonly path: string } & Nullable)
  /** A decimal with the very digits sent; only an exponent is expanded. */
  | ({ readonly rule: 'decimal'; readonly path: string; readonly form: DecimalForm } & Nullable)

/** `percent`: the point moves two places to the left. `absolute`: a sign is left out. */
export type DecimalForm = 'plain' | 'percent' | 'absolute'

export type TimeRule = { readonly rule: TimeForm; readonly path: string } & Optional
export type TimeForm = 'instant' | 'rfc3339' | 'seconds'

/** Rules that pick one symbol of an enum. */
export type EnumRule<Symbol extends string> =
  | { readonly rule: 'constant'; readonly value: Symbol }
  | { readonly rule: 'words'; readonly path: string; readonly words: Readonly<Record<string, Symbol>> }
  | ({
      readonly rule: 'flag'
      readonly path: string
      readonly whenTrue: Symbol
      readonly whenFalse: Symbol
    } & Optional)
  | { readonly rule: 'sign'; readonly path: string; readonly positive: Symbol; readonly negative: Symbol }

/** `fingerprint`: a number made of the field's text, which tells only whether it changed. */
export type IntegerRule = { readonly rule: 'integer' | 'fingerprint'; readonly path: string } & Optional

/** How a frame names its symbol. */
export type SymbolRule =
  /** The native symbol, or its stream name. */
  | { readonly rule: 'native'; readonly path: string }
  /** Part of a text such as `market.btcusdt.ticker`. */
  | { readonly rule: 'nativePart'; readonly path: string; readonly separator: string; readonly index: number }
  /** Two fields that make the native symbol together. */
  | {
      readonly rule: 'nativePair'
      readonly first: string
      readonly separator: string
      readonly second: string
    }
  /** A channel number that the venue gave out when it confirmed the subscription. */
  | { readonly rule: 'channel'; readonly path: string }
  /** Not in the frame: the connection knows it (bodies of REST answers). */
  | { readonly rule: 'subscribed' }

export interface LevelOptions extends Optional {
  /** Padding levels, with price or size zero, are left out. */
  readonly dropZero?: boolean
  /** The venue lists the worst level first. */
  readonly reverse?: boolean
  /** Only the levels whose field is this word (both sides in one list). */
  readonly only?: { readonly path: string; readonly word: string }
  /** Only the levels whose size is above or below zero; the sign is left out of the record. */
  readonly sign?: 'positive' | 'negative'
  /** The field that is zero where a level is to be removed; the size is then written as `0`. */
  readonly zeroWhen?: string
  /** The path names one level, not a list of them (or a list: told by looking). */
  readonly single?: boolean
}

export interface LevelsRule extends LevelOptions {
  readonly rule: 'levels'
  readonly path: string
  /** Key or position of the price and the size in a level. */
  readonly price: string
  readonly size: string
}

export const native = (path: string): SymbolRule => ({ rule: 'native', path })
export const nativePart = (path: string, separator: string, index: number): SymbolRule => ({
  rule: 'nativePart',
  path,
  separator,
  index
})
export const nativePair = (first: string, separator: string, second: string): SymbolRule => ({
  rule: 'nativePair',
  first,
  separator,
  second
})
export const channel = (path: string): SymbolRule => ({ rule: 'channel', path })
export const subscribed = (): SymbolRule => ({ rule: 'subscribed' })

export const text = (path: string): TextRule => ({ rule: 'text', path })
export const decimal = (path: string): TextRule => ({ rule: 'decimal', path, form: 'plain' })
export const percent = (path: string): TextRule => ({ rule: 'decimal', path, form: 'percent' })
export const absolute = (path: string): TextRule => ({ rule: 'decimal', path, form: 'absolute' })

/** An integer time in seconds, milli-, micro- or nanoseconds since the epoch, told apart by its magnitude. */
export const instant = (path: string): TimeRule => ({ rule: 'instant', path })
export const rfc3339 = (path: string): TimeRule => ({ rule: 'rfc3339', path })
/** Seconds since the epoch with a fraction. */
export const seconds = (path: string): TimeRule => ({ rule: 'seconds', path })

export const integer = (path: string): IntegerRule => ({ rule: 'integer', path })
/** For evidence, where no number of the ticker changes with each trade but a decimal does: price or size of the last. */
export const fingerprint = (path: string): IntegerRule => ({ rule: 'fingerprint', path })

export const always = <Symbol extends string>(value: Symbol): EnumRule<Symbol> => ({
  rule: 'constant',
  value
})
export const words = <Symbol extends string>(
  path: string,
  map: Readonly<Record<string, Symbol>>
): EnumRule<Symbol> => ({ rule: 'words', path, words: map })
export const flag = <Symbol extends string>(
  path: string,
  whenTrue: Symbol,
  whenFalse: Symbol
): EnumRule<Symbol> => ({ rule: 'flag', path, whenTrue, whenFalse })
/** A mark that is true or simply not there. */
export const mark = <Symbol extends string>(
  path: string,
  whenThere: Symbol,
  otherwise: Symbol
): EnumRule<Symbol> => ({ rule: 'flag', path, whenTrue: whenThere, whenFalse: otherwise, optional: true })
export const signOf = <Symbol extends string>(
  path: string,
  positive: Symbol,
  negative: Symbol
): EnumRule<Symbol> => ({ rule: 'sign', path, positive, negative })

/** The taker bought if the seller's order was resting. */
export const makerIsSeller = (path: string): EnumRule<'BUY' | 'SELL'> => flag(path, 'BUY', 'SELL')
export const makerIsBuyer = (path: string): EnumRule<'BUY' | 'SELL'> => flag(path, 'SELL', 'BUY')
export const streamType = (path: string): EnumRule<'SNAPSHOT' | 'REALTIME'> =>
  words(path, { SNAPSHOT: 'SNAPSHOT', REALTIME: 'REALTIME' })

export const levels = (
  path: string,
  price: string | number,
  size: string | number,
  options: LevelOptions = {}
): LevelsRule => ({ rule: 'levels', path, price: String(price), size: String(size), ...options })

/** The field may be absent, null or an empty text: the record's field is then null (a list: empty). */
export function optional<Rule extends Optional>(rule: Rule): Rule {
  return { ...rule, optional: true }
}

/**
 * The field must be there, but may be null or an empty text, as the price of a side without orders: the record's field is
 * then null.
 */
export function nullable(rule: TextRule): TextRule {
  return { ...rule, nullable: true }
}
