import { type Message } from 'kafkajs'
import { type Route } from './record-sink.ts'

/** A route with its key as the client takes it: it would turn a plain Uint8Array into text. */
export interface KeyedRoute {
  readonly route: Route
  readonly key: Buffer
}

const firstRecords = 64
const firstBytes = 4096

/** Records of one partition that travel together. Values are copied into one slab; nothing else is kept per record but numbers. */
export class SendBatch {
  count = 0
  /** What the records take of the buffer, keys and a fixed share for their frame included. */
  bytes = 0
  /** Monotonic milliseconds. */
  openedAtMs = 0
  owners = new Int32Array(firstRecords)
  receivedMicros = new Float64Array(firstRecords)
  readonly #routes: KeyedRoute[] = []
  #ends = new Int32Array(firstRecords)
  #slab = Buffer.allocUnsafeSlow(firstBytes)
  #messages: Message[] | null = null

  /** What the batch keeps allocated, for deciding whether it is worth keeping. */
  get slabBytes(): number {
    return this.#slab.length
  }

  add(
    keyed: KeyedRoute,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    size: number
  ): void {
    const row = this.count++
    if (row === this.owners.length) this.#growRows()
    const from = row === 0 ? 0 : this.#ends[row - 1]!
    const to = from + end - start
    if (to > this.#slab.length) this.#growSlab(from, to)
    this.#slab.set(bytes.subarray(start, end), from)
    this.#ends[row] = to
    this.#routes.push(keyed)
    this.owners[row] = owner
    this.receivedMicros[row] = receivedMicros
    this.bytes += size
  }

  /** The records as the client wants them. Made once: a retry sends the very same batch. */
  messages(partition: number): Message[] {
    if (this.#messages !== null) return this.#messages
    const messages: Message[] = []
    let millis = -1
    let timestamp = ''
    for (let row = 0; row < this.count; row++) {
      const at = Math.floor(this.receivedMicros[row]! / 1000)
      if (at !== millis) {
        millis = at
        timestamp = String(at)
      }
      messages.push({ key: this.#routes[row]!.key, value: this.#value(row), partition, timestamp })
    }
    this.#messages = messages
    return messages
  }

  routeOf(row: number): Route {
    return this.#routes[row]!.route
  }

  /** Copies the records `[from, to)` to an empty batch. */
  copyTo(target: SendBatch, from: number, to: number): void {
    const share = Math.ceil(this.bytes / this.count)
    for (let row = from; row < to; row++) {
      const value = this.#value(row)
      const isLast = row === this.count - 1
      const size = isLast ? this.bytes - share * (this.count - 1) : share
      target.add(
        this.#routes[row]!,
        value,
        0,
        value.length,
        this.receivedMicros[row]!,
        this.owners[row]!,
        size
      )
    }
    target.openedAtMs = this.openedAtMs
  }

  clear(): void {
    this.count = 0
    this.bytes = 0
    this.#routes.length = 0
    this.#messages = null
  }

  #value(row: number): Buffer {
    return this.#slab.subarray(row === 0 ? 0 : this.#ends[row - 1]!, this.#ends[row])
  }

  #growRows(): void {
    const rows = this.owners.length * 2
    const owners = new Int32Array(rows)
    owners.set(this.owners)
    this.owners = owners
    const received = new Float64Array(rows)
    received.set(this.receivedMicros)
    this.receivedMicros = received
    const ends = new Int32Array(rows)
    ends.set(this.#ends)
    this.#ends = ends
  }

  #growSlab(used: number, needed: number): void {
    const slab = Buffer.allocUnsafeSlow(Math.max(needed, this.#slab.length * 2))
    this.#slab.copy(slab, 0, 0, used)
    this.#slab = slab
  }
}
