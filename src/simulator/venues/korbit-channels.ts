import { type ChannelFaults } from '../channel.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { LevelTexts } from '../level-texts.ts'
import { shortSize } from '../shared-market.ts'
import { ShownChannel } from '../shown-channel.ts'
import { TickBook } from '../tick-book.ts'
import { UniqueTimes } from '../unique-times.ts'
import { type WonMarket } from '../won-market.ts'

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
        price_window: 'UNKNOWN',
        volume_window: 'UNKNOWN'
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
  readonly #bids: LevelTexts
  readonly #asks: LevelTexts
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#book = new TickBook(won.market, won.bookForm, { opening: 60, depth: null })
    const level = (tick: number, size: string) => `{"price":"${won.prices[tick]}","qty":"${size}"}`
    this.#bids = new LevelTexts(this.#book.bids, level)
    this.#asks = new LevelTexts(this.#book.asks, level)
  }

  protected next(nowMs: number): string {
    const book = this.#book
    book.step()
    this.#bids.follow()
    this.#asks.follow()
    const ms = this.#times.take(nowMs)
    const [bids, asks] = [book.best(book.bids, depth), book.best(book.asks, depth)]
    this.ledger.appendKeyed(book.wholeFingerprint(`${ms}000|SNAPSHOT|~|~|~`, bids, asks), ms * 1000)
    const data = `{"timestamp":${ms},"asks":[${this.#asks.join(asks)}],"bids":[${this.#bids.join(bids)}]}`
    // The frame's own time is that of sending.
    return this.frame('orderbook', ms + 30, data)
  }
}
