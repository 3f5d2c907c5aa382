import { writeAscii, writeDigits, writeEight } from '../digits.ts'
import { Market } from '../market.ts'
import { type MarketSpec } from '../market-spec.ts'
import { PriceLadder } from '../price-ladder.ts'
import { type TextTable } from '../text-table.ts'
import { UpbitTradeIds } from './upbit-trade-ids.ts'

/** Share of trades whose id is lower than that of the trade before (6 of 976 on the recorded wire). */
const lateIdRate = 0.006

/** What the three channels of one Upbit market share: the market and the venue's ways to write it. */
export class UpbitMarket {
  readonly market: Market
  readonly ids: UpbitTradeIds
  /** Prices of ticker and trade frames, on the wire and expanded. */
  readonly priceText: TextTable
  readonly priceTextExpanded: TextTable
  readonly previousClose: string
  readonly previousCloseExpanded: string
  readonly sizeWidth: number
  /** True once the trade channel is confirmed: then every trade is an event of its own. */
  tradesAreCounted = false
  readonly #date = new DayText()

  constructor(spec: MarketSpec, seed: number) {
    const ladder = new PriceLadder(spec, 'java')
    this.market = new Market(spec, ladder, seed)
    this.ids = new UpbitTradeIds(this.market.random, lateIdRate)
    const { plain, java, javaExpanded } = ladder.prices
    this.priceText = plain
    this.priceTextExpanded = plain === java ? javaExpanded : plain
    const previous = ladder.previousJava()
    this.previousClose = plain === java ? previous.wire : ladder.previousPlain()
    this.previousCloseExpanded = plain === java ? previous.expanded : this.previousClose
    this.sizeWidth = spec.sizeDigits + 9
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

  /** UTC day and time of the last trade, as the ticker writes them: `20260902`, `074620`. */
  writeTradeDay(bytes: Uint8Array, dateAt: number, timeAt: number): void {
    this.#date.set(this.market.lastTradeMs)
    writeAscii(bytes, dateAt, this.#date.compactDate)
    writeAscii(bytes, timeAt, this.#date.compactTime)
  }

  /** The same as a trade frame writes it: `2026-09-02`, `07:46:20`. */
  writeTradeTime(bytes: Uint8Array, dateAt: number, timeAt: number): void {
    this.#date.set(this.market.lastTradeMs)
    writeAscii(bytes, dateAt, this.#date.date)
    writeAscii(bytes, timeAt, this.#date.time)
  }
}

/** Date and time texts, made anew once a second. */
class DayText {
  date = ''
  time = ''
  compactDate = ''
  compactTime = ''
  #second = -1

  set(ms: number): void {
    const second = Math.floor(ms / 1000)
    if (second === this.#second) return
    this.#second = second
    const text = new Date(second * 1000).toISOString()
    this.date = text.slice(0, 10)
    this.time = text.slice(11, 19)
    this.compactDate = this.date.replaceAll('-', '')
    this.compactTime = this.time.replaceAll(':', '')
  }
}
