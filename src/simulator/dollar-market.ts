import { type MarketSpec } from './market-spec.ts'
import { SharedMarket } from './shared-market.ts'

/** How a venue prints `integer × 10^scale`. */
type PriceForm = (integer: number, scale: number) => string

/** A market whose prices are printed in a venue's own form, and the figures of its last 24 hours. */
export class DollarMarket extends SharedMarket {
  /** By tick. */
  readonly prices: readonly string[]
  readonly #form: PriceForm

  constructor(spec: MarketSpec, seed: number, form: PriceForm) {
    super(spec, seed)
    this.#form = form
    this.prices = this.market.ladder.texts(form)
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

  /** From the opening price to the last one, with its sign. */
  get change(): string {
    const { ladder, lastTick, openTick } = this.market
    return this.#sign + ladder.differenceText(lastTick, openTick, this.#form)
  }

  /** The same as a share of the opening price, with its sign unless all digits are zero. */
  changeShare(percent: boolean, decimals: number): string {
    const share = Math.abs(Number(this.last) - Number(this.open)) / Number(this.open)
    const text = (percent ? share * 100 : share).toFixed(decimals)
    return /[1-9]/.test(text) ? this.#sign + text : text
  }

  /** Eight decimals. */
  get baseVolume(): string {
    return `${1000 + this.market.trades}.${String(this.market.lastSizeDecimals).padStart(8, '0')}`
  }

  get #sign(): string {
    return this.market.lastTick < this.market.openTick ? '-' : ''
  }
}
