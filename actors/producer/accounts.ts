import { type Histogram } from '../../src/core/histogram.ts'
import { recordFieldAt } from '../../src/wire/shared-ledger.ts'
import { type ProducerConnection } from './connection.ts'

const fieldOf = {
  published: recordFieldAt('published'),
  failed: recordFieldAt('failed'),
  duplicate: recordFieldAt('duplicate'),
  superseded: recordFieldAt('superseded')
} as const
const heldField = recordFieldAt('held')

/** What a record may come to: the sink's two answers, and what is decided before it gets there. */
export type Fate = keyof typeof fieldOf

/** The account of one batch: its credits go back when all its records have met their fate. */
interface BatchAccount {
  readonly connection: ProducerConnection
  readonly bytes: number
  readonly lastFrameSeq: number
  /** Records without fate, and one for the batch itself while it is being decided. */
  remaining: number
}

/** The owner of control records (gaps, dead letters), which belong to no batch. */
export const controlOwner = -1

/**
 * Numbers for batches, so that a record on its way carries one integer. A number is used again once its batch is settled.
 */
export class Accounts {
  readonly #batches: BatchAccount[] = []
  readonly #free: number[] = []
  readonly #onSettled: (connection: ProducerConnection, bytes: number) => void
  #open = 0
  #openBytes = 0

  constructor(onSettled: (connection: ProducerConnection, bytes: number) => void) {
    this.#onSettled = onSettled
  }

  /** Batches that are not settled. */
  get open(): number {
    return this.#open
  }

  /** Raw frame bytes of those batches. */
  get openBytes(): number {
    return this.#openBytes
  }

  /** Opens the account of a batch of which so many records wait for their fate. */
  begin(connection: ProducerConnection, bytes: number, lastFrameSeq: number, records: number): number {
    this.#open++
    this.#openBytes += bytes
    const batch: BatchAccount = { connection, bytes, lastFrameSeq, remaining: 1 + records }
    connection.unsettled.push(batch)
    const number = this.#free.pop()
    if (number === undefined) {
      this.#batches.push(batch)
      return this.#batches.length - 1
    }
    this.#batches[number] = batch
    return number
  }

  /** So many records of a batch met their fate. */
  settle(owner: number, fate: Fate, records: number): void {
    const { values } = this.#batches[owner]!.connection.records
    const field = fieldOf[fate]
    values[field] = values[field]! + records
    values[heldField] = values[heldField]! - records
    this.release(owner, records)
  }

  /** Where the time that its published records took is noted. */
  latencyOf(owner: number): Histogram {
    return this.#batches[owner]!.connection.records.latency
  }

  /** So many records of the batch (or the batch's own share) are done. */
  release(owner: number, shares: number): void {
    const batch = this.#batches[owner]!
    batch.remaining -= shares
    if (batch.remaining > 0) return
    this.#free.push(owner)
    this.#open--
    const { connection, bytes } = batch
    this.#openBytes -= bytes
    const { unsettled } = connection
    // Batches may settle out of order; what is told is the last frame up to which everything is settled.
    for (let first = unsettled.first; first !== undefined && first.remaining === 0; first = unsettled.first) {
      connection.settledFrameSeq = first.lastFrameSeq
      unsettled.shift()
    }
    this.#onSettled(connection, bytes)
  }
}
