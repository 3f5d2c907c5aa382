import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeDigits } from '../digits.ts'
import { hashBytes, hashStart, hashText } from '../fingerprint.ts'
import { type FrameTemplate, frameTemplate, Opcode, slot, template } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type BinanceMarket } from './binance-market.ts'

/** Binance's `@trade` with contiguous ids. @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
export class BinanceTrade extends Channel {
  readonly #binance: BinanceMarket
  /** The frame with `"m":true` and with `"m":false`, which is one byte longer. */
  readonly #buyerMakes: FrameTemplate
  readonly #sellerMakes: FrameTemplate
  readonly #canonical: FrameTemplate

  constructor(binance: BinanceMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(binance.market, ledger, faults)
    this.#binance = binance
    this.#buyerMakes = this.#template('true')
    this.#sellerMakes = this.#template('false')
    this.#canonical = template([
      slot('ms', 13),
      '000|',
      slot('id', 10),
      '|',
      slot('price', binance.market.ladder.prices.plain.width),
      '|',
      slot('size', binance.sizeWidth),
      '|'
    ])
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) this.ledger.firstTradeId = this.#binance.lastTradeId + 1
    super.confirm(atMs)
    this.#binance.tradesAreCounted = true
  }

  make(nowMs: number): void {
    const market = this.market
    market.trade(nowMs, market.random.below(100_000_000))
    const made = market.takerBuys ? this.#sellerMakes : this.#buyerMakes
    const { bytes, slots } = made
    const id = this.#binance.lastTradeId
    writeDigits(bytes, slots['eventMs']!, nowMs, 13)
    writeDigits(bytes, slots['id']!, id, 10)
    market.ladder.prices.plain.write(market.lastTick, bytes, slots['price']!)
    this.#binance.writeSize(bytes, slots['size']!, market.lastSizeWhole, market.lastSizeDecimals)
    writeDigits(bytes, slots['tradeMs']!, nowMs, 13)
    for (const variant of this.variants) {
      variant.frame = bytes
      variant.length = bytes.length
    }
    const ordinal = this.ledger.append(this.#fingerprint(nowMs, id))
    this.dispatch(ordinal, nowMs)
  }

  protected render(key: string): Variant {
    const frame = this.#buyerMakes.bytes
    return { key, frame, length: frame.length, streamTypeAt: 0, listeners: [] }
  }

  #template(buyerIsMaker: 'true' | 'false'): FrameTemplate {
    return frameTemplate(Opcode.text, [
      `{"stream":"${this.#binance.streamName}@trade","data":{"e":"trade","E":`,
      slot('eventMs', 13),
      `,"s":"${this.ledger.native}","t":`,
      slot('id', 10),
      ',"p":"',
      slot('price', this.market.ladder.prices.plain.width),
      '","q":"',
      slot('size', this.#binance.sizeWidth),
      '","T":',
      slot('tradeMs', 13),
      `,"m":${buyerIsMaker},"M":true}}`
    ])
  }

  #fingerprint(nowMs: number, id: number): number {
    const { bytes, slots } = this.#canonical
    const market = this.market
    writeDigits(bytes, slots['ms']!, nowMs, 13)
    writeDigits(bytes, slots['id']!, id, 10)
    market.ladder.prices.plain.write(market.lastTick, bytes, slots['price']!)
    this.#binance.writeSize(bytes, slots['size']!, market.lastSizeWhole, market.lastSizeDecimals)
    return hashText(hashBytes(hashStart, bytes, 0, bytes.length), market.takerBuys ? 'BUY|~' : 'SELL|~')
  }
}
