import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeAscii, writeDigits, writeEight } from '../digits.ts'
import { hashBytes, hashFold, hashStart } from '../fingerprint.ts'
import { frameTemplate, Opcode, type Piece, slot, template } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { scatterOrdinal } from '../ordinal-digits.ts'
import { ladderTicks } from '../price-ladder.ts'
import { FieldNames, type UpbitFormat } from './upbit-format.ts'
import { type UpbitMarket } from './upbit-market.ts'

/** Depths a client may ask for with a suffix, `KRW-BTC.5`; anything else gets all thirty. */
export const upbitDepths = [1, 5, 15, 30] as const
export const upbitDepthDefault = 30
const units = upbitDepthDefault

interface BookVariant extends Variant {
  readonly depth: number
  readonly slots: Readonly<Record<string, number>>
  readonly unitsAt: number
  readonly unitStride: number
  readonly askPriceAt: number
  readonly bidPriceAt: number
  readonly askSizeAt: number
  readonly bidSizeAt: number
}

/**
 * Upbit's book: thirty levels a side in every frame. The ordinal stands in the decimals of the best bid's size; besides
 * it an event changes a few sizes, and all levels when the market has moved.
 */
export class UpbitBook extends Channel<BookVariant> {
  readonly #upbit: UpbitMarket
  readonly #sizeDigits: number
  /** Sizes by tick: integer part and decimals. The same tick has another size as bid than as ask. */
  readonly #bidWhole = new Int32Array(ladderTicks)
  readonly #bidDecimals = new Int32Array(ladderTicks)
  readonly #askWhole = new Int32Array(ladderTicks)
  readonly #askDecimals = new Int32Array(ladderTicks)
  /** Hashes of the levels shown, best first. */
  readonly #bidHashes = new Int32Array(units)
  readonly #askHashes = new Int32Array(units)
  readonly #canonical = template([slot('ms', 13), '000|SNAPSHOT|~|~|~'])
  readonly #sizeText: Uint8Array
  /** Best bid as this book shows it. */
  #bidTick: number
  #atMs = 0

  constructor(upbit: UpbitMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(upbit.market, ledger, faults)
    this.#upbit = upbit
    this.#sizeDigits = upbit.market.spec.sizeDigits
    this.#sizeText = new Uint8Array(upbit.sizeWidth)
    this.#sizeText[this.#sizeDigits] = 0x2e
    this.#bidTick = upbit.market.bidTick
    const random = upbit.market.random
    for (let tick = 0; tick < ladderTicks; tick++) {
      this.#bidWhole[tick] = upbit.market.sizeWhole()
      this.#bidDecimals[tick] = 1 + random.below(99_999_998)
      this.#askWhole[tick] = upbit.market.sizeWhole()
      this.#askDecimals[tick] = 1 + random.below(99_999_998)
    }
    for (let unit = 0; unit < units; unit++) this.#hashUnit(unit)
  }

  make(nowMs: number): void {
    const market = this.market
    market.bookDueMs = 0
    this.#atMs = nowMs
    const hasMoved = this.#bidTick !== market.bidTick
    this.#bidTick = market.bidTick
    const best = this.#bidTick
    this.#bidDecimals[best] = scatterOrdinal(this.ledger.count)
    this.#bidWhole[best] = Math.max(1, market.sizeWhole())
    const bidUnit = 1 + market.random.below(units - 1)
    const askUnit = market.random.below(units)
    this.#bidWhole[best - bidUnit] = market.sizeWhole()
    this.#bidDecimals[best - bidUnit] = 1 + market.random.below(99_999_998)
    this.#askWhole[best + 1 + askUnit] = market.sizeWhole()
    this.#askDecimals[best + 1 + askUnit] = 1 + market.random.below(99_999_998)
    if (hasMoved) for (let unit = 0; unit < units; unit++) this.#hashUnit(unit)
    else {
      this.#hashUnit(0)
      this.#hashUnit(bidUnit)
      this.#hashUnit(askUnit)
    }
    for (const variant of this.variants) {
      if (hasMoved) this.#writeAll(variant)
      else {
        this.#writeUnit(variant, 0)
        this.#writeUnit(variant, bidUnit)
        this.#writeUnit(variant, askUnit)
        this.#writeHead(variant)
      }
    }
    const ordinal = this.ledger.append(this.#fingerprint())
    this.dispatch(ordinal, nowMs)
  }

  /** Variant keys are `FORMAT` or `FORMAT.depth`. */
  protected render(key: string): BookVariant {
    const [format, suffix] = key.split('.')
    const depth = suffix === undefined ? units : Number(suffix)
    const names = new FieldNames(format as UpbitFormat, 'td')
    const prices = this.market.ladder.prices.java
    const size = this.#upbit.sizeWidth
    const total = this.#sizeDigits + 11
    const unit = (n: number): Piece[] => [
      `${n === 0 ? '' : ','}{${names.key('ask_price', true)}`,
      slot(`askPrice${n}`, prices.width),
      names.key('bid_price'),
      slot(`bidPrice${n}`, prices.width),
      names.key('ask_size'),
      slot(`askSize${n}`, size),
      names.key('bid_size'),
      slot(`bidSize${n}`, size),
      '}'
    ]
    const made = frameTemplate(Opcode.binary, [
      names.isList ? '[{' : '{',
      `${names.key('type', true)}"orderbook"${names.key('code')}"${this.ledger.native}"${names.key('timestamp')}`,
      slot('ms', 13),
      names.key('total_ask_size'),
      slot('askTotal', total),
      names.key('total_bid_size'),
      slot('bidTotal', total),
      `${names.key('orderbook_units')}[`,
      ...Array.from({ length: depth }, (_, n) => unit(n)).flat(),
      `]${names.key('stream_type')}"`,
      slot('streamType', 8),
      `"${names.key('level')}0`,
      names.isList ? '}]' : '}'
    ])
    const slots = made.slots
    writeAscii(made.bytes, slots['streamType']!, 'REALTIME')
    const unitsAt = slots['askPrice0']!
    const variant: BookVariant = {
      key,
      frame: made.bytes,
      length: made.bytes.length,
      streamTypeAt: slots['streamType']!,
      listeners: [],
      depth,
      slots: { ms: slots['ms']!, askTotal: slots['askTotal']!, bidTotal: slots['bidTotal']! },
      unitsAt,
      unitStride: (slots['askPrice1'] ?? unitsAt) - unitsAt,
      askPriceAt: 0,
      bidPriceAt: slots['bidPrice0']! - unitsAt,
      askSizeAt: slots['askSize0']! - unitsAt,
      bidSizeAt: slots['bidSize0']! - unitsAt
    }
    this.#writeAll(variant)
    return variant
  }

  #writeAll(variant: BookVariant): void {
    for (let unit = 0; unit < variant.depth; unit++) this.#writeUnit(variant, unit)
    this.#writeHead(variant)
  }

  #writeHead(variant: BookVariant): void {
    writeDigits(variant.frame, variant.slots['ms']!, this.#atMs, 13)
    let askWhole = 0
    let askDecimals = 0
    let bidWhole = 0
    let bidDecimals = 0
    for (let unit = 0; unit < variant.depth; unit++) {
      const bid = this.#bidTick - unit
      const ask = this.#bidTick + 1 + unit
      bidWhole += this.#bidWhole[bid]!
      bidDecimals += this.#bidDecimals[bid]!
      askWhole += this.#askWhole[ask]!
      askDecimals += this.#askDecimals[ask]!
    }
    const width = this.#sizeDigits + 11
    writeTotal(variant.frame, variant.slots['askTotal']!, width, askWhole, askDecimals)
    writeTotal(variant.frame, variant.slots['bidTotal']!, width, bidWhole, bidDecimals)
  }

  #writeUnit(variant: BookVariant, unit: number): void {
    if (unit >= variant.depth) return
    const bytes = variant.frame
    const at = variant.unitsAt + unit * variant.unitStride
    const prices = this.market.ladder.prices.java
    const bid = this.#bidTick - unit
    const ask = this.#bidTick + 1 + unit
    prices.write(ask, bytes, at + variant.askPriceAt)
    prices.write(bid, bytes, at + variant.bidPriceAt)
    this.#upbit.writeSize(bytes, at + variant.askSizeAt, this.#askWhole[ask]!, this.#askDecimals[ask]!)
    this.#upbit.writeSize(bytes, at + variant.bidSizeAt, this.#bidWhole[bid]!, this.#bidDecimals[bid]!)
  }

  #hashUnit(unit: number): void {
    const ladder = this.market.ladder
    const text = this.#sizeText
    const bid = this.#bidTick - unit
    const ask = this.#bidTick + 1 + unit
    writeDigits(text, 0, this.#bidWhole[bid]!, this.#sizeDigits)
    writeEight(text, this.#sizeDigits + 1, this.#bidDecimals[bid]!)
    this.#bidHashes[unit] = hashBytes(ladder.bidPrefixes[bid]!, text, 0, text.length)
    writeDigits(text, 0, this.#askWhole[ask]!, this.#sizeDigits)
    writeEight(text, this.#sizeDigits + 1, this.#askDecimals[ask]!)
    this.#askHashes[unit] = hashBytes(ladder.askPrefixes[ask]!, text, 0, text.length)
  }

  #fingerprint(): number {
    const { bytes, slots } = this.#canonical
    writeDigits(bytes, slots['ms']!, this.#atMs, 13)
    let hash = hashBytes(hashStart, bytes, 0, bytes.length)
    for (let unit = 0; unit < units; unit++) hash = hashFold(hash, this.#bidHashes[unit]!)
    for (let unit = 0; unit < units; unit++) hash = hashFold(hash, this.#askHashes[unit]!)
    return hash
  }
}

/** A sum of sizes in exactly `width` bytes: what its integer part leaves is filled with zeros behind the eighth decimal. */
function writeTotal(bytes: Uint8Array, at: number, width: number, whole: number, decimals: number): void {
  const carry = Math.floor(decimals / 100_000_000)
  const integer = String(whole + carry)
  let end = writeAscii(bytes, at, integer)
  bytes[end++] = 0x2e
  writeEight(bytes, end, decimals - carry * 100_000_000)
  bytes.fill(0x30, end + 8, at + width)
}
