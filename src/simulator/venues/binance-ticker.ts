import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeDigits, writeEight } from '../digits.ts'
import { hashBytes, hashStart } from '../fingerprint.ts'
import { type FrameTemplate, frameTemplate, Opcode, type Piece, slot, template } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type TextTable } from '../text-table.ts'
import { type BinanceMarket } from './binance-market.ts'

const volumeDigits = 8
const quoteDigits = 11
const quoteBase = 30_000_000_000
const countBase = 1_139_279
const dayMs = 86_400_000

/**
 * Binance's `@ticker`. The venue sends one a second and symbol; here there are as many as the run's rate asks for. The
 * ordinal stands in the decimals of the base volume `v`.
 */
export class BinanceTicker extends Channel {
  readonly #binance: BinanceMarket
  readonly #frame: FrameTemplate
  readonly #canonical: FrameTemplate
  readonly #changes: TextTable
  readonly #percents: { readonly wire: TextTable; readonly ratio: TextTable }
  readonly #volumeWhole: number
  #quoteWhole = 0

  constructor(binance: BinanceMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(binance.market, ledger, faults)
    this.#binance = binance
    const ladder = binance.market.ladder
    this.#changes = ladder.changes().plain
    this.#percents = ladder.percents()
    this.#volumeWhole = 10_000_000 + binance.market.random.below(80_000_000)
    this.#frame = this.#frameTemplate()
    this.#canonical = this.#canonicalTemplate()
  }

  make(nowMs: number): void {
    const market = this.market
    if (!this.#binance.tradesAreCounted) this.#binance.silentTrade(nowMs)
    market.tickerDueMs = 0
    this.#quoteWhole = (this.#quoteWhole + 1 + market.random.below(99_999)) % 60_000_000_000
    const quoteDecimals = market.random.below(100_000_000)
    const bidDecimals = market.random.below(100_000_000)
    const bidWhole = Math.max(1, market.sizeWhole())
    this.#write(this.#frame, this.#percents.wire, nowMs, quoteDecimals, bidWhole, bidDecimals)
    this.#writeRest(nowMs)
    this.#write(this.#canonical, this.#percents.ratio, nowMs, quoteDecimals, bidWhole, bidDecimals)
    const { bytes } = this.#canonical
    const ordinal = this.ledger.append(hashBytes(hashStart, bytes, 0, bytes.length))
    this.dispatch(ordinal, nowMs)
  }

  protected render(key: string): Variant {
    const frame = this.#frame.bytes
    return { key, frame, length: frame.length, streamTypeAt: 0, listeners: [] }
  }

  /** What frame and canonical text share; only the percent differs. */
  #write(
    into: FrameTemplate,
    percents: TextTable,
    nowMs: number,
    quoteDecimals: number,
    bidWhole: number,
    bidDecimals: number
  ): void {
    const { bytes, slots } = into
    const market = this.market
    const prices = market.ladder.prices.plain
    const binance = this.#binance
    writeDigits(bytes, slots['eventMs']!, nowMs, 13)
    prices.write(market.lastTick, bytes, slots['last']!)
    prices.write(market.openTick, bytes, slots['open']!)
    prices.write(market.highTick, bytes, slots['high']!)
    prices.write(market.lowTick, bytes, slots['low']!)
    prices.write(market.bidTick, bytes, slots['bid']!)
    prices.write(market.bidTick + 1, bytes, slots['ask']!)
    binance.writeSize(bytes, slots['bidSize']!, bidWhole, bidDecimals)
    binance.writeSize(bytes, slots['askSize']!, bidWhole, 99_999_999 - bidDecimals)
    this.#changes.write(market.lastTick, bytes, slots['change']!)
    percents.write(market.lastTick, bytes, slots['percent']!)
    writeEight(bytes, slots['volumeDecimals']!, this.ledger.count % 100_000_000)
    writeDigits(bytes, slots['quoteWhole']!, quoteBase + this.#quoteWhole, quoteDigits)
    writeEight(bytes, slots['quoteDecimals']!, quoteDecimals)
  }

  /** What only the frame shows. */
  #writeRest(nowMs: number): void {
    const { bytes, slots } = this.#frame
    const market = this.market
    market.ladder.prices.plain.write((market.openTick + market.lastTick) >> 1, bytes, slots['average']!)
    this.#binance.writeSize(bytes, slots['lastSize']!, market.lastSizeWhole, market.lastSizeDecimals)
    writeDigits(bytes, slots['windowStart']!, nowMs - dayMs, 13)
    writeDigits(bytes, slots['windowEnd']!, nowMs, 13)
    const id = this.#binance.lastTradeId
    const count = Math.min(9_999_999, countBase + market.trades)
    writeDigits(bytes, slots['firstId']!, id - count + 1, 10)
    writeDigits(bytes, slots['lastId']!, id, 10)
    writeDigits(bytes, slots['count']!, count, 7)
  }

  #frameTemplate(): FrameTemplate {
    const { sign, prices } = this.market.ladder
    const price = (name: string): Piece => slot(name, prices.plain.width)
    const size = (name: string): Piece => slot(name, this.#binance.sizeWidth)
    const previous = this.market.ladder.previousPlain()
    return frameTemplate(Opcode.text, [
      `{"stream":"${this.#binance.streamName}@ticker","data":{"e":"24hrTicker","E":`,
      slot('eventMs', 13),
      `,"s":"${this.ledger.native}","p":"${sign}`,
      slot('change', this.#changes.width),
      '","P":"',
      slot('percent', this.#percents.wire.width),
      '","w":"',
      price('average'),
      `","x":"${previous}","c":"`,
      price('last'),
      '","Q":"',
      size('lastSize'),
      '","b":"',
      price('bid'),
      '","B":"',
      size('bidSize'),
      '","a":"',
      price('ask'),
      '","A":"',
      size('askSize'),
      '","o":"',
      price('open'),
      '","h":"',
      price('high'),
      '","l":"',
      price('low'),
      `","v":"${this.#volumeWhole}.`,
      slot('volumeDecimals', 8),
      '","q":"',
      slot('quoteWhole', quoteDigits),
      '.',
      slot('quoteDecimals', 8),
      '","O":',
      slot('windowStart', 13),
      ',"C":',
      slot('windowEnd', 13),
      ',"F":',
      slot('firstId', 10),
      ',"L":',
      slot('lastId', 10),
      ',"n":',
      slot('count', 7),
      '}}'
    ])
  }

  #canonicalTemplate(): FrameTemplate {
    const { sign, prices } = this.market.ladder
    const price = (name: string): Piece => slot(name, prices.plain.width)
    const size = (name: string): Piece => slot(name, this.#binance.sizeWidth)
    return template([
      slot('eventMs', 13),
      '000|',
      price('last'),
      '|',
      price('open'),
      '|',
      price('high'),
      '|',
      price('low'),
      `|${this.market.ladder.previousPlain()}|`,
      price('bid'),
      '|',
      size('bidSize'),
      '|',
      price('ask'),
      '|',
      size('askSize'),
      `|${String(this.#volumeWhole).padStart(volumeDigits, '0')}.`,
      slot('volumeDecimals', 8),
      '|',
      slot('quoteWhole', quoteDigits),
      '.',
      slot('quoteDecimals', 8),
      `|${sign}`,
      slot('change', this.#changes.width),
      '|',
      slot('percent', this.#percents.ratio.width),
      '|ROLLING_24H|ROLLING_24H'
    ])
  }
}
