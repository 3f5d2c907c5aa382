import { asciiText } from '../../src/core/ascii-text.ts'
import { type BookLevel } from '../../src/exchange-kit/adapter.ts'
import { isZeroText, numberOfText } from './decimal-bytes.ts'

const firstCapacity = 64
/** At the limit a sixty-fourth goes at once, so that a side that stays there is not moved for every update. */
const forgottenShare = 64

interface Level {
  readonly price: string
  size: string
}

/**
 * One side of a book in the order of its prices, the worst first: updates are mostly near the best price, and so near the
 * end of the arrays. Texts are kept only where a checksum needs them: one small object for each level that is new.
 */
export class LevelSide {
  /** The price of a bid, the negative price of an ask: the best is the highest. */
  #ranks = new Float64Array(firstCapacity)
  #count = 0
  readonly #sign: 1 | -1
  readonly #levels: Level[] | null
  readonly #best: BookLevel[] = []
  #isDescending = true

  /** @param hasTexts whether `best` will be asked for */
  constructor(side: 'bids' | 'asks', hasTexts: boolean) {
    this.#sign = side === 'bids' ? 1 : -1
    this.#levels = hasTexts ? [] : null
  }

  get count(): number {
    return this.#count
  }

  /** NaN when the side is empty. */
  get bestPrice(): number {
    return this.#count === 0 ? Number.NaN : this.#ranks[this.#count - 1]! * this.#sign
  }

  clear(): void {
    this.#count = 0
    if (this.#levels !== null) this.#levels.length = 0
    this.#isDescending = true
  }

  /** Sets or removes one level; both texts are ranges of `bytes`. */
  put(bytes: Uint8Array, priceStart: number, priceEnd: number, sizeStart: number, sizeEnd: number): void {
    const rank = numberOfText(bytes, priceStart, priceEnd) * this.#sign
    const at = this.#find(rank)
    const isKnown = at < this.#count && this.#ranks[at] === rank
    if (isZeroText(bytes, sizeStart, sizeEnd)) {
      if (isKnown) this.#remove(at, 1)
      return
    }
    const levels = this.#levels
    if (isKnown) {
      if (levels !== null) levels[at]!.size = asciiText(bytes, sizeStart, sizeEnd)
      return
    }
    if (this.#count === this.#ranks.length) this.#grow()
    if (at < this.#count) this.#ranks.copyWithin(at + 1, at, this.#count)
    this.#ranks[at] = rank
    this.#count++
    levels?.splice(at, 0, levelOf(bytes, priceStart, priceEnd, sizeStart, sizeEnd))
  }

  /** One level of a snapshot, after `clear` and before `settle`. */
  load(bytes: Uint8Array, priceStart: number, priceEnd: number, sizeStart: number, sizeEnd: number): void {
    if (isZeroText(bytes, sizeStart, sizeEnd)) return
    const rank = numberOfText(bytes, priceStart, priceEnd) * this.#sign
    const count = this.#count
    if (count === this.#ranks.length) this.#grow()
    if (count > 0 && !(rank < this.#ranks[count - 1]!)) this.#isDescending = false
    this.#ranks[count] = rank
    this.#count++
    this.#levels?.push(levelOf(bytes, priceStart, priceEnd, sizeStart, sizeEnd))
  }

  /** The snapshot is complete. Snapshots come with the best price first; one that does not is sorted. */
  settle(): void {
    if (this.#isDescending) {
      this.#ranks.subarray(0, this.#count).reverse()
      this.#levels?.reverse()
    } else this.#sort()
    this.#isDescending = true
  }

  /** Forgets the worst levels beyond `depth`. */
  trim(depth: number): void {
    if (this.#count > depth) this.#remove(0, this.#count - depth)
  }

  /** Gives memory back after a snapshot that was far larger than what is kept of it. */
  shrink(): void {
    const capacity = Math.max(firstCapacity, this.#count * 2)
    if (this.#ranks.length > capacity * 2) this.#ranks = this.#ranks.slice(0, capacity)
  }

  /** Forgets worst levels when there are more than `limit`; returns how many. */
  bound(limit: number): number {
    if (this.#count <= limit) return 0
    const forgotten = this.#count - limit + Math.floor(limit / forgottenShare)
    this.#remove(0, forgotten)
    return forgotten
  }

  /** The best levels, best first, at most so many. Valid until the next call. */
  best(most: number): readonly BookLevel[] {
    const best = this.#best
    best.length = 0
    const levels = this.#levels ?? []
    const end = Math.max(0, levels.length - most)
    for (let i = levels.length - 1; i >= end; i--) best.push(levels[i]!)
    return best
  }

  /** Where a level of this rank stands or belongs. */
  #find(rank: number): number {
    const ranks = this.#ranks
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranks[middle]! < rank) low = middle + 1
      else high = middle
    }
    return low
  }

  #remove(at: number, count: number): void {
    if (at + count < this.#count) this.#ranks.copyWithin(at, at + count, this.#count)
    this.#count -= count
    this.#levels?.splice(at, count)
  }

  #grow(): void {
    const grown = new Float64Array(this.#ranks.length * 2)
    grown.set(this.#ranks)
    this.#ranks = grown
  }

  /** Of two levels with one price the later one counts. */
  #sort(): void {
    const ranks = this.#ranks.slice(0, this.#count)
    const levels = this.#levels?.slice() ?? null
    const order = Array.from(ranks.keys()).sort((a, b) => ranks[a]! - ranks[b]! || a - b)
    const kept = order.filter((index, i) => i + 1 === order.length || ranks[order[i + 1]!] !== ranks[index])
    kept.forEach((index, i) => {
      this.#ranks[i] = ranks[index]!
    })
    this.#count = kept.length
    if (levels === null || this.#levels === null) return
    this.#levels.length = 0
    for (const index of kept) this.#levels.push(levels[index]!)
  }
}

function levelOf(
  bytes: Uint8Array,
  priceStart: number,
  priceEnd: number,
  sizeStart: number,
  sizeEnd: number
): Level {
  return { price: asciiText(bytes, priceStart, priceEnd), size: asciiText(bytes, sizeStart, sizeEnd) }
}
