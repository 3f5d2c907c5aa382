import { hashFold, hashStart, hashText, levelHash } from './fingerprint.ts'
import { type Market } from './market.ts'
import { ladderTicks } from './price-ladder.ts'

/** How a venue writes the levels of its books: as records have them (no exponent, no sign), and on the wire. */
export interface BookForm {
  /** By tick. */
  readonly prices: readonly string[]
  readonly wirePrices: readonly string[]
  /** Of an integer part and eight decimals; must not come out as zero. */
  size(whole: number, decimals: number): string
  wireSize(whole: number, decimals: number): string
  /** The size of a removed level in a record. */
  readonly zero: string
}

export interface BookShape {
  /** Levels a side when the market opens. */
  readonly opening: number
  /** Levels a side that the venue shows; what is beyond is gone for good. Null: as many as there are. */
  readonly depth: number | null
  /** Whether levels beyond the depth go without being sent as removed. */
  readonly forgetsSilently?: boolean
}

export interface BookSide {
  readonly name: 'bid' | 'ask'
  /** By tick, empty where there is no level. */
  readonly sizes: string[]
  readonly wireSizes: string[]
  /** Ticks that the last step changed, each once, in the order of the frame. A level without size was removed. */
  readonly changed: number[]
}

interface Side extends BookSide {
  readonly hashes: Int32Array
  count: number
  /** No level is further from the middle than this tick. */
  farthest: number
}

interface Move {
  readonly side: Side
  readonly tick: number
  readonly isRemoval: boolean
}

/**
 * The book of one market: it follows the market's best bid and changes a few levels at each step, and is never crossed, not
 * even between two changes. The hash is the one of `fingerprint.ts`.
 */
export class TickBook {
  readonly bids: BookSide
  readonly asks: BookSide
  hash = 0
  /** The best ask is one tick above. */
  bidTick: number
  readonly #market: Market
  readonly #form: BookForm
  readonly #shape: BookShape
  readonly #reach: number
  readonly #bids: Side
  readonly #asks: Side
  readonly #planned: Move[] = []

  constructor(market: Market, form: BookForm, shape: BookShape) {
    this.#market = market
    this.#form = form
    this.#shape = shape
    this.#reach = Math.min(100, shape.depth ?? 100)
    this.bidTick = market.bidTick
    this.#bids = makeSide('bid', ladderTicks)
    this.#asks = makeSide('ask', -1)
    this.bids = this.#bids
    this.asks = this.#asks
    for (let n = 0; n < shape.opening; n++) {
      this.#set(this.#bids, this.bidTick - n)
      this.#set(this.#asks, this.bidTick + 1 + n)
    }
  }

  /** Changes a few levels of both sides. */
  step(): void {
    this.#begin()
    if (this.#planned.length === 0) this.#plan()
    for (const move of this.#planned) this.#apply(move)
    this.#planned.length = 0
    this.#keepDepth(this.#bids)
    this.#keepDepth(this.#asks)
  }

  /** Changes exactly one level, for venues that send one a frame. */
  stepOne(): void {
    this.#begin()
    for (;;) {
      if (this.#planned.length === 0) this.#plan()
      const move = this.#planned.shift()!
      if (move.isRemoval && move.side.sizes[move.tick] === '') continue
      this.#apply(move)
      const beyond = this.#beyond(move.side)
      if (beyond !== null) this.#planned.unshift({ side: move.side, tick: beyond, isRemoval: true })
      return
    }
  }

  /** One more change of the last step: the level so many ticks away from the middle gets another size, or appears. */
  touch(side: BookSide, distance: number): void {
    const own = side.name === 'bid' ? this.#bids : this.#asks
    this.#apply(change(own, own === this.#bids ? this.bidTick - distance : this.bidTick + 1 + distance))
    this.#keepDepth(own)
  }

  /** Ticks of the best levels of a side, best first. */
  best(side: BookSide, count: number): number[] {
    const found: number[] = []
    const isBid = side.name === 'bid'
    const { count: there } = isBid ? this.#bids : this.#asks
    const wanted = Math.min(count, there)
    for (let tick = isBid ? this.bidTick : this.bidTick + 1; found.length < wanted; tick += isBid ? -1 : 1) {
      if (side.sizes[tick] !== '') found.push(tick)
    }
    return found
  }

  /** Fingerprint of the last step as a DELTA. @param head `exchange_ts|DELTA|first|last|previous`, null as `~` */
  changeFingerprint(head: string): number {
    return this.#fingerprint(head, this.bids.changed, this.asks.changed)
  }

  /** Fingerprint of whole sides as a SNAPSHOT, best first. @param head `exchange_ts|SNAPSHOT|first|last|previous` */
  wholeFingerprint(head: string, bidTicks: readonly number[], askTicks: readonly number[]): number {
    return this.#fingerprint(head, bidTicks, askTicks)
  }

  #fingerprint(head: string, bidTicks: readonly number[], askTicks: readonly number[]): number {
    let hash = hashText(hashStart, head)
    for (const tick of bidTicks) hash = hashFold(hash, this.#hashOf(this.#bids, tick))
    for (const tick of askTicks) hash = hashFold(hash, this.#hashOf(this.#asks, tick))
    return hash
  }

  #hashOf(side: Side, tick: number): number {
    if (side.sizes[tick] !== '') return side.hashes[tick]!
    return levelHash(side.name, this.#form.prices[tick]!, this.#form.zero)
  }

  #begin(): void {
    this.#bids.changed.length = 0
    this.#asks.changed.length = 0
  }

  /** What one step changes: the book moves towards the market, and levels near the middle change, appear or disappear. */
  #plan(): void {
    let middle = this.bidTick
    for (let n = 0; n < 3 && middle !== this.#market.bidTick; n++) {
      if (middle < this.#market.bidTick) {
        const tick = ++middle
        this.#planned.push(removal(this.#asks, tick), change(this.#bids, tick))
        if (this.#asks.sizes[tick + 1] === '') this.#planned.push(change(this.#asks, tick + 1))
      } else {
        const tick = middle--
        this.#planned.push(removal(this.#bids, tick), change(this.#asks, tick))
        if (this.#bids.sizes[tick - 1] === '') this.#planned.push(change(this.#bids, tick - 1))
      }
    }
    const { random } = this.#market
    const changes = 1 + random.below(4)
    for (let n = 0; n < changes; n++) {
      const draw = random.next()
      const distance = Math.min((draw >>> 8) % this.#reach, (draw >>> 16) % this.#reach)
      const side = (draw & 1) === 1 ? this.#bids : this.#asks
      const tick = side === this.#bids ? middle - distance : middle + 1 + distance
      const isRemoval = distance > 0 && (draw & 14) === 14 && side.sizes[tick] !== ''
      this.#planned.push({ side, tick, isRemoval })
    }
  }

  #apply({ side, tick, isRemoval }: Move): void {
    if (isRemoval) this.#remove(side, tick)
    else this.#set(side, tick)
    // The middle is wherever the best bid is now.
    if (side === this.#bids && !isRemoval && tick > this.bidTick) this.bidTick = tick
    if (side === this.#bids && isRemoval && tick === this.bidTick) this.bidTick = tick - 1
    if (!side.changed.includes(tick)) side.changed.push(tick)
  }

  /** As a reader does it who cuts the side when all changes of a frame are in. */
  #keepDepth(side: Side): void {
    for (let beyond = this.#beyond(side); beyond !== null; beyond = this.#beyond(side)) {
      this.#remove(side, beyond)
      if (this.#shape.forgetsSilently === true) {
        const at = side.changed.indexOf(beyond)
        if (at >= 0) side.changed.splice(at, 1)
      } else if (!side.changed.includes(beyond)) side.changed.push(beyond)
    }
  }

  /** The worst level where there are more than the venue shows. */
  #beyond(side: Side): number | null {
    if (this.#shape.depth === null || side.count <= this.#shape.depth) return null
    const inward = side === this.#bids ? 1 : -1
    while (side.sizes[side.farthest] === '') side.farthest += inward
    return side.farthest
  }

  #set(side: Side, tick: number): void {
    if (side.sizes[tick] === '') side.count++
    else this.hash = (this.hash - side.hashes[tick]!) | 0
    const whole = this.#market.sizeWhole()
    const decimals = 1 + this.#market.random.below(99_999_999)
    side.sizes[tick] = this.#form.size(whole, decimals)
    side.wireSizes[tick] = this.#form.wireSize(whole, decimals)
    side.hashes[tick] = levelHash(side.name, this.#form.prices[tick]!, side.sizes[tick])
    this.hash = (this.hash + side.hashes[tick]) | 0
    side.farthest = side === this.#bids ? Math.min(side.farthest, tick) : Math.max(side.farthest, tick)
  }

  #remove(side: Side, tick: number): void {
    if (side.sizes[tick] === '') return
    this.hash = (this.hash - side.hashes[tick]!) | 0
    side.sizes[tick] = ''
    side.wireSizes[tick] = ''
    side.count--
  }
}

function change(side: Side, tick: number): Move {
  return { side, tick, isRemoval: false }
}

function removal(side: Side, tick: number): Move {
  return { side, tick, isRemoval: true }
}

function makeSide(name: 'bid' | 'ask', farthest: number): Side {
  return {
    name,
    sizes: Array.from({ length: ladderTicks }, () => ''),
    wireSizes: Array.from({ length: ladderTicks }, () => ''),
    changed: [],
    hashes: new Int32Array(ladderTicks),
    count: 0,
    farthest
  }
}
