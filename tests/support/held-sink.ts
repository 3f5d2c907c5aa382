import {
  type Outcome,
  type RecordSink,
  type Route,
  type SinkListener
} from '../../actors/producer/sinks/record-sink.ts'
import { type PartitionActivity } from '../../src/domain/partition-activity.ts'

export interface HeldRecord {
  readonly route: Route
  readonly value: Uint8Array
  readonly receivedMicros: number
  readonly owner: number
  readonly headers: Uint8Array | undefined
}

/**
 * A sink of a test: it keeps what it is given until the test says what becomes of it. It has a cap as the real ones have,
 * and lets a test await what it has taken.
 */
export class HeldSink implements RecordSink {
  readonly #listener: SinkListener
  readonly #capBytes: number
  readonly #waiters: { readonly isDone: () => boolean; readonly resolve: () => void }[] = []
  /** Everything that was ever appended, in order, and how much of it has met its fate. */
  readonly all: HeldRecord[] = []
  #settled = 0
  #bytes = 0
  /** The most bytes it ever held. */
  bytesMost = 0
  /** Whether `drain` finds a cluster that acknowledges. */
  acknowledges = true
  activities: readonly PartitionActivity[] = []
  drains = 0
  readonly requests = 0

  constructor(listener: SinkListener, capBytes = Number.POSITIVE_INFINITY) {
    this.#listener = listener
    this.#capBytes = capBytes
  }

  get pendingRecords(): number {
    return this.all.length - this.#settled
  }

  get pendingBytes(): number {
    return this.#bytes
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#bytes >= this.#capBytes
  }

  activity(): readonly PartitionActivity[] {
    return this.activities
  }

  async open(): Promise<void> {}

  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    headers?: Uint8Array
  ): void {
    this.all.push({ route, value: bytes.slice(start, end), receivedMicros, owner, headers })
    this.#bytes += end - start
    this.bytesMost = Math.max(this.bytesMost, this.#bytes)
    for (let i = this.#waiters.length - 1; i >= 0; i--) {
      if (this.#waiters[i]!.isDone()) this.#waiters.splice(i, 1)[0]!.resolve()
    }
  }

  /** Settles the oldest records, all by default. */
  settle(outcome: Outcome, count = this.pendingRecords): void {
    const records = this.all.slice(this.#settled, this.#settled + count)
    this.#settled += records.length
    for (const { value } of records) this.#bytes -= value.length
    this.#listener.settled(
      Int32Array.from(records, record => record.owner),
      Float64Array.from(records, record => record.receivedMicros),
      records.length,
      outcome
    )
  }

  /** Gives up what is pending, as the deadline of a drain or of the delivery does. */
  giveUp(reason: string): void {
    const lost = new Map<Route, HeldRecord[]>()
    for (const record of this.all.slice(this.#settled)) {
      lost.set(record.route, [...(lost.get(record.route) ?? []), record])
    }
    const count = this.pendingRecords
    for (const [route, records] of lost) {
      const times = records.map(record => record.receivedMicros)
      this.#listener.undelivered(route, Math.min(...times), Math.max(...times), records.length, reason)
    }
    this.settle('failed', count)
  }

  async drain(): Promise<void> {
    this.drains++
    if (this.acknowledges) this.settle('published')
    else this.giveUp('the broker did not acknowledge the records before the deadline')
  }

  async close(): Promise<void> {}

  /** Values of a topic as text. */
  textsOf(topic: string): string[] {
    return this.all
      .filter(({ route }) => route.topic === topic)
      .map(({ value }) => Buffer.from(value).toString())
  }

  /** Resolves as soon as the condition holds; it is looked at after every append. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push({ isDone, resolve }))
  }
}
