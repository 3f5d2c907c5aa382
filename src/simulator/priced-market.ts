import { type MarketSpec } from './market-spec.ts'
import { fixedSize, SharedMarket } from './shared-market.ts'

/** How a venue prints `integer × 10^scale`. */
export type PriceForm = (integer: number, scale: number) => string

/** A market with every price it can have as the venue prints it, and the figures of its day. */
export class PricedMarket extends SharedMarket {
  /** By tick, as records have them: without an exponent. */
  readonly prices: readonly string[]
  /** By tick, as they stand on the wire. */
  readonly wirePrices: readonly string[]
  protected readonly form: PriceForm

  /** @param wireForm where the venue prints exponents; records have the other form */
  constructor(spec: MarketSpec, seed: number, form: PriceForm, wireForm: PriceForm = form) {
    super(spec, seed)
    this.form = form
    this.prices = this.market.ladder.texts(form)
    this.wirePrices = wireForm === form ? this.prices : this.market.ladder.texts(wireForm)
  }

  get last(): string {
    return this.prices[this.market.lastTick]!
  }

  get open(): string {
    return this.prices[this.market.openTick]!
  }

  get high(): string {
    return this.prices[this.market.highTick]!
  }

  get low(): string {
    return this.prices[this.market.lowTick]!
  }

  /** Eight decimals. */
  get baseVolume(): string {
    return fixedSize(1000 + this.market.trades, this.market.lastSizeDecimals)
  }
}
