import { type MarketSpec } from './market-spec.ts'
import { shortDecimals } from './price-ladder.ts'
import { PricedMarket } from './priced-market.ts'
import { shortSize } from './shared-market.ts'
import { type BookForm } from './tick-book.ts'

/** A market of a Korean venue that prints prices as short as they are, and the figures of its day. */
export class WonMarket extends PricedMarket {
  readonly previous: string
  /** Books with prices and sizes as texts without zeros at their end. */
  readonly bookForm: BookForm
  #beforeTradesMs = 0

  constructor(spec: MarketSpec, seed: number) {
    super(spec, seed, shortDecimals)
    this.previous = this.market.ladder.previousText(shortDecimals)
    const { prices } = this
    this.bookForm = { prices, wirePrices: prices, size: shortSize, wireSize: shortSize, zero: '0' }
  }

  /** Distance of the last price from the previous close, without sign. */
  get distance(): string {
    return this.market.ladder.differenceText(this.market.lastTick, null, shortDecimals)
  }

  /** `-` in a market that falls, else nothing. */
  get sign(): string {
    return this.market.ladder.sign
  }

  /** The same distance as a share of the previous close; it lies between four and six hundredths. */
  get ratio(): number {
    const previous = Number(this.previous)
    return Math.abs(Number(this.last) - previous) / previous
  }

  /** Traded in the last 24 hours. */
  get quoteVolume(): string {
    return `${70_000_000 + this.market.trades}.${String(1 + (this.market.trades % 9999)).padStart(4, '0')}`
  }

  /** Time of the last trade; of some trade before the run while there was none. */
  tradedMs(nowMs: number): number {
    if (this.market.lastTradeMs > 0) return this.market.lastTradeMs
    if (this.#beforeTradesMs === 0) this.#beforeTradesMs = nowMs - 5000
    return this.#beforeTradesMs
  }
}
