import { createKafkaClient, type KafkaAccess } from '../../../src/bus/kafka-client.ts'
import { type Logger } from '../../../src/core/logger.ts'
import { type PartitionActivity } from '../../../src/domain/partition-activity.ts'
import { LossTally } from './loss-tally.ts'
import { type Outcome, type RecordSink, type Route, type SinkListener } from './record-sink.ts'
import { type KeyedRoute, SendBatch } from './send-batch.ts'
import { type LaneListener, SendLane } from './send-lane.ts'
import { SendQueue } from './send-queue.ts'

export interface KafkajsSendOptions extends KafkaAccess {
  readonly lingerMs: number
  readonly batchBytes: number
  readonly compression: 'none' | 'gzip'
}

/** Requests on their way at once; each lane has a producer id and connections of its own. */
const lanes = 2
/** What a record takes beside its key and value, in the request and in our books. */
const recordOverheadBytes = 24
const freeBatchesMax = 256

interface Destination extends KeyedRoute {
  readonly queue: SendQueue
}

/**
 * Writes to Kafka through the public `send()` of kafkajs: acks from all replicas, idempotent, in order. While Kafka does not
 * take records they stay in order where they are, for as long as it lasts; the caller's credits bound them.
 */
export class KafkajsSendSink implements RecordSink, LaneListener {
  readonly #options: KafkajsSendOptions
  readonly #listener: SinkListener
  readonly #lanes: readonly SendLane[]
  readonly #queues = new Map<string, SendQueue>()
  readonly #laneOf = new Map<SendQueue, SendLane>()
  readonly #destinations: (Destination | undefined)[] = []
  readonly #lingering = new Set<SendQueue>()
  readonly #failing = new Set<object>()
  readonly #freeBatches: SendBatch[] = []
  #lingerTimer: NodeJS.Timeout | null = null
  #whenFirstWord: (() => void) | null = null
  #whenEmpty: (() => void) | null = null
  #isDraining = false
  #isClosed = false
  #pendingRecords = 0
  #pendingBytes = 0

  constructor(options: KafkajsSendOptions, listener: SinkListener, logger: Logger) {
    this.#options = options
    this.#listener = listener
    const laneOptions = {
      kafka: createKafkaClient(options, logger),
      compression: options.compression,
      newBatch: (): SendBatch => this.#newBatch()
    }
    this.#lanes = Array.from({ length: lanes }, () => new SendLane(laneOptions, this))
  }

  get pendingRecords(): number {
    return this.#pendingRecords
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get bufferedBytes(): number {
    return this.#pendingBytes
  }

  get isFull(): boolean {
    return false
  }

  /** Not counted here. */
  get requests(): number {
    return 0
  }

  activity(): readonly PartitionActivity[] {
    return []
  }

  /** Resolves when Kafka has answered or failed to: it may be away at the start, and is awaited while records wait. */
  async open(): Promise<void> {
    const firstWord = new Promise<void>(resolve => {
      this.#whenFirstWord = resolve
    })
    this.#lanes[0]!.open()
    await firstWord
  }

  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number
  ): void {
    let destination = this.#destinations[route.id]
    if (destination === undefined || destination.route !== route) destination = this.#learn(route)
    const { queue } = destination
    const size = end - start + destination.key.length + recordOverheadBytes
    if (queue.open !== null && queue.open.bytes + size > this.#options.batchBytes) this.#closeBatch(queue)
    const batch = queue.open ?? this.#openBatch(queue)
    batch.add(destination, bytes, start, end, receivedMicros, owner, size)
    this.#pendingRecords++
    this.#pendingBytes += size
    if (batch.bytes >= this.#options.batchBytes) this.#closeBatch(queue)
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    for (const queue of this.#queues.values()) if (queue.open !== null) this.#closeBatch(queue)
    if (this.#pendingRecords > 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#whenEmpty = resolve
        timer = setTimeout(resolve, deadlineMs)
      })
      clearTimeout(timer)
      this.#whenEmpty = null
    }
    this.#failLeftovers()
    this.#isDraining = false
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer)
    this.#failLeftovers()
    await Promise.all(this.#lanes.map(lane => lane.close()))
  }

  settled(batch: SendBatch, outcome: Outcome): void {
    this.#account(batch, outcome)
    this.#recycle(batch)
    if (this.#pendingRecords === 0) this.#whenEmpty?.()
  }

  failing(part: object, message: string): void {
    const isFirst = this.#failing.size === 0
    this.#failing.add(part)
    if (isFirst) {
      const where = this.#options.brokers.join(', ')
      this.#listener.availability(
        false,
        `Kafka at ${where} does not take records: ${message}. They wait in order and are sent when it does.`
      )
    }
    this.#sayFirstWord()
  }

  recovered(part: object): void {
    const wasFailing = this.#failing.delete(part)
    if (wasFailing && this.#failing.size === 0)
      this.#listener.availability(true, 'Kafka takes records again.')
    this.#sayFirstWord()
  }

  emptied(queue: SendQueue): void {
    if (queue.open !== null && !this.#lingering.has(queue)) this.#closeBatch(queue)
  }

  refused(batch: SendBatch, message: string): void {
    this.#tellUndelivered([batch], `Kafka refused the record for good: ${message}.`)
  }

  #sayFirstWord(): void {
    this.#whenFirstWord?.()
    this.#whenFirstWord = null
  }

  #learn(route: Route): Destination {
    const { topic, partition, keyBytes } = route
    const name = `${topic}/${partition}`
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new SendQueue(topic, partition)
      this.#laneOf.set(queue, this.#lanes[this.#queues.size % lanes]!)
      this.#queues.set(name, queue)
    }
    const key = Buffer.from(keyBytes.buffer, keyBytes.byteOffset, keyBytes.byteLength)
    const destination = { route, queue, key }
    this.#destinations[route.id] = destination
    return destination
  }

  #openBatch(queue: SendQueue): SendBatch {
    const batch = this.#newBatch()
    batch.openedAtMs = performance.now()
    queue.open = batch
    this.#lingering.add(queue)
    this.#lingerTimer ??= setTimeout(this.#onLingered, this.#isDraining ? 0 : this.#options.lingerMs)
    return batch
  }

  #closeBatch(queue: SendQueue): void {
    this.#lingering.delete(queue)
    queue.ready.push(queue.open!)
    queue.open = null
    this.#laneOf.get(queue)!.offer(queue)
  }

  /**
   * Batches are opened in the order of the set, so the first that is not due ends the search. Behind a batch that waits for
   * its request another one stays open and grows: a request costs the same whatever it carries, so that after an outage, or
   * on a slow broker, closing one for every linger would build up a queue that is never worked off.
   */
  readonly #onLingered = (): void => {
    this.#lingerTimer = null
    const lingerMs = this.#isDraining ? 0 : this.#options.lingerMs
    // Timers have a resolution of 1 ms; what is due within it goes along.
    const due = performance.now() - lingerMs + 1
    for (const queue of this.#lingering) {
      const waitMs = queue.open!.openedAtMs - due
      if (waitMs > 0) {
        this.#lingerTimer = setTimeout(this.#onLingered, waitMs)
        return
      }
      if (queue.ready.length > 0) this.#lingering.delete(queue)
      else this.#closeBatch(queue)
    }
  }

  /** The fate of batches that were sent before is unknown, so their producer ids are given up as well. */
  #failLeftovers(): void {
    if (this.#pendingRecords === 0) return
    for (const lane of this.#lanes) lane.renewLater()
    const left: SendBatch[] = []
    for (const queue of this.#queues.values()) {
      left.push(...queue.ready.splice(0))
      if (queue.open !== null) left.push(queue.open)
      queue.open = null
      queue.failures = 0
      queue.notBeforeMs = 0
    }
    this.#lingering.clear()
    this.#tellUndelivered(left, 'Kafka did not acknowledge the records before the deadline.')
    // Not recycled: the client may still hold a batch that it is sending.
    for (const batch of left) this.#account(batch, 'failed')
  }

  #account(batch: SendBatch, outcome: Outcome): void {
    this.#pendingRecords -= batch.count
    this.#pendingBytes -= batch.bytes
    this.#listener.settled(batch.owners, batch.receivedMicros, batch.count, outcome)
  }

  #tellUndelivered(batches: readonly SendBatch[], reason: string): void {
    const tally = new LossTally()
    for (const batch of batches) {
      for (let row = 0; row < batch.count; row++) tally.add(batch.routeOf(row), batch.receivedMicros[row]!)
    }
    tally.tell(this.#listener, reason)
  }

  #newBatch(): SendBatch {
    return this.#freeBatches.pop() ?? new SendBatch()
  }

  #recycle(batch: SendBatch): void {
    const isWorthIt =
      batch.slabBytes <= 2 * this.#options.batchBytes && this.#freeBatches.length < freeBatchesMax
    if (!isWorthIt) return
    batch.clear()
    this.#freeBatches.push(batch)
  }
}
