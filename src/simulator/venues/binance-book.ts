import { Channel, type ChannelFaults, type Variant } from '../channel.ts'
import { writeAscii, writeDigits } from '../digits.ts'
import { hashBytes, hashFold, hashStart, hashText } from '../fingerprint.ts'
import { headerLength, Opcode, writeHeader } from '../frame-template.ts'
import { type ChannelLedger } from '../ledger.ts'
import { ladderTicks } from '../price-ladder.ts'
import { type BinanceMarket } from './binance-market.ts'

/** Levels a side when the market opens; the walk of the price leaves more behind, always fewer than 5,000. */
const openingLevels = 150
const changesMax = 12
const headerBytes = 4
const frameBytesMax = 4096
const zeroSize = '0.00000000'

interface Side {
  /** Sizes by tick; a level without size is not in the book. */
  readonly whole: Int32Array
  readonly decimals: Int32Array
  readonly isPresent: Uint8Array
  readonly hashes: Int32Array
  readonly prefixes: Int32Array
  /** Ticks that the present event changes, in the order of the frame. */
  readonly changed: Int32Array
  changes: number
}

/**
 * Binance's `@depth@100ms` and the book behind it: absolute sizes, zero removes, `U` follows the last `u`. The venue
 * sends ten a second and symbol at most; here there are as many as the run's rate asks for.
 */
export class BinanceBook extends Channel {
  readonly #binance: BinanceMarket
  readonly #bids: Side
  readonly #asks: Side
  readonly #head: Uint8Array
  readonly #middle: Uint8Array
  readonly #frame = new Uint8Array(frameBytesMax)
  readonly #sizeText: Uint8Array
  readonly #zeroBidHashes: Int32Array
  readonly #zeroAskHashes: Int32Array
  #bidTick: number
  #updateId: number
  #hash = 0

  constructor(binance: BinanceMarket, ledger: ChannelLedger, faults: ChannelFaults) {
    super(binance.market, ledger, faults)
    this.#binance = binance
    const { market } = binance
    this.#sizeText = new Uint8Array(binance.sizeWidth)
    this.#bids = makeSide(market.ladder.bidPrefixes)
    this.#asks = makeSide(market.ladder.askPrefixes)
    this.#zeroBidHashes = market.ladder.bidPrefixes.map(prefix => hashText(prefix, zeroSize))
    this.#zeroAskHashes = market.ladder.askPrefixes.map(prefix => hashText(prefix, zeroSize))
    this.#bidTick = market.bidTick
    this.#updateId = 9_000_000_000 + market.random.below(900_000_000)
    for (let n = 0; n < openingLevels; n++) {
      this.#set(this.#bids, market.bidTick - n)
      this.#set(this.#asks, market.bidTick + 1 + n)
    }
    const opening = `{"stream":"${binance.streamName}@depth@100ms","data":{"e":"depthUpdate","E":`
    this.#head = Buffer.from(opening)
    this.#middle = Buffer.from(`,"s":"${ledger.native}","U":`)
  }

  /** `lastUpdateId` and the levels as `GET /api/v3/depth` shows them, best first. */
  restBody(limit: number): string {
    const bids: string[] = []
    const asks: string[] = []
    for (let tick = this.#bidTick; tick >= 0 && bids.length < limit; tick--)
      this.#show(this.#bids, tick, bids)
    for (let tick = this.#bidTick + 1; tick < ladderTicks && asks.length < limit; tick++) {
      this.#show(this.#asks, tick, asks)
    }
    return `{"lastUpdateId":${this.#updateId},"bids":[${bids.join(',')}],"asks":[${asks.join(',')}]}`
  }

  override confirm(atMs: number): void {
    if (!this.ledger.isConfirmed) {
      this.ledger.baseKey = this.#updateId
      this.ledger.baseHash = this.#hash
    }
    super.confirm(atMs)
  }

  make(nowMs: number): void {
    const market = this.market
    market.bookDueMs = 0
    this.#bids.changes = 0
    this.#asks.changes = 0
    this.#follow()
    const count = 1 + market.random.below(4)
    for (let n = 0; n < count; n++) this.#changeOne()
    const first = this.#updateId + 1
    // Update ids count more than the levels shown: a level can change several times within one event.
    this.#updateId += this.#bids.changes + this.#asks.changes + market.random.below(3)
    const length = this.#write(nowMs, first)
    for (const variant of this.variants) variant.length = length
    const fingerprint = this.#fingerprint(nowMs, first)
    const ordinal = this.ledger.appendDelta(fingerprint, this.#updateId, this.#hash)
    this.dispatch(ordinal, nowMs)
  }

  protected render(key: string): Variant {
    return { key, frame: this.#frame, length: 0, streamTypeAt: 0, listeners: [] }
  }

  /** Moves the book's middle to the market's, a few ticks an event: levels that are traded through disappear. */
  #follow(): void {
    for (let step = 0; step < 3 && this.#bidTick !== this.market.bidTick; step++) {
      if (this.#bidTick < this.market.bidTick) {
        const tick = ++this.#bidTick
        this.#remove(this.#asks, tick)
        this.#change(this.#bids, tick)
        if (this.#asks.isPresent[tick + 1] === 0) this.#change(this.#asks, tick + 1)
      } else {
        const tick = this.#bidTick--
        this.#remove(this.#bids, tick)
        this.#change(this.#asks, tick)
        if (this.#bids.isPresent[tick - 1] === 0) this.#change(this.#bids, tick - 1)
      }
    }
  }

  /** One level near the middle gets another size, appears or disappears; the best ones never disappear. */
  #changeOne(): void {
    const random = this.market.random
    const draw = random.next()
    const distance = Math.min((draw >>> 8) % 100, (draw >>> 16) % 100)
    const isBid = (draw & 1) === 1
    const side = isBid ? this.#bids : this.#asks
    const tick = isBid ? this.#bidTick - distance : this.#bidTick + 1 + distance
    if (distance > 0 && (draw & 14) === 14 && side.isPresent[tick] === 1) this.#remove(side, tick)
    else this.#change(side, tick)
  }

  #change(side: Side, tick: number): void {
    this.#set(side, tick)
    this.#note(side, tick)
  }

  #remove(side: Side, tick: number): void {
    if (side.isPresent[tick] === 1) {
      this.#hash = (this.#hash - side.hashes[tick]!) | 0
      side.isPresent[tick] = 0
    }
    this.#note(side, tick)
  }

  #set(side: Side, tick: number): void {
    const market = this.market
    if (side.isPresent[tick] === 1) this.#hash = (this.#hash - side.hashes[tick]!) | 0
    side.isPresent[tick] = 1
    side.whole[tick] = market.sizeWhole()
    side.decimals[tick] = 1 + market.random.below(99_999_999)
    const text = this.#sizeText
    this.#binance.writeSize(text, 0, side.whole[tick], side.decimals[tick])
    const hash = hashBytes(side.prefixes[tick]!, text, 0, text.length)
    side.hashes[tick] = hash
    this.#hash = (this.#hash + hash) | 0
  }

  /** A tick stands once in a frame, with what it is in the end. */
  #note(side: Side, tick: number): void {
    for (let i = 0; i < side.changes; i++) if (side.changed[i] === tick) return
    side.changed[side.changes++] = tick
  }

  #write(nowMs: number, first: number): number {
    const bytes = this.#frame
    bytes.set(this.#head, headerBytes)
    let at = headerBytes + this.#head.length
    writeDigits(bytes, at, nowMs, 13)
    bytes.set(this.#middle, at + 13)
    at += 13 + this.#middle.length
    at = writeAscii(bytes, at, String(first))
    at = writeAscii(bytes, at, ',"u":')
    at = writeAscii(bytes, at, String(this.#updateId))
    at = this.#writeSide(bytes, writeAscii(bytes, at, ',"b":['), this.#bids)
    at = this.#writeSide(bytes, writeAscii(bytes, at, '],"a":['), this.#asks)
    at = writeAscii(bytes, at, ']}}')
    // The head alone is longer than 126 bytes with its levels: the header always has four.
    writeHeader(bytes, 0, Opcode.text, at - headerBytes)
    return at - headerBytes + headerLength(at - headerBytes)
  }

  #writeSide(bytes: Uint8Array, from: number, side: Side): number {
    const prices = this.market.ladder.prices.plain
    let at = from
    for (let i = 0; i < side.changes; i++) {
      const tick = side.changed[i]!
      if (i > 0) bytes[at++] = 0x2c
      bytes[at++] = 0x5b
      bytes[at++] = 0x22
      at = prices.write(tick, bytes, at)
      at = writeAscii(bytes, at, '","')
      if (side.isPresent[tick] === 1) {
        this.#binance.writeSize(bytes, at, side.whole[tick]!, side.decimals[tick]!)
        at += this.#binance.sizeWidth
      } else at = writeAscii(bytes, at, zeroSize)
      bytes[at++] = 0x22
      bytes[at++] = 0x5d
    }
    return at
  }

  #fingerprint(nowMs: number, first: number): number {
    let hash = hashText(hashStart, `${nowMs}000|DELTA|${first}|${this.#updateId}|~`)
    for (let i = 0; i < this.#bids.changes; i++) {
      const tick = this.#bids.changed[i]!
      hash = hashFold(
        hash,
        this.#bids.isPresent[tick] === 1 ? this.#bids.hashes[tick]! : this.#zeroBidHashes[tick]!
      )
    }
    for (let i = 0; i < this.#asks.changes; i++) {
      const tick = this.#asks.changed[i]!
      hash = hashFold(
        hash,
        this.#asks.isPresent[tick] === 1 ? this.#asks.hashes[tick]! : this.#zeroAskHashes[tick]!
      )
    }
    return hash
  }

  #show(side: Side, tick: number, into: string[]): void {
    if (side.isPresent[tick] === 0) return
    const size = `${side.whole[tick]!}.${String(side.decimals[tick]!).padStart(8, '0')}`
    into.push(`["${this.market.ladder.prices.plain.text(tick)}","${size}"]`)
  }
}

function makeSide(prefixes: Int32Array): Side {
  return {
    whole: new Int32Array(ladderTicks),
    decimals: new Int32Array(ladderTicks),
    isPresent: new Uint8Array(ladderTicks),
    hashes: new Int32Array(ladderTicks),
    prefixes,
    changed: new Int32Array(changesMax * 2),
    changes: 0
  }
}
