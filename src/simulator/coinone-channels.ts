import { type ChannelFaults } from './channel.ts'
import { bookFingerprint, tickerFingerprint, tradeFingerprint } from './fingerprint.ts'
import { type ChannelLedger } from './ledger.ts'
import { shortSize } from './shared-market.ts'
import { ShownChannel } from './shown-channel.ts'
import { TextChannel } from './text-channel.ts'
import { type BookSide, TickBook } from './tick-book.ts'
import { UniqueTimes } from './unique-times.ts'
import { type WonMarket } from './won-market.ts'

/** Levels a side of a book frame. */
const depth = 16

/** Ids are a time in milliseconds and a counter of three digits. */
const idOf = (ms: number) => `${ms}001`

function frameOf(channel: string, ledger: ChannelLedger, fields: readonly string[]): string {
  const [target, quote] = ledger.symbol.split('-')
  const topic = `"quote_currency":"${quote}","target_currency":"${target}"`
  return `{"response_type":"DATA","channel":"${channel}","data":{${[topic, ...fields].join(',')}}}`
}

/** Sent when the market traded: its best prices may lag behind the book. */
export class CoinoneTicker extends TextChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected event(nowMs: number): string {
    const won = this.#won
    const { market } = won
    const ms = this.#times.take(nowMs)
    const [bid, ask] = [won.prices[market.bidTick]!, won.prices[market.bidTick + 1]!]
    const bidSize = shortSize(1 + market.sizeWhole(), market.random.below(100_000_000))
    const askSize = shortSize(1 + market.sizeWhole(), market.random.below(100_000_000))
    this.ledger.appendKeyed(
      tickerFingerprint({
        exchange_ts: ms * 1000,
        last: won.last,
        open: won.open,
        high: won.high,
        low: won.low,
        prev_close: won.previous,
        bid,
        bid_size: bidSize,
        ask,
        ask_size: askSize,
        base_volume: won.baseVolume,
        quote_volume: won.quoteVolume,
        change: null,
        change_rate: null,
        price_window: 'UTC_DAY',
        volume_window: 'ROLLING_24H'
      }),
      ms * 1000
    )
    return frameOf('TICKER', this.ledger, [
      `"timestamp":${ms},"quote_volume":"${won.quoteVolume}","target_volume":"${won.baseVolume}"`,
      `"high":"${won.high}","low":"${won.low}","first":"${won.open}","last":"${won.last}","volume_power":"0"`,
      `"ask_best_price":"${ask}","ask_best_qty":"${askSize}"`,
      `"bid_best_price":"${bid}","bid_best_qty":"${bidSize}","id":"${idOf(ms)}"`,
      `"yesterday_high":"${won.previous}","yesterday_low":"${won.previous}"`,
      `"yesterday_first":"${won.previous}","yesterday_last":"${won.previous}"`,
      `"yesterday_quote_volume":"${won.quoteVolume}","yesterday_target_volume":"${won.baseVolume}"`
    ])
  }
}

export class CoinoneTrade extends TextChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected event(nowMs: number): string {
    const { market } = this.#won
    const ms = this.#times.take(nowMs)
    market.trade(ms, market.random.below(100_000_000))
    const size = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    this.ledger.appendKeyed(
      tradeFingerprint({
        exchange_ts: ms * 1000,
        trade_id: idOf(ms),
        price: this.#won.last,
        size,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: null
      }),
      ms * 1000
    )
    return frameOf('TRADE', this.ledger, [
      `"id":"${idOf(ms)}","timestamp":${ms},"price":"${this.#won.last}","qty":"${size}"`,
      // The taker bought from a seller whose order was resting.
      `"is_seller_maker":${market.takerBuys}`
    ])
  }
}

/** A whole book in every frame: bids from the best, asks from the worst. */
export class CoinoneBook extends ShownChannel {
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
    this.#book = new TickBook(won.market, form, { opening: 40, depth: null })
  }

  protected next(nowMs: number): string {
    this.#book.step()
    const ms = this.#times.take(nowMs)
    const bids = this.#levels(this.#book.bids)
    const asks = this.#levels(this.#book.asks)
    const head = { exchange_ts: ms * 1000, kind: 'SNAPSHOT', sequence_first: null, sequence_previous: null }
    this.ledger.appendKeyed(
      bookFingerprint({ ...head, sequence_last: idOf(ms), bids, asks }),
      Number(idOf(ms))
    )
    const text = (levels: readonly { price: string; size: string }[]) =>
      levels.map(({ price, size }) => `{"price":"${price}","qty":"${size}"}`).join(',')
    return frameOf('ORDERBOOK', this.ledger, [
      `"timestamp":${ms},"id":"${idOf(ms)}"`,
      `"asks":[${text(asks.toReversed())}],"bids":[${text(bids)}]`
    ])
  }

  /** The current book with its id comes again; nothing marks it. */
  protected asSnapshot(payload: string): string {
    return payload
  }

  #levels(side: BookSide): { price: string; size: string }[] {
    return this.#book.best(side, depth).map(tick => ({ price: this.#prices[tick]!, size: side.sizes[tick]! }))
  }
}
