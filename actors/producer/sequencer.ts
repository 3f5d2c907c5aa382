import { Fifo } from './fifo.ts'

/**
 * Restores the order of one shard: work completes out of order in the codec pool, but is handed on in the order in
 * which it was enqueued. An item that is ready at once, with nothing before it, does not enter the queue at all.
 */
export class Sequencer<Item> {
  readonly #handOn: (item: Item) => void
  readonly #queue = new Fifo<{ item: Item | null }>()

  constructor(handOn: (item: Item) => void) {
    this.#handOn = handOn
  }

  get waiting(): number {
    return this.#queue.length
  }

  ready(item: Item): void {
    if (this.#queue.length === 0) this.#handOn(item)
    else this.#queue.push({ item })
  }

  /** Reserves the next place; the returned function fills it once. */
  reserve(): (item: Item) => void {
    const place: { item: Item | null } = { item: null }
    this.#queue.push(place)
    return item => {
      place.item = item
      this.#release()
    }
  }

  #release(): void {
    for (;;) {
      const item = this.#queue.first?.item
      if (item === undefined || item === null) return
      this.#queue.shift()
      this.#handOn(item)
    }
  }
}
