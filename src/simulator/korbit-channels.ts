import { type ChannelFaults } from './channel.ts'
import { bookFingerprint, tickerFingerprint, tradeFingerprint } from './fingerprint.ts'
import { type ChannelLedger } from './ledger.ts'
import { shortSize } from './shared-market.ts'
import { ShownChannel } from './shown-channel.ts'
import { type BookSide, TickBook } from './tick-book.ts'
import { UniqueTimes } from './unique-times.ts'
import { type WonMarket } from './won-market.ts'

/** Levels a side of a book frame. */
const depth = 30

/** Ids of trades grow and have holes. */
const tradeIdStep = 3
const firstTradeId = 25_000_000

/** Frames of a symbol; the first one of a subscription carries a mark. */
abstract class KorbitChannel extends ShownChannel {
  protected frame(type: string, ms: number, data: string): string {
    return `{"symbol":"${this.ledger.native}","timestamp":${ms},"type":"${type}","data":${data}}`
  }

  protected asSnapshot(payload: string): string {
    return payload.replace(',"data":', ',"snapshot":true,"data":')
  }
}

export class KorbitTicker extends KorbitChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected next(nowMs: number): string {
    const won = this.#won
    const { market } = won
    const ms = this.#times.take(nowMs)
    const percent = (won.ratio * 100).toFixed(2)
    const [bid, ask] = [won.prices[market.bidTick]!, won.prices[market.bidTick + 1]!]
    const change = won.sign + won.distance
    this.ledger.appendKeyed(
      tickerFingerprint({
        exchange_ts: ms * 1000,
        last: won.last,
        open: won.open,
        high: won.high,
        low: won.low,
        prev_close: won.previous,
        bid,
        bid_size: null,
        ask,
        ask_size: null,
        base_volume: won.baseVolume,
        quote_volume: won.quoteVolume,
        change,
        // One digit, the point and two: four to six percent.
        change_rate: `${won.sign}0.0${percent.replace('.', '')}`,
        price_window: 'ROLLING_24H',
        volume_window: 'ROLLING_24H'
      }),
      ms * 1000
    )
    const data = [
      `"open":"${won.open}","high":"${won.high}","low":"${won.low}","close":"${won.last}"`,
      `"prevClose":"${won.previous}","priceChange":"${change}","priceChangePercent":"${won.sign}${percent}"`,
      `"volume":"${won.baseVolume}","quoteVolume":"${won.quoteVolume}"`,
      `"bestAskPrice":"${ask}","bestBidPrice":"${bid}","lastTradedAt":${won.tradedMs(nowMs)}`
    ]
    return this.frame('ticker', ms, `{${data.join(',')}}`)
  }
}

export class KorbitTrade extends KorbitChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected next(nowMs: number): string {
    const { market } = this.#won
    const ms = this.#times.take(nowMs)
    market.trade(ms, market.random.below(100_000_000))
    const size = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    const id = firstTradeId + market.trades * tradeIdStep
    this.ledger.appendKeyed(
      tradeFingerprint({
        exchange_ts: ms * 1000,
        trade_id: String(id),
        price: this.#won.last,
        size,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: null
      }),
      ms * 1000
    )
    const trade = `{"timestamp":${ms},"price":"${this.#won.last}","qty":"${size}","isBuyerTaker":${market.takerBuys},"tradeId":${id}}`
    return this.frame('trade', ms + 5, `[${trade}]`)
  }
}

/** A whole book in every frame, best first on both sides. */
export class KorbitBook extends KorbitChannel {
  readonly #book: TickBook
  readonly #prices: readonly string[]
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#prices = won.prices
    const form = {
      prices: won.prices,
      wirePrices: won.prices,
      size: shortSize,
      wireSize: shortSize,
      zero: '0'
    }
    this.#book = new TickBook(won.market, form, { opening: 60, depth: null })
  }

  protected next(nowMs: number): string {
    this.#book.step()
    const ms = this.#times.take(nowMs)
    const bids = this.#levels(this.#book.bids)
    const asks = this.#levels(this.#book.asks)
    this.ledger.appendKeyed(
      bookFingerprint({
        exchange_ts: ms * 1000,
        kind: 'SNAPSHOT',
        sequence_first: null,
        sequence_last: null,
        sequence_previous: null,
        bids,
        asks
      }),
      ms * 1000
    )
    const text = (levels: readonly { price: string; size: string }[]) =>
      levels.map(({ price, size }) => `{"price":"${price}","qty":"${size}"}`).join(',')
    const data = `{"timestamp":${ms},"asks":[${text(asks)}],"bids":[${text(bids)}]}`
    // The frame's own time is that of sending.
    return this.frame('orderbook', ms + 30, data)
  }

  #levels(side: BookSide): { price: string; size: string }[] {
    return this.#book.best(side, depth).map(tick => ({ price: this.#prices[tick]!, size: side.sizes[tick]! }))
  }
}
