/**
 * Fingerprints of canonical records: the simulators take them of what their markets made, the check of what it reads
 * back from the sink. Both must hash the same text, so the text is defined here and nowhere else.
 *
 * FNV-1a over ASCII text. Texts are joined by `|`, null is `~`; a book's fingerprint folds the hash of every level in the
 * order of the record, so that a simulator may keep the hashes of levels that did not change.
 */
export interface TickerFacts {
  /** Microseconds since the epoch, as number or as its decimal text. */
  readonly exchange_ts: number | bigint | string | null
  readonly last: string
  readonly open: string | null
  readonly high: string | null
  readonly low: string | null
  readonly prev_close: string | null
  readonly bid: string | null
  readonly bid_size: string | null
  readonly ask: string | null
  readonly ask_size: string | null
  readonly base_volume: string | null
  readonly quote_volume: string | null
  readonly change: string | null
  readonly change_rate: string | null
  readonly price_window: string
  readonly volume_window: string
}

export interface TradeFacts {
  readonly exchange_ts: number | bigint | string | null
  readonly trade_id: string
  readonly price: string
  readonly size: string
  readonly side: string
  readonly sequence: string | null
}

export interface LevelFacts {
  readonly price: string
  readonly size: string
}

export interface BookFacts {
  readonly exchange_ts: number | bigint | string | null
  readonly kind: string
  readonly sequence_first: string | null
  readonly sequence_last: string | null
  readonly sequence_previous: string | null
  readonly bids: readonly LevelFacts[]
  readonly asks: readonly LevelFacts[]
}

export const hashStart = 0x811c9dc5 | 0
const prime = 0x01000193
const bar = 0x7c
const tilde = 0x7e

/** Continues an FNV-1a hash over a text. Results are signed 32-bit integers. */
export function hashText(hash: number, text: string): number {
  let h = hash
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), prime)
  return h
}

/** The same over bytes. */
export function hashBytes(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let h = hash
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, prime)
  return h
}

/** Folds one 32-bit value into a hash. */
export function hashFold(hash: number, value: number): number {
  return Math.imul(hash ^ value, prime)
}

function hashNext(hash: number, text: string | null): number {
  const h = Math.imul(hash ^ bar, prime)
  return text === null ? Math.imul(h ^ tilde, prime) : hashText(h, text)
}

function hashTime(time: number | bigint | string | null): number {
  return hashText(hashStart, time === null ? '~' : String(time))
}

export function tickerFingerprint(ticker: TickerFacts): number {
  let h = hashTime(ticker.exchange_ts)
  h = hashNext(h, ticker.last)
  h = hashNext(h, ticker.open)
  h = hashNext(h, ticker.high)
  h = hashNext(h, ticker.low)
  h = hashNext(h, ticker.prev_close)
  h = hashNext(h, ticker.bid)
  h = hashNext(h, ticker.bid_size)
  h = hashNext(h, ticker.ask)
  h = hashNext(h, ticker.ask_size)
  h = hashNext(h, ticker.base_volume)
  h = hashNext(h, ticker.quote_volume)
  h = hashNext(h, ticker.change)
  h = hashNext(h, ticker.change_rate)
  h = hashNext(h, ticker.price_window)
  return hashNext(h, ticker.volume_window)
}

export function tradeFingerprint(trade: TradeFacts): number {
  let h = hashTime(trade.exchange_ts)
  h = hashNext(h, trade.trade_id)
  h = hashNext(h, trade.price)
  h = hashNext(h, trade.size)
  h = hashNext(h, trade.side)
  return hashNext(h, trade.sequence)
}

const bidPrefix = hashText(hashStart, 'b|')
const askPrefix = hashText(hashStart, 'a|')

/**
 * Hash of one level, over `b|price|size` or `a|price|size`. A book's hash is the sum of its levels' hashes modulo 2^32
 * (`| 0` after each addition): it does not depend on their order, and a changed level is a subtraction and an addition.
 */
export function levelHash(side: 'bid' | 'ask', price: string, size: string): number {
  return hashNext(hashText(side === 'bid' ? bidPrefix : askPrefix, price), size)
}

/** State of a level's hash before its size: `b|price|`. */
export function levelHashPrefix(side: 'bid' | 'ask', price: string): number {
  return Math.imul(hashText(side === 'bid' ? bidPrefix : askPrefix, price) ^ bar, prime)
}

export function bookFingerprint(book: BookFacts): number {
  let h = hashTime(book.exchange_ts)
  h = hashNext(h, book.kind)
  h = hashNext(h, book.sequence_first)
  h = hashNext(h, book.sequence_last)
  h = hashNext(h, book.sequence_previous)
  for (let i = 0; i < book.bids.length; i++) {
    const level = book.bids[i]!
    h = hashFold(h, levelHash('bid', level.price, level.size))
  }
  for (let i = 0; i < book.asks.length; i++) {
    const level = book.asks[i]!
    h = hashFold(h, levelHash('ask', level.price, level.size))
  }
  return h
}

/** Order-independent hash of a whole book. */
export function bookHash(bids: readonly LevelFacts[], asks: readonly LevelFacts[]): number {
  let sum = 0
  for (const level of bids) sum = (sum + levelHash('bid', level.price, level.size)) | 0
  for (const level of asks) sum = (sum + levelHash('ask', level.price, level.size)) | 0
  return sum
}
