import { type ChannelFaults } from '../channel.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { LevelTexts } from '../level-texts.ts'
import { shortSize } from '../shared-market.ts'
import { ShownChannel } from '../shown-channel.ts'
import { TextChannel } from '../text-channel.ts'
import { TickBook } from '../tick-book.ts'
import { UniqueTimes } from '../unique-times.ts'
import { type WonMarket } from '../won-market.ts'

/** Levels a side of a book frame. */
const depth = 16

/** Ids are a time in milliseconds and a counter of three digits. */
const idOf = (ms: number) => `${ms}001`

/** The beginning of every data frame of a channel, up to the topic. */
function headOf(channel: string, ledger: ChannelLedger): string {
  const [target, quote] = ledger.symbol.split('-')
  return `{"response_type":"DATA","channel":"${channel}","data":{"quote_currency":"${quote}","target_currency":"${target}",`
}

/** Sent when the market traded: its best prices may lag behind the book. */
export class CoinoneTicker extends TextChannel {
  readonly #won: WonMarket
  readonly #head: string
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
    this.#head = headOf('TICKER', ledger)
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
    const fields = [
      `"timestamp":${ms},"quote_volume":"${won.quoteVolume}","target_volume":"${won.baseVolume}"`,
      `"high":"${won.high}","low":"${won.low}","first":"${won.open}","last":"${won.last}","volume_power":"0"`,
      `"ask_best_price":"${ask}","ask_best_qty":"${askSize}"`,
      `"bid_best_price":"${bid}","bid_best_qty":"${bidSize}","id":"${idOf(ms)}"`,
      `"yesterday_high":"${won.previous}","yesterday_low":"${won.previous}"`,
      `"yesterday_first":"${won.previous}","yesterday_last":"${won.previous}"`,
      `"yesterday_quote_volume":"${won.quoteVolume}","yesterday_target_volume":"${won.baseVolume}"`
    ]
    return `${this.#head}${fields.join(',')}}}`
  }
}

export class CoinoneTrade extends TextChannel {
  readonly #won: WonMarket
  readonly #head: string
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
    this.#head = headOf('TRADE', ledger)
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
    // The taker bought from a seller whose order was resting.
    return `${this.#head}"id":"${idOf(ms)}","timestamp":${ms},"price":"${this.#won.last}","qty":"${size}","is_seller_maker":${market.takerBuys}}}`
  }
}

/** A whole book in every frame: bids from the best, asks from the worst. */
export class CoinoneBook extends ShownChannel {
  readonly #head: string
  readonly #book: TickBook
  readonly #bids: LevelTexts
  readonly #asks: LevelTexts
  readonly #times = new UniqueTimes(1)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#head = headOf('ORDERBOOK', ledger)
    this.#book = new TickBook(won.market, won.bookForm, { opening: 40, depth: null })
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
    const id = idOf(ms)
    const [bids, asks] = [book.best(book.bids, depth), book.best(book.asks, depth)]
    const fingerprint = book.wholeFingerprint(`${ms}000|SNAPSHOT|~|${id}|~`, bids, asks)
    this.ledger.appendKeyed(fingerprint, Number(id))
    const levels = `"asks":[${this.#asks.join(asks.reverse())}],"bids":[${this.#bids.join(bids)}]`
    return `${this.#head}"timestamp":${ms},"id":"${id}",${levels}}}`
  }

  /** The current book with its id comes again; nothing marks it. */
  protected asSnapshot(payload: string): string {
    return payload
  }
}
