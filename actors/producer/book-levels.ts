import { type DeltaBookRules } from '../../src/exchange-kit/adapter.ts'
import { contentStart, isJsonValue } from './content.ts'
import { LevelSide } from './level-side.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()

interface JsonLevel {
  readonly price: string
  readonly size: string
}

/**
 * The levels of one symbol's book, as far as the check of its venue needs them: prices alone for a crossed book, prices
 * and sizes with their digits for a checksum. Reads the encoded records; strings are made only for a checksum.
 */
export class BookLevels {
  readonly bids: LevelSide
  readonly asks: LevelSide
  readonly #rules: DeltaBookRules
  readonly #levelsMax: number
  #at = 0
  /** Levels that went because a side had more than the limit. */
  forgotten = 0

  /** @param levelsMax levels a side; beyond it the worst are forgotten */
  constructor(rules: DeltaBookRules, levelsMax: number) {
    this.#rules = rules
    this.#levelsMax = levelsMax
    const hasTexts = typeof rules.check === 'object'
    this.bids = new LevelSide('bids', hasTexts)
    this.asks = new LevelSide('asks', hasTexts)
  }

  clear(): void {
    this.bids.clear()
    this.asks.clear()
  }

  /** Takes in an encoded order book: a snapshot replaces the levels, an update changes them. */
  apply(bytes: Uint8Array, valueStart: number, valueEnd: number, isSnapshot: boolean): void {
    if (isSnapshot) this.clear()
    if (isJsonValue(bytes, valueStart)) this.#json(bytes.subarray(valueStart, valueEnd), isSnapshot)
    else {
      this.#at = contentStart(bytes, valueStart, valueEnd)
      // The first field behind the head is `kind`, an enum in one byte.
      this.#at++
      this.#list(bytes, this.bids, isSnapshot)
      this.#list(bytes, this.asks, isSnapshot)
    }
    if (isSnapshot) {
      this.bids.settle()
      this.asks.settle()
    }
    const { depth } = this.#rules
    if (depth !== null) {
      this.bids.trim(depth)
      this.asks.trim(depth)
    }
    this.forgotten += this.bids.bound(this.#levelsMax) + this.asks.bound(this.#levelsMax)
    if (isSnapshot) {
      this.bids.shrink()
      this.asks.shrink()
    }
  }

  /** Whether the best bid is at or above the best ask. */
  get isCrossed(): boolean {
    return this.bids.bestPrice >= this.asks.bestPrice
  }

  /** The venue's checksum over the levels as they are; NaN where it has none. */
  sum(): number {
    const { check } = this.#rules
    if (typeof check !== 'object') return Number.NaN
    return check.sum(this.bids.best(check.levels), this.asks.best(check.levels))
  }

  /** An Avro array: blocks of a count and so many items, closed by a count of 0. */
  #list(bytes: Uint8Array, side: LevelSide, isSnapshot: boolean): void {
    for (;;) {
      let count = this.#integer(bytes)
      if (count === 0) return
      if (count < 0) {
        // A negative count says that the length of the block in bytes follows.
        count = -count
        this.#integer(bytes)
      }
      for (let i = 0; i < count; i++) {
        const priceLength = this.#integer(bytes)
        const priceStart = this.#at
        this.#at += priceLength
        const priceEnd = this.#at
        const sizeLength = this.#integer(bytes)
        const sizeStart = this.#at
        this.#at += sizeLength
        if (isSnapshot) side.load(bytes, priceStart, priceEnd, sizeStart, this.#at)
        else side.put(bytes, priceStart, priceEnd, sizeStart, this.#at)
      }
    }
  }

  /** A zigzag varint of at most 28 bits, which every length of a record is. */
  #integer(bytes: Uint8Array): number {
    let at = this.#at
    let byte = bytes[at++]!
    let value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
    }
    this.#at = at
    return (value >>> 1) ^ -(value & 1)
  }

  #json(value: Uint8Array, isSnapshot: boolean): void {
    const { bids, asks } = JSON.parse(decoder.decode(value)) as Record<'bids' | 'asks', JsonLevel[]>
    const take = (side: LevelSide, levels: readonly JsonLevel[]): void => {
      for (const { price, size } of levels) {
        const bytes = encoder.encode(price + size)
        const at = price.length
        if (isSnapshot) side.load(bytes, 0, at, at, bytes.length)
        else side.put(bytes, 0, at, at, bytes.length)
      }
    }
    take(this.bids, bids)
    take(this.asks, asks)
  }
}
