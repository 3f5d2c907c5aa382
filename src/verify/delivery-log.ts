import { type Connections } from './connections.ts'

const firstCapacity = 1024

/** A place in the stream of a shard: a frame of a connection. */
export interface StreamPlace {
  readonly dialMs: number
  readonly frameSeq: number
}

/**
 * What one channel delivered, in the order of reading: ordinal, place in the stream and receive time, 21 bytes a record.
 * Places never step back: deltas that waited for a snapshot carry older frame numbers and take the snapshot's place.
 */
export class DeliveryLog {
  readonly #connections: Connections
  #ordinals = new Int32Array(firstCapacity)
  #isSnapshot = new Uint8Array(firstCapacity)
  #connection = new Int32Array(firstCapacity)
  #frameSeq = new Uint32Array(firstCapacity)
  #receivedMicros = new Float64Array(firstCapacity)
  count = 0

  constructor(connections: Connections) {
    this.#connections = connections
  }

  /** @param ordinal of the event; for a snapshot the last event that it covers (-1: none) */
  add(
    ordinal: number,
    isSnapshot: boolean,
    connection: number,
    frameSeq: number,
    receivedMicros: number
  ): void {
    const at = this.count
    if (at === this.#ordinals.length) this.#grow()
    this.#ordinals[at] = ordinal
    this.#isSnapshot[at] = isSnapshot ? 1 : 0
    this.#connection[at] = connection
    this.#frameSeq[at] = frameSeq
    this.#receivedMicros[at] = receivedMicros
    if (at > 0) {
      const before = this.#connection[at - 1]!
      const isBack =
        before === connection
          ? frameSeq < this.#frameSeq[at - 1]!
          : this.#connections.dialMs(connection) < this.#connections.dialMs(before)
      if (isBack) {
        this.#connection[at] = before
        this.#frameSeq[at] = this.#frameSeq[at - 1]!
      }
      if (receivedMicros < this.#receivedMicros[at - 1]!)
        this.#receivedMicros[at] = this.#receivedMicros[at - 1]!
    }
    this.count = at + 1
  }

  ordinal(index: number): number {
    return this.#ordinals[index]!
  }

  isSnapshot(index: number): boolean {
    return this.#isSnapshot[index] === 1
  }

  /** A sentence part for samples. */
  describe(index: number): string {
    if (index < 0) return 'nothing'
    if (index >= this.count) return 'the end'
    const { id } = this.#connections.facts(this.#connection[index]!)
    return `ordinal ${this.#ordinals[index]!} (frame ${this.#frameSeq[index]!} of ${id})`
  }

  /** Index of the first record behind a place; with `isIncluded` the record at the place counts as behind. */
  firstAfterPlace(place: StreamPlace, isIncluded: boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const dialMs = this.#connections.dialMs(this.#connection[middle]!)
      const frameSeq = this.#frameSeq[middle]!
      const isBehind =
        dialMs === place.dialMs
          ? frameSeq > place.frameSeq || (isIncluded && frameSeq === place.frameSeq)
          : dialMs > place.dialMs
      if (isBehind) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The same by receive time. */
  firstAfterMicros(micros: number, isIncluded: boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const received = this.#receivedMicros[middle]!
      if (received > micros || (isIncluded && received === micros)) high = middle
      else low = middle + 1
    }
    return low
  }

  #grow(): void {
    this.#ordinals = grown(this.#ordinals, new Int32Array(this.count * 2))
    this.#isSnapshot = grown(this.#isSnapshot, new Uint8Array(this.count * 2))
    this.#connection = grown(this.#connection, new Int32Array(this.count * 2))
    this.#frameSeq = grown(this.#frameSeq, new Uint32Array(this.count * 2))
    this.#receivedMicros = grown(this.#receivedMicros, new Float64Array(this.count * 2))
  }
}

function grown<Array extends Int32Array | Uint8Array | Uint32Array | Float64Array>(
  old: Array,
  larger: Array
): Array {
  larger.set(old)
  return larger
}
