import { type Route } from '../sinks/record-sink.ts'
import { varintBytes, writeVarint } from './varint.ts'

const viewOfBytes = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * What records are copied from, seen through DataViews: a view per record would cost more than it saves. The keys of all
 * routes lie in one buffer, each behind the varint of its length; of values the buffer that came last is remembered.
 */
export class SourceViews {
  /** Keys of the routes seen, each with the varint of its length. */
  keys = new Uint8Array(4096)
  keysView = viewOfBytes(this.keys)
  readonly #routes: (Route | undefined)[] = []
  #starts = new Int32Array(64)
  #ends = new Int32Array(64)
  #keysEnd = 0
  #values: Uint8Array | null = null
  #valuesView: DataView | null = null

  keyOf(route: Route): number {
    const { id } = route
    if (this.#routes[id] !== route) this.#learn(route)
    return id
  }

  keyStart(key: number): number {
    return this.#starts[key]!
  }

  keyEnd(key: number): number {
    return this.#ends[key]!
  }

  /** The view of a buffer that comes for the second time running; null for one that may never come again. */
  viewOf(bytes: Uint8Array): DataView | null {
    if (bytes === this.#values) return (this.#valuesView ??= viewOfBytes(bytes))
    this.#values = bytes
    this.#valuesView = null
    return null
  }

  #learn(route: Route): void {
    const { id, keyBytes } = route
    const end = this.#keysEnd + varintBytes(keyBytes.length) + keyBytes.length
    if (end > this.keys.length) {
      const keys = new Uint8Array(Math.max(end, this.keys.length * 2))
      keys.set(this.keys)
      this.keys = keys
      this.keysView = viewOfBytes(keys)
    }
    while (id >= this.#starts.length) {
      this.#starts = doubled(this.#starts)
      this.#ends = doubled(this.#ends)
    }
    this.#starts[id] = this.#keysEnd
    this.#ends[id] = end
    this.keys.set(keyBytes, writeVarint(this.keys, this.#keysEnd, keyBytes.length))
    this.#keysEnd = end
    this.#routes[id] = route
  }
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(values.length * 2)
  grown.set(values)
  return grown
}
