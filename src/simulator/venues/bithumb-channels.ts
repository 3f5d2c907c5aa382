import { type ChannelFaults } from '../channel.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { ShownChannel } from '../shown-channel.ts'
import { binaryFrame } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'
import { UniqueTimes } from '../unique-times.ts'
import { type WonMarket } from '../won-market.ts'

const koreaAheadMs = 9 * 3_600_000
/** Units of a book frame. */
const units = 15
/** Some markets have fewer orders than a frame has units. */
const shallowBases = new Set(['BTT', 'SAND'])
const shallowDepth = 9

/** Every frame says whether it was sent because something happened or because somebody subscribed. */
abstract class BithumbChannel extends ShownChannel {
  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults, binaryFrame)
  }

  protected asSnapshot(payload: string): string {
    return payload.replace('"stream_type":"REALTIME"', '"stream_type":"SNAPSHOT"')
  }
}

/** Sizes have four decimals. */
function fourDecimals(whole: number, decimals: number): string {
  const four = Math.floor(decimals / 10_000)
  return `${whole}.${String(whole === 0 && four === 0 ? 1 : four).padStart(4, '0')}`
}

/** Date and time in Korea, written anew once a second. */
class KoreaClock {
  /** `2026-09-21`, `23:13:20`. */
  date = ''
  time = ''
  #second = Number.NaN

  set(ms: number): void {
    const second = Math.floor(ms / 1000)
    if (second === this.#second) return
    this.#second = second
    const text = new Date(ms + koreaAheadMs).toISOString()
    this.date = text.slice(0, 10)
    this.time = text.slice(11, 19)
  }
}

export class BithumbTicker extends BithumbChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)
  readonly #clock = new KoreaClock()

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected next(nowMs: number): string {
    const won = this.#won
    this.ledger.appendKeyed(
      tickerFingerprint({
        exchange_ts: this.#times.take(nowMs) * 1000,
        last: won.last,
        open: won.open,
        high: won.high,
        low: won.low,
        prev_close: won.previous,
        bid: null,
        bid_size: null,
        ask: null,
        ask_size: null,
        base_volume: won.baseVolume,
        quote_volume: won.quoteVolume,
        change: won.sign + won.distance,
        change_rate: won.sign + won.ratio.toFixed(8),
        price_window: 'LOCAL_DAY',
        volume_window: 'ROLLING_24H'
      }),
      this.#times.last * 1000
    )
    return this.#payload()
  }

  #payload(): string {
    const won = this.#won
    const { market } = won
    const tradedMs = won.tradedMs(this.#times.last)
    this.#clock.set(tradedMs)
    const { date, time } = this.#clock
    const rate = won.ratio.toFixed(8)
    const fields = [
      `"type":"ticker","code":"${this.ledger.native}"`,
      `"opening_price":${won.open},"high_price":${won.high},"low_price":${won.low},"trade_price":${won.last}`,
      `"prev_closing_price":${won.previous},"change":"${won.sign === '' ? 'RISE' : 'FALL'}"`,
      `"change_price":${won.distance},"signed_change_price":${won.sign}${won.distance}`,
      `"change_rate":${rate},"signed_change_rate":${won.sign}${rate}`,
      `"trade_volume":${fourDecimals(market.lastSizeWhole, market.lastSizeDecimals)}`,
      `"acc_trade_volume":${won.baseVolume},"acc_trade_volume_24h":${won.baseVolume}`,
      `"acc_trade_price":${won.quoteVolume},"acc_trade_price_24h":${won.quoteVolume}`,
      `"trade_date":"${date.replaceAll('-', '')}","trade_time":"${time.replaceAll(':', '')}"`,
      `"trade_timestamp":${tradedMs},"ask_bid":"${market.takerBuys ? 'BID' : 'ASK'}"`,
      `"acc_ask_volume":${won.baseVolume},"acc_bid_volume":${won.baseVolume}`,
      `"highest_52_week_price":${won.high},"highest_52_week_date":"2026-08-14"`,
      `"lowest_52_week_price":${won.low},"lowest_52_week_date":"2025-10-10"`,
      '"market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":null,"market_warning":"NONE"',
      `"timestamp":${this.#times.last},"stream_type":"REALTIME"`
    ]
    return `{${fields.join(',')}}`
  }
}

/** Ids have nineteen digits, more than a double holds. */
export class BithumbTrade extends BithumbChannel {
  readonly #won: WonMarket
  readonly #times = new UniqueTimes(1)
  readonly #clock = new KoreaClock()

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#won = won
  }

  protected next(nowMs: number): string {
    const { market } = this.#won
    const ms = this.#times.take(nowMs)
    market.trade(ms, market.random.below(100_000_000))
    this.ledger.appendKeyed(
      tradeFingerprint({
        exchange_ts: ms * 1000,
        trade_id: this.#id,
        price: this.#won.last,
        size: this.#size,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: null
      }),
      ms * 1000
    )
    return this.#payload()
  }

  #payload(): string {
    const ms = this.#times.last
    this.#clock.set(ms)
    const { date, time } = this.#clock
    const fields = [
      `"type":"trade","code":"${this.ledger.native}"`,
      `"trade_price":${this.#won.last},"trade_volume":${this.#size}`,
      `"ask_bid":"${this.market.takerBuys ? 'BID' : 'ASK'}","trade_date":"${date}","trade_time":"${time}"`,
      `"trade_timestamp":${ms},"sequential_id":${this.#id},"timestamp":${ms + 4}`,
      `"stream_type":"REALTIME"`
    ]
    return `{${fields.join(',')}}`
  }

  get #id(): string {
    return `1${this.#times.last}${String(this.market.trades % 100_000).padStart(5, '0')}`
  }

  get #size(): string {
    return fourDecimals(this.market.lastSizeWhole, this.market.lastSizeDecimals)
  }
}

/**
 * A whole book in every frame: the n-th best ask beside the n-th best bid. Orders of dust print as a size of zero, and
 * where a side is short its price is zero as well.
 */
export class BithumbBook extends BithumbChannel {
  readonly #book: TickBook
  readonly #prices: readonly string[]
  readonly #times = new UniqueTimes(1000)

  constructor(won: WonMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(won, ledger, faults)
    this.#prices = won.prices
    const form = { ...won.bookForm, size: fourDecimals, wireSize: fourDecimals }
    const isShallow = shallowBases.has(won.market.spec.base)
    const shape = isShallow ? { opening: shallowDepth, depth: shallowDepth } : { opening: 40, depth: null }
    this.#book = new TickBook(won.market, form, shape)
  }

  protected next(nowMs: number): string {
    const book = this.#book
    book.step()
    const micros = this.#times.take(nowMs)
    const [bids, asks] = [this.#shown(book.bids), this.#shown(book.asks)]
    const isLevel = (side: BookSide) => (tick: number) => side.sizes[tick] !== ''
    const fingerprint = book.wholeFingerprint(
      `${micros}|SNAPSHOT|~|~|~`,
      bids.filter(isLevel(book.bids)),
      asks.filter(isLevel(book.asks))
    )
    this.ledger.appendKeyed(fingerprint, micros)
    return this.#payload(micros, bids, asks)
  }

  #payload(micros: number, bids: readonly number[], asks: readonly number[]): string {
    const book = this.#book
    let list = ''
    for (let n = 0; n < units; n++) {
      const [ask, bid] = [asks[n], bids[n]]
      list +=
        `${n === 0 ? '' : ','}{"ask_price":${this.#price(ask)},"bid_price":${this.#price(bid)},` +
        `"ask_size":${sizeOf(book.asks, ask)},"bid_size":${sizeOf(book.bids, bid)}}`
    }
    const totals = `"total_ask_size":${totalOf(book.asks, asks)},"total_bid_size":${totalOf(book.bids, bids)}`
    return (
      `{"type":"orderbook","code":"${this.ledger.native}",${totals},"orderbook_units":[${list}],` +
      `"level":1,"timestamp":${micros},"stream_type":"REALTIME"}`
    )
  }

  /** The ticks of a side's units: its levels, and what lies between them as dust. */
  #shown(side: BookSide): number[] {
    const worst = this.#book.best(side, units).at(-1)!
    const step = side.name === 'bid' ? -1 : 1
    const ticks: number[] = []
    const from = side.name === 'bid' ? this.#book.bidTick : this.#book.bidTick + 1
    for (let tick = from; ticks.length < units; tick += step) {
      ticks.push(tick)
      if (tick === worst) break
    }
    return ticks
  }

  #price(tick: number | undefined): string {
    return tick === undefined ? '0' : this.#prices[tick]!
  }
}

/** Padding has no size at all, dust one that is too small to be printed. */
function sizeOf(side: BookSide, tick: number | undefined): string {
  if (tick === undefined) return '0'
  return side.wireSizes[tick] === '' ? '0.0000' : side.wireSizes[tick]!
}

function totalOf(side: BookSide, ticks: readonly number[]): string {
  let sum = 0
  for (const tick of ticks) sum += Number(side.sizes[tick])
  return sum.toFixed(4)
}
