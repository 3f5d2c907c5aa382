import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeAscii, writeDigits, writeEight } from '../digits.ts'
import { hashBytes, hashStart } from '../fingerprint.ts'
import { type FrameTemplate, frameTemplate, Opcode, type Piece, slot, template } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { type TextTable } from '../text-table.ts'
import { FieldNames, type UpbitFormat } from './upbit-format.ts'
import { type UpbitMarket } from './upbit-market.ts'

interface TickerVariant extends Variant {
  readonly slots: Readonly<Record<string, number>>
}

const volumeDigits = 5
const quoteDigits = 12
const quoteBase = 300_000_000_000

/**
 * Upbit's ticker. The ordinal stands in the decimals of `acc_trade_volume_24h`. There is a frame per event: its rate is
 * the run's, not the venue's. @see https://docs.upbit.com/kr/reference/websocket-ticker
 */
export class UpbitTicker extends Channel<TickerVariant> {
  readonly #upbit: UpbitMarket
  readonly #changes: { readonly wire: TextTable; readonly expanded: TextTable }
  readonly #ratios: TextTable
  readonly #canonical: FrameTemplate
  #atMs = 0
  #ordinal = 0
  #quoteWhole = 0
  #quoteDecimals = 0

  constructor(upbit: UpbitMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(upbit.market, ledger, faults)
    this.#upbit = upbit
    const ladder = upbit.market.ladder
    const changes = ladder.changes()
    const isTiny = changes.plain === changes.java
    this.#changes = { wire: changes.plain, expanded: isTiny ? changes.javaExpanded : changes.plain }
    this.#ratios = ladder.ratios()
    const price = (name: string): Piece => slot(name, upbit.priceTextExpanded.width)
    this.#canonical = template([
      slot('ms', 13),
      '000|',
      price('last'),
      '|',
      price('open'),
      '|',
      price('high'),
      '|',
      price('low'),
      `|${upbit.previousCloseExpanded}|~|~|~|~|`,
      slot('volume', volumeDigits),
      '.',
      slot('decimals', 8),
      '|',
      slot('quoteWhole', quoteDigits),
      '.',
      slot('quoteDecimals', 8),
      `|${ladder.sign}`,
      slot('change', this.#changes.expanded.width),
      `|${ladder.sign}`,
      slot('ratio', this.#ratios.width),
      '|UTC_DAY|ROLLING_24H'
    ])
    writeDigits(this.#canonical.bytes, this.#canonical.slots['volume']!, this.#volumeWhole, volumeDigits)
  }

  make(nowMs: number): void {
    const market = this.market
    // Without a trade channel nobody else moves the price.
    if (!this.#upbit.tradesAreCounted) this.#upbit.silentTrade(nowMs)
    market.tickerDueMs = 0
    this.#ordinal = this.ledger.count
    this.#atMs = nowMs
    this.#quoteWhole = (this.#quoteWhole + 1 + market.random.below(99_999)) % 600_000_000_000
    this.#quoteDecimals = market.random.below(100_000_000)
    for (const variant of this.variants) this.#write(variant)
    const ordinal = this.ledger.append(this.#fingerprint())
    this.dispatch(ordinal, nowMs)
  }

  protected render(key: string): TickerVariant {
    const names = new FieldNames(key as UpbitFormat, 'tdt')
    const upbit = this.#upbit
    const price = (name: string): Piece => slot(name, upbit.priceText.width)
    const size = (name: string): Piece => slot(name, volumeDigits + 9)
    const { wire: change } = this.#changes
    const sign = this.market.ladder.sign
    const made = frameTemplate(Opcode.binary, [
      names.isList ? '[{' : '{',
      `${names.key('type', true)}"ticker"${names.key('code')}"${this.ledger.native}"`,
      names.key('opening_price'),
      price('open'),
      names.key('high_price'),
      price('high'),
      names.key('low_price'),
      price('low'),
      names.key('trade_price'),
      price('last'),
      `${names.key('prev_closing_price')}${upbit.previousClose}${names.key('acc_trade_price')}`,
      slot('dayQuote', quoteDigits + 9),
      `${names.key('change')}"${sign === '-' ? 'FALL' : 'RISE'}"${names.key('change_price')}`,
      slot('change', change.width),
      `${names.key('signed_change_price')}${sign}`,
      slot('signedChange', change.width),
      names.key('change_rate'),
      slot('ratio', this.#ratios.width),
      `${names.key('signed_change_rate')}${sign}`,
      slot('signedRatio', this.#ratios.width),
      `${names.key('ask_bid')}"`,
      slot('side', 3),
      `"${names.key('trade_volume')}`,
      slot('size', upbit.sizeWidth),
      names.key('acc_trade_volume'),
      size('dayVolume'),
      `${names.key('trade_date')}"`,
      slot('date', 8),
      `"${names.key('trade_time')}"`,
      slot('time', 6),
      `"${names.key('trade_timestamp')}`,
      slot('tradeMs', 13),
      names.key('acc_ask_volume'),
      size('asks'),
      names.key('acc_bid_volume'),
      size('bids'),
      `${names.key('highest_52_week_price')}${upbit.previousClose}${names.key('highest_52_week_date')}"2025-08-14"`,
      `${names.key('lowest_52_week_price')}${upbit.previousClose}${names.key('lowest_52_week_date')}"2024-10-10"`,
      `${names.key('market_state')}"ACTIVE"${names.key('is_trading_suspended')}false`,
      `${names.key('delisting_date')}null${names.key('market_warning')}"NONE"${names.key('timestamp')}`,
      slot('ms', 13),
      names.key('acc_trade_price_24h'),
      slot('quoteWhole', quoteDigits),
      '.',
      slot('quoteDecimals', 8),
      names.key('acc_trade_volume_24h'),
      slot('volume', volumeDigits),
      '.',
      slot('decimals', 8),
      `${names.key('stream_type')}"`,
      slot('streamType', 8),
      names.isList ? '"}]' : '"}'
    ])
    writeAscii(made.bytes, made.slots['streamType']!, 'REALTIME')
    writeDigits(made.bytes, made.slots['volume']!, this.#volumeWhole, volumeDigits)
    const variant: TickerVariant = {
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

  get #volumeWhole(): number {
    return 40_000 + this.market.openTick
  }

  #write(variant: TickerVariant): void {
    const { frame: bytes, slots } = variant
    const market = this.market
    const { priceText } = this.#upbit
    priceText.write(market.openTick, bytes, slots['open']!)
    priceText.write(market.highTick, bytes, slots['high']!)
    priceText.write(market.lowTick, bytes, slots['low']!)
    priceText.write(market.lastTick, bytes, slots['last']!)
    this.#changes.wire.write(market.lastTick, bytes, slots['change']!)
    this.#changes.wire.write(market.lastTick, bytes, slots['signedChange']!)
    this.#ratios.write(market.lastTick, bytes, slots['ratio']!)
    this.#ratios.write(market.lastTick, bytes, slots['signedRatio']!)
    writeAscii(bytes, slots['side']!, market.takerBuys ? 'BID' : 'ASK')
    this.#upbit.writeSize(bytes, slots['size']!, market.lastSizeWhole, market.lastSizeDecimals)
    this.#upbit.writeTradeDay(bytes, slots['date']!, slots['time']!)
    writeDigits(bytes, slots['tradeMs']!, market.lastTradeMs, 13)
    writeDigits(bytes, slots['ms']!, this.#atMs, 13)
    const quote = quoteBase + this.#quoteWhole
    writeDigits(bytes, slots['quoteWhole']!, quote, quoteDigits)
    writeEight(bytes, slots['quoteDecimals']!, this.#quoteDecimals)
    writeDecimal(bytes, slots['dayQuote']!, quote - 100_000_000_000, quoteDigits, this.#quoteDecimals)
    const decimals = this.#ordinal % 100_000_000
    writeEight(bytes, slots['decimals']!, decimals)
    writeDecimal(bytes, slots['dayVolume']!, this.#volumeWhole - 8000, volumeDigits, decimals)
    writeDecimal(bytes, slots['asks']!, 10_000, volumeDigits, decimals >> 1)
    writeDecimal(bytes, slots['bids']!, this.#volumeWhole - 18_000, volumeDigits, decimals - (decimals >> 1))
  }

  #fingerprint(): number {
    const { bytes, slots } = this.#canonical
    const market = this.market
    const prices = this.#upbit.priceTextExpanded
    writeDigits(bytes, slots['ms']!, this.#atMs, 13)
    prices.write(market.lastTick, bytes, slots['last']!)
    prices.write(market.openTick, bytes, slots['open']!)
    prices.write(market.highTick, bytes, slots['high']!)
    prices.write(market.lowTick, bytes, slots['low']!)
    writeEight(bytes, slots['decimals']!, this.#ordinal % 100_000_000)
    writeDigits(bytes, slots['quoteWhole']!, quoteBase + this.#quoteWhole, quoteDigits)
    writeEight(bytes, slots['quoteDecimals']!, this.#quoteDecimals)
    this.#changes.expanded.write(market.lastTick, bytes, slots['change']!)
    this.#ratios.write(market.lastTick, bytes, slots['ratio']!)
    return hashBytes(hashStart, bytes, 0, bytes.length)
  }
}

function writeDecimal(bytes: Uint8Array, at: number, whole: number, digits: number, decimals: number): void {
  writeDigits(bytes, at, whole, digits)
  bytes[at + digits] = 0x2e
  writeEight(bytes, at + digits + 1, decimals)
}
