import { type ChannelFaults } from '../channel.ts'
import { emptySide } from '../empty-side.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { ordinalModulus, scatterOrdinal } from '../ordinal-digits.ts'
import { type PricedMarket } from '../priced-market.ts'
import { shortSize } from '../shared-market.ts'
import { ShownChannel } from '../shown-channel.ts'
import { TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'

const openingLevels = 200
const depth = 400

/** `tickers`. Every number is a text, an empty one for a side without orders. The ordinal stands in the decimals of the base volume. */
export class OkxTicker extends ShownChannel {
  readonly #priced: PricedMarket
  readonly #volumeWhole: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults)
    this.#priced = priced
    this.#volumeWhole = 1000 + priced.market.random.below(9_000_000)
  }

  protected next(nowMs: number): string {
    const { market, prices } = this.#priced
    const { random } = market
    const [last, open] = [prices[market.lastTick]!, prices[market.openTick]!]
    const [high, low] = [prices[market.highTick]!, prices[market.lowTick]!]
    const empty = emptySide(random)
    const bid = empty === 'bid' ? null : prices[market.bidTick]!
    const ask = empty === 'ask' ? null : prices[market.bidTick + 1]!
    const bidSize = bid === null ? null : shortSize(market.sizeWhole(), 1 + random.below(99_999_999))
    const askSize = ask === null ? null : shortSize(market.sizeWhole(), 1 + random.below(99_999_999))
    const volume = shortSize(this.#volumeWhole, this.ledger.count % ordinalModulus)
    const quoteVolume = shortSize(1 + random.below(900_000_000), random.below(100_000_000))
    this.ledger.append(
      tickerFingerprint({
        exchange_ts: nowMs * 1000,
        last,
        open,
        high,
        low,
        prev_close: null,
        bid,
        bid_size: bidSize,
        ask,
        ask_size: askSize,
        base_volume: volume,
        quote_volume: quoteVolume,
        change: null,
        change_rate: null,
        price_window: 'ROLLING_24H',
        volume_window: 'ROLLING_24H'
      })
    )
    const lastSize = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    const fields = [
      `"instType":"SPOT","instId":"${this.ledger.native}","last":"${last}","lastSz":"${lastSize}"`,
      `"askPx":"${ask ?? ''}","askSz":"${askSize ?? ''}","bidPx":"${bid ?? ''}","bidSz":"${bidSize ?? ''}"`,
      `"open24h":"${open}","high24h":"${high}","low24h":"${low}","sodUtc0":"${open}","sodUtc8":"${low}"`,
      `"volCcy24h":"${quoteVolume}","vol24h":"${volume}","ts":"${nowMs}"`
    ]
    return `{${argOf('tickers', this.ledger.native)},"data":[{${fields.join(',')}}]}`
  }

  protected asSnapshot(payload: string): string {
    return payload
  }
}

/**
 * `trades`: fills of one taker order come merged, so that ids skip. The ordinal is scattered over the decimals of the size.
 */
export class OkxTrade extends ShownChannel {
  readonly #priced: PricedMarket
  #id: number
  #sequence: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults)
    this.#priced = priced
    this.#id = 800_000_000 + priced.market.random.below(90_000_000)
    this.#sequence = 70_000_000_000 + priced.market.random.below(1_000_000_000)
  }

  protected next(nowMs: number): string {
    const { market, prices } = this.#priced
    market.trade(nowMs, scatterOrdinal(this.ledger.count))
    const fills = 1 + market.random.below(3)
    this.#id += fills
    this.#sequence += market.random.below(30)
    const price = prices[market.lastTick]!
    const size = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    this.ledger.append(
      tradeFingerprint({
        exchange_ts: nowMs * 1000,
        trade_id: String(this.#id),
        price,
        size,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: String(this.#sequence)
      })
    )
    const { native } = this.ledger
    const fields = [
      `"instId":"${native}","tradeId":"${this.#id}","px":"${price}","sz":"${size}"`,
      `"side":"${market.takerBuys ? 'buy' : 'sell'}","ts":"${nowMs}","count":"${fills}","source":"0"`,
      `"seqId":${this.#sequence}`
    ]
    return `{${argOf('trades', native)},"data":[{${fields.join(',')}}]}`
  }

  protected asSnapshot(payload: string): string {
    return payload
  }
}

/** `books`: each update names the one before it; a level is price, size, a zero and the number of its orders. */
export class OkxBook extends TextChannel {
  readonly #priced: PricedMarket
  readonly #book: TickBook
  #sequence: number
  /** When the book last changed. */
  changedMs = 0

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults)
    const { market, prices } = priced
    this.#priced = priced
    const form = { prices, wirePrices: prices, size: shortSize, wireSize: shortSize, zero: '0' }
    this.#book = new TickBook(market, form, { opening: openingLevels, depth })
    this.#sequence = 900_000_000 + market.random.below(90_000_000)
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.#sequence
      this.ledger.baseHash = this.#book.hash
      this.changedMs = atMs
    }
    super.confirm(atMs)
  }

  /** The whole book, as a new subscriber gets it. */
  whole(): string {
    const { bids, asks } = this.#book
    const sides = this.#sides(this.#book.best(bids, depth), this.#book.best(asks, depth))
    return this.#frame('snapshot', this.changedMs, sides, -1)
  }

  /** What the venue sends when nothing has changed for a while. */
  unchanged(nowMs: number): string {
    return this.#frame('update', nowMs, '"asks":[],"bids":[]', this.#sequence)
  }

  protected event(nowMs: number): string {
    const { bids, asks } = this.#book
    this.#book.step()
    const previous = this.#sequence
    this.#sequence += 1 + this.market.random.below(9)
    this.changedMs = nowMs
    this.ledger.appendDelta(
      this.#book.changeFingerprint(`${nowMs}000|DELTA|~|${this.#sequence}|${previous}`),
      this.#sequence,
      this.#book.hash
    )
    return this.#frame('update', nowMs, this.#sides(bids.changed, asks.changed), previous)
  }

  #frame(action: string, ms: number, sides: string, previous: number): string {
    const numbers = `"ts":"${ms}","checksum":0,"prevSeqId":${previous},"seqId":${this.#sequence}`
    return `{${argOf('books', this.ledger.native)},"action":"${action}","data":[{${sides},${numbers}}]}`
  }

  #sides(bidTicks: readonly number[], askTicks: readonly number[]): string {
    const { bids, asks } = this.#book
    return `"asks":[${this.#levels(asks, askTicks)}],"bids":[${this.#levels(bids, bidTicks)}]`
  }

  #levels(side: BookSide, ticks: readonly number[]): string {
    const { wirePrices } = this.#priced
    return ticks
      .map(tick => {
        const size = side.wireSizes[tick]!
        return size === ''
          ? `["${wirePrices[tick]!}","0","0","0"]`
          : `["${wirePrices[tick]!}","${size}","0","3"]`
      })
      .join(',')
  }
}

function argOf(channel: string, native: string): string {
  return `"arg":{"channel":"${channel}","instId":"${native}"}`
}
