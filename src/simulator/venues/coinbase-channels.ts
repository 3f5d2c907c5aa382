import { type ChannelFaults, type Listener } from '../channel.ts'
import { DollarMarket } from '../dollar-market.ts'
import { emptySide } from '../empty-side.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type MarketSpec } from '../market-spec.ts'
import { shortDecimals } from '../price-ladder.ts'
import { fixedSize } from '../shared-market.ts'
import { TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'
import { rfc3339, UniqueTimes } from '../unique-times.ts'

/** The engine counts more than trades, so the sequence of a product has holes on these channels. */
const firstSequence = 87_000_000_000

export class CoinbaseMarket extends DollarMarket {
  constructor(spec: MarketSpec, seed: number) {
    super(spec, seed, shortDecimals)
  }

  get sequence(): number {
    return firstSequence + this.market.trades * 7
  }
}

/** A channel that tells a new subscriber where it stands. */
export abstract class CoinbaseChannel extends TextChannel {
  protected readonly coinbase: CoinbaseMarket
  protected readonly times = new UniqueTimes(1000)

  constructor(coinbase: CoinbaseMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(coinbase, ledger, faults)
    this.coinbase = coinbase
  }

  abstract greet(listener: Listener): void
}

/** @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#ticker-channel */
export class CoinbaseTicker extends CoinbaseChannel {
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
    const { market, last, open, high, low, baseVolume, prices, sequence, lastTradeId } = this.coinbase
    const micros = this.times.take(nowMs)
    const empty = emptySide(market.random)
    const bid = empty === 'bid' ? null : prices[market.bidTick]!
    const ask = empty === 'ask' ? null : prices[market.bidTick + 1]!
    const bidSize = bid === null ? null : fixedSize(market.sizeWhole(), market.random.below(100_000_000))
    const askSize = ask === null ? null : fixedSize(market.sizeWhole(), market.random.below(100_000_000))
    const fingerprint = tickerFingerprint({
      exchange_ts: micros,
      last,
      open,
      high,
      low,
      prev_close: null,
      bid,
      bid_size: bidSize,
      ask,
      ask_size: askSize,
      base_volume: baseVolume,
      quote_volume: null,
      change: null,
      change_rate: null,
      price_window: 'ROLLING_24H',
      volume_window: 'ROLLING_24H'
    })
    this.ledger.appendKeyed(fingerprint, micros)
    const fields = [
      `"type":"ticker","sequence":${sequence},"product_id":"${this.ledger.native}","price":"${last}"`,
      `"open_24h":"${open}","volume_24h":"${baseVolume}","low_24h":"${low}","high_24h":"${high}"`,
      `"volume_30d":"3${baseVolume}","best_bid":${textOrNull(bid)},"best_bid_size":${textOrNull(bidSize)}`,
      `"best_ask":${textOrNull(ask)},"best_ask_size":${textOrNull(askSize)},"side":"${market.takerBuys ? 'buy' : 'sell'}"`,
      `"time":"${rfc3339(micros)}","trade_id":${lastTradeId}`,
      `"last_size":"${fixedSize(market.lastSizeWhole, market.lastSizeDecimals)}"`
    ]
    this.#before = this.#last
    this.#last = `{${fields.join(',')}}`
    return this.#last
  }
}

function textOrNull(text: string | null): string {
  return text === null ? 'null' : `"${text}"`
}

/** Ids are contiguous; the side is the maker's. @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#match */
export class CoinbaseTrade extends CoinbaseChannel {
  #last = ''

  /** Whether somebody saw that trade or not. */
  get lastTradeId(): number {
    return this.coinbase.lastTradeId
  }

  get sequence(): number {
    return this.coinbase.sequence
  }

  /** The latest trade again, if there was one since the run began. */
  greet(listener: Listener): void {
    if (this.ledger.count > 0) this.show(listener, `{"type":"last_match"${this.#last}`)
  }

  protected event(nowMs: number): string {
    const { market } = this.coinbase
    market.trade(nowMs, market.random.below(100_000_000))
    const { last, lastTradeId, sequence } = this.coinbase
    const micros = this.times.take(nowMs)
    const size = fixedSize(market.lastSizeWhole, market.lastSizeDecimals)
    const fingerprint = tradeFingerprint({
      exchange_ts: micros,
      trade_id: String(lastTradeId),
      price: last,
      size,
      side: market.takerBuys ? 'BUY' : 'SELL',
      sequence: String(sequence)
    })
    this.ledger.append(fingerprint)
    const fields = [
      `"trade_id":${lastTradeId},"maker_order_id":"${orderId(lastTradeId, 1)}"`,
      `"taker_order_id":"${orderId(lastTradeId, 2)}","side":"${market.takerBuys ? 'sell' : 'buy'}"`,
      `"size":"${size}","price":"${last}","product_id":"${this.ledger.native}","sequence":${sequence}`,
      `"time":"${rfc3339(micros)}"`
    ]
    this.#last = `,${fields.join(',')}}`
    return `{"type":"match"${this.#last}`
  }
}

function orderId(tradeId: number, party: number): string {
  const digits = String(tradeId * 10 + party).padStart(12, '0')
  return `5f1e7a34-0c1d-4b6f-9d6a-${digits}`
}

/** Every order's level, without end. @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#level2-batch-channel */
export class CoinbaseBook extends CoinbaseChannel {
  readonly #book: TickBook
  readonly #zero: string

  constructor(coinbase: CoinbaseMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    // Nothing numbers the updates: nobody could tell two that changed places, so they never do.
    super(coinbase, ledger, { ...faults, reorderRate: 0 })
    // Products spell zero with as many decimals as their sizes have.
    this.#zero = coinbase.market.spec.falls ? '0' : '0.00000000'
    const { prices } = coinbase
    const form = { prices, wirePrices: prices, size: fixedSize, wireSize: fixedSize, zero: this.#zero }
    this.#book = new TickBook(coinbase.market, form, { opening: 150, depth: null })
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.times.take(atMs)
      this.ledger.baseHash = this.#book.hash
    }
    super.confirm(atMs)
  }

  /** The whole book, as of the last change. */
  greet(listener: Listener): void {
    const { bids, asks } = this.#book
    const fields = [
      `"type":"snapshot","product_id":"${this.ledger.native}"`,
      `"asks":[${this.#levels(asks)}],"bids":[${this.#levels(bids)}]`,
      `"time":"${rfc3339(this.times.last)}"`
    ]
    this.show(listener, `{${fields.join(',')}}`)
  }

  protected event(nowMs: number): string {
    this.#book.step()
    const micros = this.times.take(nowMs)
    const fingerprint = this.#book.changeFingerprint(`${micros}|DELTA|~|~|~`)
    this.ledger.appendDelta(fingerprint, micros, this.#book.hash)
    const { bids, asks } = this.#book
    const changes = [...this.#changes(bids, 'buy'), ...this.#changes(asks, 'sell')].join(',')
    return `{"type":"l2update","product_id":"${this.ledger.native}","changes":[${changes}],"time":"${rfc3339(micros)}"}`
  }

  #changes(side: BookSide, word: string): string[] {
    return side.changed.map(tick => {
      const size = side.wireSizes[tick]
      return `["${word}","${this.coinbase.prices[tick]!}","${size === '' ? this.#zero : size!}"]`
    })
  }

  #levels(side: BookSide): string {
    return this.#book
      .best(side, Number.POSITIVE_INFINITY)
      .map(tick => `["${this.coinbase.prices[tick]!}","${side.wireSizes[tick]!}"]`)
      .join(',')
  }
}
