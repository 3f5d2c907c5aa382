import { type ChannelFaults } from '../channel.ts'
import { tickerFingerprint, tradeFingerprint } from '../fingerprint.ts'
import { type ChannelLedger } from '../ledger.ts'
import { ordinalModulus, scatterOrdinal } from '../ordinal-digits.ts'
import { type PricedMarket } from '../priced-market.ts'
import { shortSize } from '../shared-market.ts'
import { ShownChannel } from '../shown-channel.ts'
import { TextChannel } from '../text-channel.ts'
import { type BookSide, TickBook } from '../tick-book.ts'

const depth = 50

/** `tickers.S`: every frame is whole and says so. The ordinal stands in the decimals of the base volume. */
export class BybitTicker extends ShownChannel {
  readonly #priced: PricedMarket
  readonly #volumeWhole: number
  #crossSequence: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults)
    this.#priced = priced
    this.#volumeWhole = 1000 + priced.market.random.below(9_000_000)
    this.#crossSequence = 90_000_000_000 + priced.market.random.below(1_000_000_000)
  }

  protected next(nowMs: number): string {
    const { market, prices } = this.#priced
    const [last, open] = [prices[market.lastTick]!, prices[market.openTick]!]
    const [high, low] = [prices[market.highTick]!, prices[market.lowTick]!]
    const volume = shortSize(this.#volumeWhole, this.ledger.count % ordinalModulus)
    const turnover = shortSize(1 + market.random.below(900_000_000), market.random.below(100_000_000))
    const ratio = (Number(last) / Number(open) - 1).toFixed(4)
    this.#crossSequence += 1 + market.random.below(9)
    this.ledger.append(
      tickerFingerprint({
        exchange_ts: nowMs * 1000,
        last,
        open,
        high,
        low,
        prev_close: null,
        bid: null,
        bid_size: null,
        ask: null,
        ask_size: null,
        base_volume: volume,
        quote_volume: turnover,
        change: null,
        change_rate: ratio,
        price_window: 'ROLLING_24H',
        volume_window: 'ROLLING_24H'
      })
    )
    const name = this.ledger.native
    const head = `"topic":"tickers.${name}","ts":${nowMs},"type":"snapshot","cs":${this.#crossSequence}`
    const data = [
      `"symbol":"${name}","lastPrice":"${last}","highPrice24h":"${high}","lowPrice24h":"${low}"`,
      `"prevPrice24h":"${open}","volume24h":"${volume}","turnover24h":"${turnover}"`,
      `"price24hPcnt":"${ratio}","usdIndexPrice":"${last}"`
    ]
    return `{${head},"data":{${data.join(',')}}}`
  }

  protected asSnapshot(payload: string): string {
    return payload
  }
}

/** `publicTrade.S`: ids of nineteen digits that grow, but not by one. The ordinal is scattered over the size's decimals. */
export class BybitTrade extends TextChannel {
  readonly #priced: PricedMarket
  #sequence: number

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(priced, ledger, faults)
    this.#priced = priced
    this.#sequence = 90_000_000_000 + priced.market.random.below(1_000_000_000)
  }

  protected event(nowMs: number): string {
    const { market, prices } = this.#priced
    market.trade(nowMs, scatterOrdinal(this.ledger.count))
    this.#sequence += 1 + market.random.below(20)
    const id = `22900${String(this.shared.lastTradeId * 7).padStart(14, '0')}`
    const price = prices[market.lastTick]!
    const size = shortSize(market.lastSizeWhole, market.lastSizeDecimals)
    this.ledger.append(
      tradeFingerprint({
        exchange_ts: nowMs * 1000,
        trade_id: id,
        price,
        size,
        side: market.takerBuys ? 'BUY' : 'SELL',
        sequence: String(this.#sequence)
      })
    )
    const name = this.ledger.native
    const side = market.takerBuys ? 'Buy' : 'Sell'
    const trade = [
      `"i":"${id}","T":${nowMs},"p":"${price}","v":"${size}","S":"${side}","s":"${name}"`,
      `"seq":${this.#sequence},"BT":false,"RPI":false`
    ]
    return `{"topic":"publicTrade.${name}","ts":${nowMs + 2},"type":"snapshot","data":[{${trade.join(',')}}]}`
  }
}

/** `orderbook.50.S`: update ids that grow by one or more, absolute sizes, zero removes. */
export class BybitBook extends TextChannel {
  readonly #priced: PricedMarket
  readonly #book: TickBook
  #updateId: number
  #sequence: number
  #changedMs = 0

  constructor(priced: PricedMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    // Ids may skip, so that an update which overtook another could not be told from one that follows it.
    super(priced, ledger, { ...faults, reorderRate: 0 })
    const { market, prices } = priced
    this.#priced = priced
    const form = { prices, wirePrices: prices, size: shortSize, wireSize: shortSize, zero: '0' }
    this.#book = new TickBook(market, form, { opening: depth, depth })
    this.#updateId = 60_000_000 + market.random.below(9_000_000)
    this.#sequence = 90_000_000_000 + market.random.below(1_000_000_000)
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.#updateId
      this.ledger.baseHash = this.#book.hash
    }
    super.confirm(atMs)
  }

  /** The whole book, as a new subscriber gets it. */
  snapshot50(nowMs: number): string {
    const { bids, asks } = this.#book
    return this.#frame(
      'snapshot',
      this.#changedMs || nowMs,
      this.#levels(bids, this.#book.best(bids, depth)),
      this.#levels(asks, this.#book.best(asks, depth))
    )
  }

  protected event(nowMs: number): string {
    const { bids, asks } = this.#book
    this.#book.step()
    this.#updateId += 1 + this.market.random.below(3)
    this.#sequence += 1 + this.market.random.below(20)
    this.#changedMs = nowMs
    this.ledger.appendDelta(
      this.#book.changeFingerprint(`${nowMs}000|DELTA|~|${this.#updateId}|~`),
      this.#updateId,
      this.#book.hash
    )
    return this.#frame('delta', nowMs, this.#levels(bids, bids.changed), this.#levels(asks, asks.changed))
  }

  #frame(type: string, ms: number, bids: string, asks: string): string {
    const name = this.ledger.native
    const data = `"s":"${name}","b":[${bids}],"a":[${asks}],"u":${this.#updateId},"seq":${this.#sequence}`
    return `{"topic":"orderbook.${depth}.${name}","ts":${ms + 5},"type":"${type}","data":{${data}},"cts":${ms}}`
  }

  #levels(side: BookSide, ticks: readonly number[]): string {
    const { wirePrices } = this.#priced
    return ticks.map(tick => `["${wirePrices[tick]!}","${side.wireSizes[tick]! || '0'}"]`).join(',')
  }
}
