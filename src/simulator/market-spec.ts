import { type ExchangeName } from '../domain/target.ts'

/**
 * One simulated market. The previous close is `leading × 10^exponent`; prices stay 4 to 6 % above it (below, when the
 * market `falls`), so that every number of a frame keeps its width for the whole run and frames can be patched in place.
 */
export interface MarketSpec {
  readonly exchange: ExchangeName
  readonly base: string
  readonly quote: string
  readonly symbol: string
  readonly native: string
  readonly leading: 1 | 3 | 4 | 5 | 6 | 7 | 8 | 9
  readonly exponent: number
  readonly falls: boolean
  /** Integer digits of the sizes in its book and trades. */
  readonly sizeDigits: number
}

type Row = readonly [base: string, leading: MarketSpec['leading'], exponent: number, falls?: boolean]

const krw: readonly Row[] = [
  ['BTC', 1, 8],
  ['ETH', 4, 6],
  ['XRP', 3, 3],
  ['SOL', 3, 5],
  ['DOGE', 3, 2],
  ['ADA', 9, 2, true],
  ['AVAX', 3, 4],
  ['DOT', 6, 3, true],
  ['LINK', 3, 4, true],
  ['TRX', 4, 2],
  ['BCH', 7, 5],
  ['SUI', 5, 3],
  ['APT', 6, 3],
  ['NEAR', 4, 3, true],
  ['ATOM', 6, 3],
  ['SHIB', 1, -2],
  // Below a thousandth the venue writes every price with an exponent.
  ['BTT', 6, -4],
  ['XLM', 5, 2],
  ['ETC', 3, 4],
  ['SAND', 4, 2]
]

const usdt: readonly Row[] = [
  ['BTC', 1, 5],
  ['ETH', 4, 3],
  ['XRP', 3, 0],
  ['SOL', 1, 2],
  ['DOGE', 3, -1],
  ['BNB', 9, 2],
  ['ADA', 8, -1, true],
  ['AVAX', 3, 1],
  ['DOT', 4, 0, true],
  ['LINK', 1, 1],
  ['TRX', 3, -1],
  ['BCH', 5, 2],
  ['SUI', 3, 0],
  ['APT', 4, 0],
  ['NEAR', 3, 0, true],
  ['ATOM', 4, 0],
  ['LTC', 1, 2],
  ['XLM', 4, -1],
  ['ETC', 1, 1],
  ['SAND', 3, -1],
  ['UNI', 9, 0],
  ['AAVE', 3, 2],
  ['FIL', 4, 0],
  ['ICP', 5, 0, true],
  ['HBAR', 3, -1],
  ['VET', 4, -2],
  ['ALGO', 3, -1],
  ['GRT', 9, -2],
  ['MANA', 3, -1],
  ['AXS', 3, 0],
  ['THETA', 8, -1],
  ['EGLD', 1, 1],
  ['FLOW', 4, -1],
  ['XTZ', 7, -1],
  ['CHZ', 5, -2],
  ['EOS', 6, -1],
  ['KAVA', 4, -1],
  ['ZEC', 5, 1],
  ['DASH', 3, 1],
  ['NEO', 6, 0],
  ['IOTA', 3, -1],
  ['1INCH', 3, -1],
  ['CRV', 7, -1],
  ['COMP', 4, 1],
  ['SNX', 8, -1],
  ['MKR', 1, 3],
  ['INJ', 1, 1],
  ['ARB', 5, -1]
]

function sizeDigitsOf(exponent: number, dear: number): number {
  if (exponent >= dear) return 1
  return exponent >= dear - 3 ? 3 : 5
}

/** Markets against the Korean won; `nativeOf` writes a base as the venue writes the pair. */
export function wonMarkets(
  exchange: ExchangeName,
  nativeOf: (base: string) => string,
  count: number = krw.length
): readonly MarketSpec[] {
  return marketsOf(exchange, 'KRW', krw.slice(0, count), 5, nativeOf)
}

/** Markets against the dollar or one of its coins. */
export function dollarMarkets(
  exchange: ExchangeName,
  quote: 'USDT' | 'USD',
  nativeOf: (base: string) => string,
  count: number = usdt.length
): readonly MarketSpec[] {
  return marketsOf(exchange, quote, usdt.slice(0, count), 2, nativeOf)
}

function marketsOf(
  exchange: ExchangeName,
  quote: string,
  rows: readonly Row[],
  dear: number,
  nativeOf: (base: string) => string
): readonly MarketSpec[] {
  return rows.map(([base, leading, exponent, falls]) => ({
    exchange,
    base,
    quote,
    symbol: `${base}-${quote}`,
    native: nativeOf(base),
    leading,
    exponent,
    falls: falls === true,
    sizeDigits: sizeDigitsOf(exponent, dear)
  }))
}

export const upbitMarkets = wonMarkets('upbit', base => `KRW-${base}`)
export const binanceMarkets = dollarMarkets('binance', 'USDT', base => `${base}USDT`)
