import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { type Partition } from './partition.ts'

/** Timers have a resolution of 1 ms: what is due within it goes along. */
export const timerToleranceMs = 0.75

export interface PacingState {
  readonly lastSentMs: number
  readonly lingerMs: number
  readonly lingerMinMs: number
  readonly isDraining: boolean
  /** Of memory. */
  readonly isShort: boolean
}

export interface Pace {
  /** Monotonic milliseconds; Infinity when nothing waits that could be sent. */
  readonly dueMs: number
  /** Why open batches are closed then. */
  readonly reason: FlushReason
}

/** Whether the partition has a batch that may be sent, or may be soon. */
export function isWaiting(partition: Partition): boolean {
  return !partition.isInFlight && !partition.isEmpty
}

/** Whether its wait after a failed attempt is over. */
export function isReady({ notBeforeMs }: Partition, nowMs: number): boolean {
  return notBeforeMs - nowMs <= timerToleranceMs
}

/**
 * When a broker is to be sent to next: an idle one once the first record has waited the shortest linger, one with a stream
 * once per linger, and at once when a batch is full or is sent again, memory is short, or all is to go. Those that wait go
 * along whatever the reason: a request costs more than a batch, and holding half-filled ones back has not been seen to pay.
 */
export function paceOf(partitions: readonly Partition[], state: PacingState, nowMs: number): Pace {
  let hasClosed = false
  let oldestMs = Number.POSITIVE_INFINITY
  let retryAtMs = Number.POSITIVE_INFINITY
  for (const partition of partitions) {
    if (!isWaiting(partition)) continue
    if (isReady(partition, nowMs)) {
      hasClosed ||= partition.queue.length > 0
      oldestMs = Math.min(oldestMs, partition.oldestMs)
    } else retryAtMs = Math.min(retryAtMs, partition.notBeforeMs)
  }
  if (oldestMs === Number.POSITIVE_INFINITY) return { dueMs: retryAtMs, reason: 'linger' }
  if (state.isDraining) return { dueMs: nowMs, reason: 'drain' }
  if (state.isShort) return { dueMs: nowMs, reason: 'memory' }
  // Those that go along with a full batch are not full themselves.
  if (hasClosed) return { dueMs: nowMs, reason: 'linger' }
  const idleDueMs = oldestMs + state.lingerMinMs
  const streamDueMs = state.lastSentMs + state.lingerMs
  if (streamDueMs > idleDueMs) return { dueMs: Math.min(streamDueMs, retryAtMs), reason: 'linger' }
  return { dueMs: Math.min(idleDueMs, retryAtMs), reason: 'idle' }
}
