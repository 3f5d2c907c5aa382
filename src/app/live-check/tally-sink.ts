import { type RecordSink, type Route, type SinkListener } from '../../../actors/producer/sinks/record-sink.ts'
import { type OrderBook } from '../../../schemas/generated/order-book.ts'
import { decodeRecord } from '../../codec/avro-types.ts'
import { type Gap } from '../../domain/gap.ts'
import { type PartitionActivity } from '../../domain/partition-activity.ts'

/** Snapshots decoded in one second of one key: whole books may come in hundreds. */
const booksPerSecond = 20

interface BookTally {
  second: number
  inSecond: number
}

/** What a check keeps of the records that reach it. */
export interface TallyEvents {
  gap(gap: Gap): void
  /** @param key `region|exchange|request_type|symbol` */
  crossedBook(key: string, bid: string, ask: string): void
}

/** The end of the pipeline of a check: every record is acknowledged and forgotten; gaps and crossed books are told. */
export class TallySink implements RecordSink {
  readonly requests = 0
  readonly isFull = false
  readonly #listener: SinkListener
  readonly #events: TallyEvents
  readonly #books = new Map<string, BookTally>()
  #owners: number[] = []
  #receivedMicros: number[] = []
  #bytes = 0
  #timer: NodeJS.Immediate | null = null

  constructor(listener: SinkListener, events: TallyEvents) {
    this.#listener = listener
    this.#events = events
  }

  get pendingRecords(): number {
    return this.#owners.length
  }

  get pendingBytes(): number {
    return this.#bytes
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  activity(): readonly PartitionActivity[] {
    return []
  }

  async open(): Promise<void> {
    // There is nothing to connect to.
  }

  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number
  ): void {
    if (route.topic === 'ws.gap.events') this.#events.gap(jsonOf(bytes, start, end) as Gap)
    else if (route.topic.startsWith('orderbook-data.')) {
      this.#book(route.key, bytes, start, end, receivedMicros)
    }
    this.#owners.push(owner)
    this.#receivedMicros.push(receivedMicros)
    this.#bytes += end - start
    // Not within the call: whoever appends is not done with his own books yet.
    this.#timer ??= setImmediate(this.#settle)
  }

  async drain(): Promise<void> {
    this.#settle()
  }

  async close(): Promise<void> {
    this.#settle()
  }

  readonly #settle = (): void => {
    if (this.#timer !== null) clearImmediate(this.#timer)
    this.#timer = null
    while (this.#owners.length > 0) {
      const [owners, receivedMicros] = [
        Int32Array.from(this.#owners),
        Float64Array.from(this.#receivedMicros)
      ]
      this.#owners = []
      this.#receivedMicros = []
      this.#bytes = 0
      this.#listener.settled(owners, receivedMicros, owners.length, 'published')
    }
  }

  /** A whole book is crossed or not by itself; of updates the service's continuity judges. */
  #book(key: string, bytes: Uint8Array, start: number, end: number, receivedMicros: number): void {
    const second = Math.floor(receivedMicros / 1_000_000)
    const tally = this.#books.get(key) ?? { second, inSecond: 0 }
    this.#books.set(key, tally)
    if (tally.second !== second) {
      tally.second = second
      tally.inSecond = 0
    }
    if (++tally.inSecond > booksPerSecond) return
    const { kind, bids, asks } = decodeRecord('orderbook', bytes.subarray(start, end)) as OrderBook
    const [bid, ask] = [bids[0]?.price, asks[0]?.price]
    if (kind !== 'SNAPSHOT' || bid === undefined || ask === undefined) return
    // Prices next to each other differ in fewer digits than a double has.
    if (Number(bid) >= Number(ask)) this.#events.crossedBook(key, bid, ask)
  }
}

function jsonOf(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)))
}
