import { type MarketSpec } from './market-spec.ts'
import { SharedMarket } from './shared-market.ts'

/** What the three channels of one market share, with every price it can have as the venue prints it. */
export class PricedMarket extends SharedMarket {
  /** By tick, as records have them: without an exponent. */
  readonly prices: readonly string[]
  /** By tick, as they stand on the wire. */
  readonly wirePrices: readonly string[]

  /** @param form how the venue prints `integer × 10^scale`, and the same without an exponent */
  constructor(
    spec: MarketSpec,
    seed: number,
    form: (integer: number, scale: number) => { readonly wire: string; readonly expanded: string }
  ) {
    super(spec, seed)
    const { ladder } = this.market
    this.prices = ladder.texts((integer, scale) => form(integer, scale).expanded)
    this.wirePrices = ladder.texts((integer, scale) => form(integer, scale).wire)
  }
}
