import { type ChannelFaults, type Listener } from '../channel.ts'
import { checksumOf } from '../checksum.ts'
import { DollarMarket } from '../dollar-market.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type MarketSpec } from '../market-spec.ts'
import { shortDecimals } from '../price-ladder.ts'
import { shortSize } from '../shared-market.ts'
import { bareFrame, TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'
import { UniqueTimes } from '../unique-times.ts'

/** Levels a side of a book, and of its checksum. */
export const bitfinexDepth = 25
const recentTrades = 30

/** Digits of the event's milliseconds, which stand before the content in the payloads of these channels. */
export const bitfinexTimeDigits = 13

/** As JavaScript prints the number. */
function number(text: string): string {
  return String(Number(text))
}

/** Without zeros at the end, as a record has it. */
function shorten(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

export class BitfinexMarket extends DollarMarket {
  constructor(spec: MarketSpec, seed: number) {
    super(spec, seed, shortDecimals)
  }
}

/**
 * A channel whose payloads are `<milliseconds><content>`: every connection puts its own number in front of the content and
 * its own trailer behind.
 */
export abstract class BitfinexChannel extends TextChannel {
  protected readonly bitfinex: BitfinexMarket
  protected readonly times = new UniqueTimes(1)

  constructor(bitfinex: BitfinexMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(bitfinex, ledger, faults, bareFrame)
    this.bitfinex = bitfinex
  }

  /** The state that every new subscriber gets. */
  abstract greet(listener: Listener): void
}

/** @see https://docs.bitfinex.com/reference/ws-public-ticker */
export class BitfinexTicker extends BitfinexChannel {
  #last = ''
  #before = ''

  greet(listener: Listener): void {
    if (this.ledger.count === 0) this.make(Date.now())
    this.release()
    // Nothing marks it as shown again, so it is what went over the wire last.
    const wasSwapped = this.ledger.swapped.has(this.ledger.count - 2)
    this.show(listener, wasSwapped ? this.#before : this.#last)
  }

  protected event(nowMs: number): string {
    const { market, last, high, low, change, prices } = this.bitfinex
    const ms = this.times.take(nowMs)
    const [bid, ask] = [prices[market.bidTick]!, prices[market.bidTick + 1]!]
    const rate = shorten(this.bitfinex.changeShare(false, 7))
    const volume = shorten(this.bitfinex.baseVolume)
    const fingerprint = tickerFingerprint({
      exchange_ts: ms * 1000,
      last,
      open: null,
      high,
      low,
      prev_close: null,
      bid,
      bid_size: null,
      ask,
      ask_size: null,
      base_volume: volume,
      quote_volume: null,
      change,
      change_rate: rate,
      price_window: 'ROLLING_24H',
      volume_window: 'ROLLING_24H'
    })
    this.ledger.appendKeyed(fingerprint, ms * 1000)
    // The sizes are sums over the best 25 levels.
    const sum = () => number(shortSize(25 + market.sizeWhole(), market.random.below(100_000_000)))
    const values = [
      ...[number(bid), sum(), number(ask), sum(), number(change), number(rate), number(last)],
      ...[number(volume), number(high), number(low), 'null']
    ]
    this.#before = this.#last
    this.#last = `${ms}[${values.join(',')}]`
    return this.#last
  }
}

/** Ids are unique over all markets. @see https://docs.bitfinex.com/reference/ws-public-trades */
export class BitfinexTrade extends BitfinexChannel {
  readonly #recent: { readonly ordinal: number; readonly row: string }[] = []

  /** The latest trades in one list, the newest first, in the order in which they went over the wire. */
  greet(listener: Listener): void {
    const rows = this.#recent
      .map(({ ordinal, row }) => ({ place: this.ledger.wirePosition(ordinal), row }))
      .sort((a, b) => b.place - a.place)
    this.show(listener, `${Date.now()}[${rows.map(({ row }) => row).join(',')}]`)
  }

  protected event(nowMs: number): string {
    const { market } = this.bitfinex
    market.trade(nowMs, market.random.below(100_000_000))
    const { last, lastTradeId } = this.bitfinex
    const ms = this.times.take(nowMs)
    const size = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    // Trades of other markets take ids in between.
    const id = lastTradeId * 3 + (lastTradeId % 2)
    const fingerprint = tradeFingerprint({
      exchange_ts: ms * 1000,
      trade_id: String(id),
      price: last,
      size,
      side: market.takerBuys ? 'BUY' : 'SELL',
      sequence: null
    })
    this.ledger.appendKeyed(fingerprint, ms * 1000)
    const row = `[${id},${ms},${market.takerBuys ? '' : '-'}${number(size)},${number(last)}]`
    if (this.#recent.push({ ordinal: this.ledger.count - 1, row }) > recentTrades) this.#recent.shift()
    return `${ms}${row}`
  }
}

/** One level a frame, of the best 25 a side. @see https://docs.bitfinex.com/reference/ws-public-books */
export class BitfinexBook extends BitfinexChannel {
  readonly #book: TickBook
  readonly #wirePrices: readonly string[]

  constructor(bitfinex: BitfinexMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    // Frames are numbered as they leave: nobody could tell two updates that changed places, so they never do.
    super(bitfinex, ledger, { ...faults, reorderRate: 0 })
    const { prices } = bitfinex
    this.#wirePrices = prices.map(number)
    const form = {
      prices,
      wirePrices: this.#wirePrices,
      size: shortSize,
      wireSize: (whole: number, decimals: number) => number(shortSize(whole, decimals)),
      zero: '0'
    }
    this.#book = new TickBook(bitfinex.market, form, { opening: bitfinexDepth, depth: bitfinexDepth })
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.times.take(atMs) * 1000
      this.ledger.baseHash = this.#book.hash
    }
    super.confirm(atMs)
  }

  greet(listener: Listener): void {
    const { bids, asks } = this.#book
    const rows = [bids, asks].flatMap(side =>
      this.#book.best(side, Number.POSITIVE_INFINITY).map(tick => this.#level(side, tick))
    )
    this.show(listener, `${this.times.last}[${rows.join(',')}]`)
  }

  /** The sum over the book as it is now, for whoever asked for sums. */
  showChecksum(listener: Listener): void {
    const [bids, asks] = [this.#book.bids, this.#book.asks].map(side =>
      this.#book
        .best(side, bitfinexDepth)
        .map(tick => `${this.#wirePrices[tick]!}:${signOf(side)}${side.wireSizes[tick]!}`)
    )
    const texts: string[] = []
    for (let n = 0; n < bitfinexDepth; n++) {
      for (const text of [bids![n], asks![n]]) if (text !== undefined) texts.push(text)
    }
    const sum = checksumOf(texts.join(':'))
    const signed = sum >= 0x8000_0000 ? sum - 0x1_0000_0000 : sum
    this.show(listener, `${Date.now()}"cs",${signed}`, true)
  }

  protected event(nowMs: number): string {
    this.#book.stepOne()
    const ms = this.times.take(nowMs)
    const fingerprint = this.#book.changeFingerprint(`${ms * 1000}|DELTA|~|~|~`)
    this.ledger.appendDelta(fingerprint, ms * 1000, this.#book.hash)
    const { bids, asks } = this.#book
    const side = bids.changed.length > 0 ? bids : asks
    return `${ms}${this.#level(side, side.changed[0]!)}`
  }

  /** A count of zero takes the level away, and the amount is only a sign then. */
  #level(side: BookSide, tick: number): string {
    const size = side.wireSizes[tick]!
    const count = size === '' ? 0 : 1 + (tick % 5)
    return `[${this.#wirePrices[tick]!},${count},${signOf(side)}${size === '' ? '1' : size}]`
  }
}

function signOf(side: BookSide): string {
  return side.name === 'bid' ? '' : '-'
}
