import { type BookSide } from './tick-book.ts'

/** The texts of one side's levels on the wire, each written anew only when its size has changed. */
export class LevelTexts {
  readonly #side: BookSide
  readonly #write: (tick: number, size: string) => string
  /** By tick; empty where there is no level. */
  readonly #texts: string[]

  constructor(side: BookSide, write: (tick: number, size: string) => string) {
    this.#side = side
    this.#write = write
    this.#texts = side.wireSizes.map((size, tick) => (size === '' ? '' : write(tick, size)))
  }

  /** Takes in what the last step of the book has changed. */
  follow(): void {
    for (const tick of this.#side.changed) {
      const size = this.#side.wireSizes[tick]!
      this.#texts[tick] = size === '' ? '' : this.#write(tick, size)
    }
  }

  /** Levels with commas, from the first tick given to the last. */
  join(ticks: readonly number[]): string {
    let text = ''
    for (let i = 0; i < ticks.length; i++) text += (i === 0 ? '' : ',') + this.#texts[ticks[i]!]!
    return text
  }
}
