import { Histogram } from '../core/histogram.ts'
import { type FrameLedger, type RecordLedger } from '../domain/ledger.ts'

/**
 * Counters on shared memory, so that they survive the thread that bumps them. Each field has one writer:
 * the connection thread, the producer thread, or main (which closes the account of a thread that died).
 */
const frameFields = [
  // written by the connection thread
  'received',
  'bytesReceived',
  'control',
  'shed',
  'held',
  'handedOver',
  'reconnects',
  'subscribed',
  'paused',
  'lastFrameMicros',
  'state',
  'keepAlivesReplaced',
  'requestsDropped',
  'messagesGivenUp',
  // written by the producer thread
  'taken',
  'transcoded',
  'ignored',
  'codecControl',
  'dead',
  'producerHeld',
  // written when a thread died: frames handed over that were with the producer, and frames that never left their thread
  'lost',
  'lostUnsent'
] as const
type FrameField = (typeof frameFields)[number]

const recordFields = ['made', 'published', 'duplicate', 'superseded', 'failed', 'held', 'lost'] as const
type RecordField = (typeof recordFields)[number]

/** Connection states as numbers in shared memory, in this order. */
export const connectionStates = [
  'idle',
  'connecting',
  'subscribing',
  'live',
  'stale',
  'backoff',
  'open',
  'stopping',
  'stopped'
] as const
export type ConnectionState = (typeof connectionStates)[number]

class Block<Field extends string> {
  readonly #values: Float64Array
  readonly #index: ReadonlyMap<Field, number>

  constructor(values: Float64Array, index: ReadonlyMap<Field, number>) {
    this.#values = values
    this.#index = index
  }

  get values(): Float64Array {
    return this.#values
  }

  get(field: Field): number {
    return this.#values[this.#index.get(field)!]!
  }

  set(field: Field, value: number): void {
    this.#values[this.#index.get(field)!] = value
  }

  add(field: Field, amount: number): void {
    const at = this.#index.get(field)!
    this.#values[at] = this.#values[at]! + amount
  }
}

const frameIndex: ReadonlyMap<FrameField, number> = new Map(frameFields.map((field, i) => [field, i]))
const recordIndex: ReadonlyMap<RecordField, number> = new Map(recordFields.map((field, i) => [field, i]))

/** Positions in `values`, for loops that bump them without a look-up. */
export function frameFieldAt(field: FrameField): number {
  return frameIndex.get(field)!
}

export function recordFieldAt(field: RecordField): number {
  return recordIndex.get(field)!
}

/** The frame account of one shard of a target; it outlives the sockets that come and go on it. */
export class FrameAccount extends Block<FrameField> {
  /**
   * Closes the books of a producer that died: of what was handed over, all that has no outcome is lost. It may have died
   * in the middle of a batch, so what it said that it held is not to be trusted. Only for whoever knows that no producer
   * writes here now.
   */
  writeOffHandedOver(): void {
    const handedOver = this.get('handedOver')
    const decided = this.get('transcoded') + this.get('ignored') + this.get('codecControl') + this.get('dead')
    this.set('lost', handedOver - decided)
    this.set('taken', handedOver)
    this.set('producerHeld', 0)
  }

  ledger(): FrameLedger {
    return {
      received: this.get('received'),
      control: this.get('control') + this.get('codecControl'),
      transcoded: this.get('transcoded'),
      ignored: this.get('ignored'),
      dead: this.get('dead'),
      shed: this.get('shed') + this.get('lost') + this.get('lostUnsent'),
      in_flight: this.get('held') + (this.get('handedOver') - this.get('taken')) + this.get('producerHeld')
    }
  }
}

/** The record account of one target, with the latencies of its published records in microseconds. */
export class RecordAccount extends Block<RecordField> {
  readonly latency: Histogram

  constructor(values: Float64Array, latency: Histogram) {
    super(values, recordIndex)
    this.latency = latency
  }

  /** Closes the books of a producer that died: every record without a fate is lost. */
  writeOff(): void {
    const decided =
      this.get('published') + this.get('duplicate') + this.get('superseded') + this.get('failed')
    this.set('lost', this.get('made') - decided)
    this.set('held', 0)
  }

  ledger(): RecordLedger {
    return {
      made: this.get('made'),
      published: this.get('published'),
      duplicate: this.get('duplicate'),
      superseded: this.get('superseded'),
      failed: this.get('failed') + this.get('lost'),
      in_flight: this.get('held')
    }
  }
}

const recordStride = recordFields.length + Histogram.length

/** All accounts of a process in one SharedArrayBuffer, made by main and handed to every thread. */
export class SharedLedger {
  readonly memory: SharedArrayBuffer
  readonly shards: number
  readonly targets: number

  constructor(shards: number, targets: number, memory?: SharedArrayBuffer) {
    this.shards = shards
    this.targets = targets
    this.memory = memory ?? new SharedArrayBuffer(8 * (shards * frameFields.length + targets * recordStride))
  }

  frames(shard: number): FrameAccount {
    const offset = 8 * shard * frameFields.length
    return new FrameAccount(new Float64Array(this.memory, offset, frameFields.length), frameIndex)
  }

  records(target: number): RecordAccount {
    const offset = 8 * (this.shards * frameFields.length + target * recordStride)
    return new RecordAccount(
      new Float64Array(this.memory, offset, recordFields.length),
      new Histogram(new Float64Array(this.memory, offset + 8 * recordFields.length, Histogram.length))
    )
  }
}
