import { type SendBatch } from './send-batch.ts'

/** What waits for one partition: closed batches in order, and the one that is still open. */
export class SendQueue {
  readonly topic: string
  readonly partition: number
  readonly ready: SendBatch[] = []
  open: SendBatch | null = null
  /** Failed attempts at the first batch since the last success. */
  failures = 0
  /** Monotonic milliseconds before which the first batch is not tried again. */
  notBeforeMs = 0
  /** Whether the lane has it in its rotation. */
  isRotating = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }
}
