import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeAscii, writeDigits } from '../digits.ts'
import { hashBytes, hashStart, hashText } from '../fingerprint.ts'
import { type FrameTemplate, frameTemplate, Opcode, slot, template } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { scatterOrdinal } from '../ordinal-digits.ts'
import { type TextTable } from '../text-table.ts'
import { FieldNames, type UpbitFormat } from './upbit-format.ts'
import { type UpbitMarket } from './upbit-market.ts'

interface TradeVariant extends Variant {
  readonly slots: Readonly<Record<string, number>>
}

/** Upbit's trades. The ordinal stands in the size, since ids are unique but neither contiguous nor in order. */
export class UpbitTrade extends Channel<TradeVariant> {
  readonly #upbit: UpbitMarket
  readonly #changes: TextTable
  readonly #bestPrices: TextTable
  readonly #canonical: FrameTemplate
  #bestSizeDecimals = 0

  constructor(upbit: UpbitMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(upbit.market, ledger, faults)
    this.#upbit = upbit
    this.#changes = upbit.market.ladder.changes().plain
    this.#bestPrices = upbit.market.ladder.prices.java
    this.#canonical = template([
      slot('ms', 13),
      '000|',
      slot('id', 17),
      '|',
      slot('price', upbit.priceTextExpanded.width),
      '|',
      slot('size', upbit.sizeWidth),
      '|'
    ])
  }

  override confirm(atMs: number): void {
    super.confirm(atMs)
    this.#upbit.tradesAreCounted = true
  }

  make(nowMs: number): void {
    const market = this.market
    market.trade(nowMs, scatterOrdinal(this.ledger.count))
    this.#upbit.ids.take(nowMs)
    this.#bestSizeDecimals = market.random.below(100_000_000)
    for (const variant of this.variants) this.#write(variant)
    const ordinal = this.ledger.append(this.#fingerprint())
    this.dispatch(ordinal, nowMs)
  }

  protected render(key: string): TradeVariant {
    const names = new FieldNames(key as UpbitFormat, 'td')
    const upbit = this.#upbit
    const falls = this.market.spec.falls
    const size = upbit.sizeWidth
    const made = frameTemplate(Opcode.binary, [
      names.isList ? '[{' : '{',
      `${names.key('type', true)}"trade"${names.key('code')}"${this.ledger.native}"${names.key('timestamp')}`,
      slot('ms', 13),
      `${names.key('trade_date')}"`,
      slot('date', 10),
      `"${names.key('trade_time')}"`,
      slot('time', 8),
      `"${names.key('trade_timestamp')}`,
      slot('tradeMs', 13),
      names.key('trade_price'),
      slot('price', upbit.priceText.width),
      names.key('trade_volume'),
      slot('size', size),
      `${names.key('ask_bid')}"`,
      slot('side', 3),
      `"${names.key('prev_closing_price')}${upbit.previousClose}${names.key('change')}"${falls ? 'FALL' : 'RISE'}"`,
      names.key('change_price'),
      slot('change', this.#changes.width),
      names.key('sequential_id'),
      slot('id', 17),
      names.key('best_ask_price'),
      slot('askPrice', this.#bestPrices.width),
      names.key('best_ask_size'),
      slot('askSize', size),
      names.key('best_bid_price'),
      slot('bidPrice', this.#bestPrices.width),
      names.key('best_bid_size'),
      slot('bidSize', size),
      `${names.key('stream_type')}"`,
      slot('streamType', 8),
      names.isList ? '"}]' : '"}'
    ])
    writeAscii(made.bytes, made.slots['streamType']!, 'REALTIME')
    const variant: TradeVariant = {
      key,
      frame: made.bytes,
      length: made.bytes.length,
      slots: made.slots,
      streamTypeAt: made.slots['streamType']!,
      listeners: []
    }
    this.#write(variant)
    return variant
  }

  #write(variant: TradeVariant): void {
    const { frame: bytes, slots } = variant
    const market = this.market
    const upbit = this.#upbit
    writeDigits(bytes, slots['ms']!, market.lastTradeMs, 13)
    upbit.writeTradeTime(bytes, slots['date']!, slots['time']!)
    writeDigits(bytes, slots['tradeMs']!, market.lastTradeMs, 13)
    upbit.priceText.write(market.lastTick, bytes, slots['price']!)
    upbit.writeSize(bytes, slots['size']!, market.lastSizeWhole, market.lastSizeDecimals)
    writeAscii(bytes, slots['side']!, market.takerBuys ? 'BID' : 'ASK')
    this.#changes.write(market.lastTick, bytes, slots['change']!)
    writeDigits(bytes, slots['id']!, upbit.ids.ms, 13)
    writeDigits(bytes, slots['id']! + 13, upbit.ids.counter, 4)
    this.#bestPrices.write(market.bidTick + 1, bytes, slots['askPrice']!)
    upbit.writeSize(bytes, slots['askSize']!, market.lastSizeWhole, this.#bestSizeDecimals)
    this.#bestPrices.write(market.bidTick, bytes, slots['bidPrice']!)
    upbit.writeSize(bytes, slots['bidSize']!, market.lastSizeWhole, 99_999_999 - this.#bestSizeDecimals)
  }

  #fingerprint(): number {
    const { bytes, slots } = this.#canonical
    const market = this.market
    const upbit = this.#upbit
    writeDigits(bytes, slots['ms']!, market.lastTradeMs, 13)
    writeDigits(bytes, slots['id']!, upbit.ids.ms, 13)
    writeDigits(bytes, slots['id']! + 13, upbit.ids.counter, 4)
    upbit.priceTextExpanded.write(market.lastTick, bytes, slots['price']!)
    upbit.writeSize(bytes, slots['size']!, market.lastSizeWhole, market.lastSizeDecimals)
    // The id is no sequence: the venue does not promise its order.
    return hashText(hashBytes(hashStart, bytes, 0, bytes.length), market.takerBuys ? 'BUY|~' : 'SELL|~')
  }
}
