import { type ChannelFaults } from '../channel.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { ordinalModulus, scatterOrdinal } from '../ordinal-digits.ts'
import { javaDouble } from '../price-ladder.ts'
import { type PricedMarket } from '../priced-market.ts'
import { gzipFrame, TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'

const depth = 150

/** A number as the venue prints it, and what a record must hold of it: its exponent expanded. */
interface SizeText {
  readonly wire: string
  readonly expanded: string
}

/** A size as the venue's JSON has it: a number as Java prints it, below a thousandth with an exponent. */
export function javaSize(whole: number, decimals: number): SizeText {
  // One digit behind seven zeros would become nine decimals when its exponent is expanded.
  const shownWhole = whole === 0 && decimals < 10 ? 1 : whole
  const fraction = String(decimals).padStart(8, '0').replace(/0+$/, '')
  if (shownWhole > 0 || decimals >= 100_000) {
    const text = `${shownWhole}.${fraction === '' ? '0' : fraction}`
    return { wire: text, expanded: text }
  }
  const digits = fraction.replace(/^0+/, '')
  const zeros = fraction.length - digits.length
  const rest = digits.length === 1 ? '0' : digits.slice(1)
  const exponent = -zeros - 1
  return {
    wire: `${digits[0]}.${rest}E${exponent}`,
    expanded: `0.${'0'.repeat(zeros)}${digits[0]}${rest}`
  }
}

/** `market.$S.ticker`. The ordinal stands in the decimals of the base volume, `amount`. */
export class HuobiTicker extends TextChannel {
  readonly #priced: PricedMarket
  readonly #volumeWhole: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults, gzipFrame)
    this.#priced = priced
    this.#volumeWhole = 1000 + priced.market.random.below(900_000)
  }

  protected event(nowMs: number): string {
    const { market, prices, wirePrices } = this.#priced
    const { random, lastTick, openTick, highTick, lowTick, bidTick } = market
    // Of the dear currencies the best bid is often a crumb, printed with an exponent.
    const isCrumb = market.spec.sizeDigits === 1 && random.below(4) === 0
    const bidSize = isCrumb
      ? javaSize(0, 10 + random.below(99_990))
      : javaSize(market.sizeWhole(), 1 + random.below(99_999_999))
    const askSize = javaSize(market.sizeWhole(), 1 + random.below(99_999_999))
    const lastSize = javaSize(market.lastSizeWhole, market.lastSizeDecimals)
    const amount = javaSize(this.#volumeWhole, this.ledger.count % ordinalModulus)
    // Hundreds of millions, which are printed with an exponent.
    const quoteVolume = javaDouble(10_000_000_001 + 10 * random.below(9_000_000_000), -2)
    this.ledger.append(
      tickerFingerprint({
        exchange_ts: nowMs * 1000,
        last: prices[lastTick]!,
        open: prices[openTick]!,
        high: prices[highTick]!,
        low: prices[lowTick]!,
        prev_close: null,
        bid: prices[bidTick]!,
        bid_size: bidSize.expanded,
        ask: prices[bidTick + 1]!,
        ask_size: askSize.expanded,
        base_volume: amount.expanded,
        quote_volume: quoteVolume.expanded,
        change: null,
        change_rate: null,
        price_window: 'ROLLING_24H',
        volume_window: 'ROLLING_24H'
      })
    )
    const last = wirePrices[lastTick]!
    const fields = [
      `"open":${wirePrices[openTick]!},"high":${wirePrices[highTick]!},"low":${wirePrices[lowTick]!}`,
      `"close":${last},"amount":${amount.wire},"vol":${quoteVolume.wire},"count":${100_000 + market.trades}`,
      `"bid":${wirePrices[bidTick]!},"bidSize":${bidSize.wire}`,
      `"ask":${wirePrices[bidTick + 1]!},"askSize":${askSize.wire}`,
      `"lastPrice":${last},"lastSize":${lastSize.wire}`
    ]
    return `{"ch":"market.${this.ledger.native}.ticker","ts":${nowMs},"tick":{${fields.join(',')}}}`
  }
}

/** `market.$S.trade.detail`. The ordinal is scattered over the decimals of the size, `amount`. */
export class HuobiTrade extends TextChannel {
  readonly #priced: PricedMarket

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults, gzipFrame)
    this.#priced = priced
  }

  protected event(nowMs: number): string {
    const { market, prices, wirePrices } = this.#priced
    const decimals = scatterOrdinal(this.ledger.count)
    market.trade(nowMs, decimals)
    if (market.lastSizeWhole === 0 && decimals < 10) market.lastSizeWhole = 1
    const id = 100_000_000_000 + this.shared.lastTradeId
    const size = javaSize(market.lastSizeWhole, decimals)
    this.ledger.append(
      tradeFingerprint({
        exchange_ts: nowMs * 1000,
        trade_id: String(id),
        price: prices[market.lastTick]!,
        size: size.expanded,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: null
      })
    )
    const fields = [
      `"id":${id}255757297982,"ts":${nowMs},"tradeId":${id},"amount":${size.wire}`,
      `"price":${wirePrices[market.lastTick]!},"direction":"${market.takerBuys ? 'buy' : 'sell'}"`
    ]
    const tick = `"id":${id - 50_000},"ts":${nowMs},"data":[{${fields.join(',')}}]`
    return `{"ch":"market.${this.ledger.native}.trade.detail","ts":${nowMs + 4},"tick":{${tick}}}`
  }
}

/** `market.$S.mbp.150`: each update names the one before it and leaves out a side that has not changed. */
export class HuobiBook extends TextChannel {
  readonly #priced: PricedMarket
  readonly #book: TickBook
  #sequence: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults, gzipFrame)
    const { market, prices, wirePrices } = priced
    this.#priced = priced
    const form = {
      prices,
      wirePrices,
      size: (whole: number, decimals: number) => javaSize(whole, decimals).expanded,
      wireSize: (whole: number, decimals: number) => javaSize(whole, decimals).wire,
      zero: '0'
    }
    this.#book = new TickBook(market, form, { opening: depth, depth })
    this.#sequence = 300_000_000_000 + market.random.below(1_000_000_000)
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.#sequence
      this.ledger.baseHash = this.#book.hash
    }
    super.confirm(atMs)
  }

  /** The answer to a request for the whole book. @param id as JSON */
  answer(id: string, nowMs: number): string {
    const { bids, asks } = this.#book
    const levels = [
      `"bids":[${this.#levels(bids, this.#book.best(bids, depth))}]`,
      `"asks":[${this.#levels(asks, this.#book.best(asks, depth))}]`
    ]
    const head = `"id":${id},"status":"ok","ts":${nowMs},"rep":"market.${this.ledger.native}.mbp.150"`
    return `{${head},"data":{"seqNum":${this.#sequence},${levels.join(',')}}}`
  }

  protected event(nowMs: number): string {
    const { bids, asks } = this.#book
    this.#book.step()
    const previous = this.#sequence
    this.#sequence += 1 + this.market.random.below(40)
    this.ledger.appendDelta(
      this.#book.changeFingerprint(`${nowMs}000|DELTA|~|${this.#sequence}|${previous}`),
      this.#sequence,
      this.#book.hash
    )
    const numbers = `"seqNum":${this.#sequence},"prevSeqNum":${previous}`
    const askPart = asks.changed.length === 0 ? '' : `,"asks":[${this.#levels(asks, asks.changed)}]`
    const bidPart = bids.changed.length === 0 ? '' : `,"bids":[${this.#levels(bids, bids.changed)}]`
    const tick = `${numbers}${askPart}${bidPart}`
    return `{"ch":"market.${this.ledger.native}.mbp.150","ts":${nowMs},"tick":{${tick}}}`
  }

  #levels(side: BookSide, ticks: readonly number[]): string {
    const { wirePrices } = this.#priced
    return ticks.map(tick => `[${wirePrices[tick]!},${side.wireSizes[tick]! || '0'}]`).join(',')
  }
}
