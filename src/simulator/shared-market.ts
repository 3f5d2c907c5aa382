import { Market } from './market.ts'
import { type MarketSpec } from './market-spec.ts'
import { PriceLadder } from './price-ladder.ts'

const firstTradeId = 1_300_000_000

/** What the three channels of one market share, on venues whose frames are written as text. */
export class SharedMarket {
  readonly market: Market
  /** Set when the trade channel is confirmed: until then a ticker makes the trades it shows by itself. */
  tradesAreCounted = false
  readonly #firstTradeId: number

  constructor(spec: MarketSpec, seed: number) {
    this.market = new Market(spec, new PriceLadder(spec, 'plain'), seed)
    this.#firstTradeId = firstTradeId + this.market.random.below(100_000_000)
  }

  /** Ids are contiguous per symbol. The id of the last trade, whether somebody saw it or not. */
  get lastTradeId(): number {
    return this.#firstTradeId + this.market.trades
  }

  /** A trade that nobody counts, so that a ticker moves although its market's trades are not subscribed. */
  silentTrade(nowMs: number): void {
    this.market.trade(nowMs, this.market.random.below(100_000_000))
  }
}

/** `whole` and eight decimals: `12.00340000`. */
export function fixedSize(whole: number, decimals: number): string {
  return `${whole}.${String(decimals).padStart(8, '0')}`
}

/** The same without zeros at the end: `12.0034`. */
export function shortSize(whole: number, decimals: number): string {
  if (decimals === 0) return String(whole)
  return `${whole}.${String(decimals).padStart(8, '0').replace(/0+$/, '')}`
}
