import { type MarketSpec } from './market-spec.ts'
import { ladderMargin, ladderTicks, type PriceLadder } from './price-ladder.ts'
import { Random } from './random.ts'

/** Within this time a trade shows in the ticker and in the book. */
export const evidenceWithinMs = 400

/**
 * One market: a best bid that walks over the price ladder, moved by its trades. Ticker and book are views of it; each
 * venue writes them its own way. Time is given, never read, so the same seed and the same calls make the same events.
 */
export class Market {
  readonly spec: MarketSpec
  readonly ladder: PriceLadder
  readonly random: Random
  /** The best ask is one tick above the best bid. */
  bidTick: number
  readonly openTick: number
  highTick: number
  lowTick: number
  lastTick: number
  /** Integer part and eight decimals of the last trade's size. */
  lastSizeWhole = 0
  lastSizeDecimals = 0
  takerBuys = true
  lastTradeMs = 0
  /** Trades so far, counted or not. */
  trades = 0
  /** When ticker and book must have moved because of a trade; 0: nothing owed. */
  tickerDueMs = 0
  bookDueMs = 0

  constructor(spec: MarketSpec, ladder: PriceLadder, seed: number) {
    this.spec = spec
    this.ladder = ladder
    this.random = new Random(seed, `${spec.exchange}/${spec.symbol}`)
    this.bidTick = ladderTicks / 2 + this.random.below(100) - 50
    this.openTick = this.bidTick
    this.highTick = this.bidTick
    this.lowTick = this.bidTick
    this.lastTick = this.bidTick
    this.lastSizeWhole = this.sizeWhole()
    this.lastSizeDecimals = this.random.below(100_000_000)
  }

  /** One trade. `sizeDecimals` are the eight decimals of its size (an ordinal hides there on some venues). */
  trade(nowMs: number, sizeDecimals: number): void {
    const draw = this.random.next()
    this.takerBuys = (draw & 1) === 1
    this.lastTick = this.takerBuys ? this.bidTick + 1 : this.bidTick
    // One trade in four takes the best level away and so moves the book by a tick.
    if ((draw & 6) === 6) {
      const next = this.takerBuys ? this.bidTick + 1 : this.bidTick - 1
      if (next >= ladderMargin && next < ladderTicks - ladderMargin) this.bidTick = next
    }
    if (this.lastTick > this.highTick) this.highTick = this.lastTick
    if (this.lastTick < this.lowTick) this.lowTick = this.lastTick
    this.lastSizeWhole = this.sizeWhole()
    this.lastSizeDecimals = sizeDecimals
    if (this.lastSizeWhole === 0 && sizeDecimals === 0) this.lastSizeWhole = 1
    this.lastTradeMs = nowMs
    this.trades++
    if (this.tickerDueMs === 0) this.tickerDueMs = nowMs + evidenceWithinMs
    if (this.bookDueMs === 0) this.bookDueMs = nowMs + evidenceWithinMs
  }

  /** Integer part of a size: as many digits as the market's sizes have, one digit may be zero. */
  sizeWhole(): number {
    const digits = this.spec.sizeDigits
    if (digits === 1) return this.random.below(10)
    const lowest = 10 ** (digits - 1)
    return lowest + this.random.below(lowest * 9)
  }
}
