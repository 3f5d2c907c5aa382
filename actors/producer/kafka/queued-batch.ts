import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { type Batch } from './batch.ts'

/** A closed batch on its way to the broker, the first of its partition until its fate is known. */
export class QueuedBatch {
  readonly batch: Batch
  /** Why it was closed. */
  readonly reason: FlushReason
  /** How often it was sent. */
  attempts = 0
  /** An attempt ended without a word from the broker, or with one that leaves it open. */
  mayBeWritten = false
  /** Whether it carries the numbering that its partition has now. */
  isStamped = false

  constructor(batch: Batch, reason: FlushReason) {
    this.batch = batch
    this.reason = reason
  }
}
