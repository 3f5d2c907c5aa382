import { type LevelFacts, levelHash } from '../simulator/fingerprint.ts'

const zeroSize = /^0*\.?0*$/

/** A book rebuilt from delivered records, as an order-independent hash that follows each changed level. */
export class BookReplica {
  readonly #bids = new Map<string, number>()
  readonly #asks = new Map<string, number>()
  readonly #depth: number | null
  hash = 0

  /** @param depth levels a side that the venue keeps; it drops the worst without a word, and so must every reader */
  constructor(depth: number | null = null) {
    this.#depth = depth
  }

  /** A snapshot: the whole book is replaced. */
  replace(bids: readonly LevelFacts[], asks: readonly LevelFacts[]): void {
    this.#bids.clear()
    this.#asks.clear()
    this.hash = 0
    this.change(bids, asks)
  }

  /** A delta: sizes are absolute, zero removes the level. */
  change(bids: readonly LevelFacts[], asks: readonly LevelFacts[]): void {
    for (let i = 0; i < bids.length; i++) this.#level(this.#bids, 'bid', bids[i]!)
    for (let i = 0; i < asks.length; i++) this.#level(this.#asks, 'ask', asks[i]!)
    if (this.#depth === null) return
    while (this.#bids.size > this.#depth) this.#forget(this.#bids, Math.min)
    while (this.#asks.size > this.#depth) this.#forget(this.#asks, Math.max)
  }

  get levels(): number {
    return this.#bids.size + this.#asks.size
  }

  /** Takes the worst level away. */
  #forget(side: Map<string, number>, worstOf: (...prices: number[]) => number): void {
    const worst = worstOf(...[...side.keys()].map(Number))
    for (const [price, hash] of side) {
      if (Number(price) !== worst) continue
      this.hash = (this.hash - hash) | 0
      side.delete(price)
    }
  }

  #level(side: Map<string, number>, name: 'bid' | 'ask', level: LevelFacts): void {
    const before = side.get(level.price)
    if (before !== undefined) this.hash = (this.hash - before) | 0
    if (zeroSize.test(level.size)) {
      if (before !== undefined) side.delete(level.price)
      return
    }
    const after = levelHash(name, level.price, level.size)
    side.set(level.price, after)
    this.hash = (this.hash + after) | 0
  }
}
