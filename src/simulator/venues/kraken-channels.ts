import { type ChannelFaults, type Listener } from '../channel.ts'
import { checksumOf } from '../checksum.ts'
import { DollarMarket } from '../dollar-market.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type MarketSpec } from '../market-spec.ts'
import { shortDecimals } from '../price-ladder.ts'
import { fixedSize } from '../shared-market.ts'
import { TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'
import { rfc3339, UniqueTimes } from '../unique-times.ts'

/** Levels a side; the other depths of the venue are not simulated. */
export const krakenDepth = 100
const checkedLevels = 10
const recentTrades = 50
const zeroSize = '0.00000000'

/** Numbers have as many decimals as their pair has, zeros at the end included; here one more than a tick needs. */
function pairDecimals(integer: number, scale: number): string {
  const [whole, fraction = ''] = shortDecimals(integer, scale).split('.')
  return `${whole}.${fraction.padEnd(Math.max(0, -scale) + 1, '0')}`
}

export class KrakenMarket extends DollarMarket {
  constructor(spec: MarketSpec, seed: number) {
    super(spec, seed, pairDecimals)
  }
}

/** A channel that can show where it stands; frames hold one event each. */
export abstract class KrakenChannel extends TextChannel {
  protected readonly kraken: KrakenMarket
  protected readonly times = new UniqueTimes(1000)

  constructor(kraken: KrakenMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(kraken, ledger, faults)
    this.kraken = kraken
  }

  /** The channel's `snapshot` for a new subscriber. */
  abstract greet(listener: Listener): void

  protected frame(type: 'snapshot' | 'update', ...events: readonly string[]): string {
    return `{"channel":"${krakenChannelNames[this.ledger.requestType]}","type":"${type}","data":[${events.join(',')}]}`
  }
}

export const krakenChannelNames = { ticker: 'ticker', trade: 'trade', orderbook: 'book' } as const

/** @see https://docs.kraken.com/api/docs/websocket-v2/ticker */
export class KrakenTicker extends KrakenChannel {
  #last = ''

  greet(listener: Listener): void {
    if (this.ledger.count === 0) this.make(Date.now())
    this.show(listener, this.frame('snapshot', this.#last))
  }

  protected event(nowMs: number): string {
    const { market, last, high, low, change, baseVolume, prices } = this.kraken
    const micros = this.times.take(nowMs)
    const [bid, ask] = [prices[market.bidTick]!, prices[market.bidTick + 1]!]
    const bidSize = fixedSize(market.sizeWhole(), market.random.below(100_000_000))
    const askSize = fixedSize(market.sizeWhole(), market.random.below(100_000_000))
    const percent = this.kraken.changeShare(true, 2)
    const fingerprint = tickerFingerprint({
      exchange_ts: micros,
      last,
      open: null,
      high,
      low,
      prev_close: null,
      bid,
      bid_size: bidSize,
      ask,
      ask_size: askSize,
      base_volume: baseVolume,
      quote_volume: null,
      change,
      change_rate: ratioOf(percent),
      price_window: 'ROLLING_24H',
      volume_window: 'ROLLING_24H'
    })
    this.ledger.appendKeyed(fingerprint, micros)
    const fields = [
      `"symbol":"${this.ledger.native}","bid":${bid},"bid_qty":${bidSize},"ask":${ask},"ask_qty":${askSize}`,
      `"last":${last},"volume":${baseVolume},"vwap":${last},"low":${low},"high":${high}`,
      `"change":${change},"change_pct":${percent},"timestamp":"${rfc3339(micros)}"`
    ]
    this.#last = `{${fields.join(',')}}`
    return this.frame('update', this.#last)
  }
}

/** A percentage with two decimals as a ratio: the point two places to the left. */
function ratioOf(percent: string): string {
  const sign = percent.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = percent.slice(sign.length).split('.')
  const digits = whole.padStart(3, '0')
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`
}

/** Ids are contiguous by symbol. @see https://docs.kraken.com/api/docs/websocket-v2/trade */
export class KrakenTrade extends KrakenChannel {
  readonly #recent: string[] = []

  /** The latest trades in one frame, the oldest first. */
  greet(listener: Listener): void {
    this.show(listener, this.frame('snapshot', ...this.#recent))
  }

  protected event(nowMs: number): string {
    const { market } = this.kraken
    market.trade(nowMs, market.random.below(100_000_000))
    const { last, lastTradeId } = this.kraken
    const micros = this.times.take(nowMs)
    const size = fixedSize(market.lastSizeWhole, market.lastSizeDecimals)
    const fingerprint = tradeFingerprint({
      exchange_ts: micros,
      trade_id: String(lastTradeId),
      price: last,
      size,
      side: market.takerBuys ? 'BUY' : 'SELL',
      sequence: null
    })
    this.ledger.append(fingerprint)
    const fields = [
      `"symbol":"${this.ledger.native}","side":"${market.takerBuys ? 'buy' : 'sell'}","price":${last}`,
      `"qty":${size},"ord_type":"limit","trade_id":${lastTradeId},"timestamp":"${rfc3339(micros)}"`
    ]
    const event = `{${fields.join(',')}}`
    if (this.#recent.push(event) > recentTrades) this.#recent.shift()
    return this.frame('update', event)
  }
}

/** A book whose levels beyond the depth go without a word. @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2 */
export class KrakenBook extends KrakenChannel {
  readonly #book: TickBook

  constructor(kraken: KrakenMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(kraken, ledger, faults)
    const { prices } = kraken
    const form = { prices, wirePrices: prices, size: fixedSize, wireSize: fixedSize, zero: zeroSize }
    const shape = { opening: krakenDepth, depth: krakenDepth, forgetsSilently: true }
    this.#book = new TickBook(kraken.market, form, shape)
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.times.take(atMs)
      this.ledger.baseHash = this.#book.hash
    }
    super.confirm(atMs)
  }

  greet(listener: Listener): void {
    const best = (side: BookSide) => this.#levels(side, this.#book.best(side, krakenDepth))
    const { bids, asks } = this.#book
    this.show(listener, this.frame('snapshot', this.#event(best(bids), best(asks))))
  }

  protected event(nowMs: number): string {
    this.#book.step()
    const { bids, asks } = this.#book
    // Every update changes one of the ten best levels of each side, other ones than the update before: whoever misses
    // one learns it from the checksum of the next.
    this.#book.touch(bids, (this.ledger.count * 3) % checkedLevels)
    this.#book.touch(asks, (this.ledger.count * 3 + 5) % checkedLevels)
    const micros = this.times.take(nowMs)
    const fingerprint = this.#book.changeFingerprint(`${micros}|DELTA|~|~|~`)
    this.ledger.appendDelta(fingerprint, micros, this.#book.hash)
    return this.frame(
      'update',
      this.#event(this.#levels(bids, bids.changed), this.#levels(asks, asks.changed))
    )
  }

  #event(bids: string, asks: string): string {
    const fields = [
      `"symbol":"${this.ledger.native}","bids":[${bids}],"asks":[${asks}]`,
      `"checksum":${this.#checksum()},"timestamp":"${rfc3339(this.times.last)}"`
    ]
    return `{${fields.join(',')}}`
  }

  #levels(side: BookSide, ticks: readonly number[]): string {
    return ticks
      .map(tick => {
        const size = side.wireSizes[tick] === '' ? zeroSize : side.wireSizes[tick]!
        return `{"price":${this.kraken.prices[tick]!},"qty":${size}}`
      })
      .join(',')
  }

  #checksum(): number {
    const { bids, asks } = this.#book
    const texts = [asks, bids].flatMap(side =>
      this.#book.best(side, checkedLevels).flatMap(tick => [this.kraken.prices[tick]!, side.wireSizes[tick]!])
    )
    return checksumOf(texts.map(text => String(BigInt(text.replace('.', '')))).join(''))
  }
}
