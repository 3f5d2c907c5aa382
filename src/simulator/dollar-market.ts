import { PricedMarket } from './priced-market.ts'

/** A market that tells how its price moved in the last 24 hours. */
export class DollarMarket extends PricedMarket {
  /** From the opening price to the last one, with its sign. */
  get change(): string {
    const { ladder, lastTick, openTick } = this.market
    return this.#sign + ladder.differenceText(lastTick, openTick, this.form)
  }

  /** The same as a share of the opening price, with its sign unless all digits are zero. */
  changeShare(percent: boolean, decimals: number): string {
    const share = Math.abs(Number(this.last) - Number(this.open)) / Number(this.open)
    const text = (percent ? share * 100 : share).toFixed(decimals)
    return /[1-9]/.test(text) ? this.#sign + text : text
  }

  get #sign(): string {
    return this.market.lastTick < this.market.openTick ? '-' : ''
  }
}
