import { writeDigits, writeEight } from '../digits.ts'
import { Market } from '../market.ts'
import { type MarketSpec } from '../market-spec.ts'
import { PriceLadder } from '../price-ladder.ts'

const firstTradeId = 1_300_000_000

/** What the three channels of one Binance market share. */
export class BinanceMarket {
  readonly market: Market
  /** Name in streams, lower case. */
  readonly streamName: string
  readonly sizeWidth: number
  tradesAreCounted = false
  readonly #firstTradeId: number

  constructor(spec: MarketSpec, seed: number) {
    this.market = new Market(spec, new PriceLadder(spec, 'plain'), seed)
    this.streamName = spec.native.toLowerCase()
    this.sizeWidth = spec.sizeDigits + 9
    this.#firstTradeId = firstTradeId + this.market.random.below(100_000_000)
  }

  /** Ids are contiguous per symbol and always ten digits. */
  get lastTradeId(): number {
    return this.#firstTradeId + this.market.trades
  }

  /** A trade that nobody counts, so that a ticker moves although its market's trades are not subscribed. */
  silentTrade(nowMs: number): void {
    this.market.trade(nowMs, this.market.random.below(100_000_000))
  }

  writeSize(bytes: Uint8Array, at: number, whole: number, decimals: number): void {
    const digits = this.market.spec.sizeDigits
    writeDigits(bytes, at, whole, digits)
    bytes[at + digits] = 0x2e
    writeEight(bytes, at + digits + 1, decimals)
  }
}
