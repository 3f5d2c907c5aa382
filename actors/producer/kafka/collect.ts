import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { type Accumulator } from './accumulator.ts'
import { isReady, isWaiting } from './pacing.ts'
import { type Partition } from './partition.ts'
import { type ProducerIds } from './producer-ids.ts'

export interface Collected {
  /** By topic and number; the first batch of each is sealed. */
  readonly partitions: readonly Partition[]
  /** Where the next request begins, so that all have their turn when they do not fit together. */
  readonly next: number
}

/** The partitions whose first batches travel in one request: from `from` on around, up to `bytesMax`, but at least one. */
export function collect(
  partitions: readonly Partition[],
  from: number,
  reason: FlushReason,
  bytesMax: number,
  accumulator: Accumulator,
  ids: ProducerIds,
  nowMs: number
): Collected {
  const taken: Partition[] = []
  let bytes = 0
  let next = from
  for (let i = 0; i < partitions.length; i++) {
    const at = (from + i) % partitions.length
    const partition = partitions[at]!
    if (!isWaiting(partition) || !isReady(partition, nowMs) || !ids.ensure(partition)) continue
    const { batch } = accumulator.first(partition, reason)!
    if (taken.length > 0 && bytes + batch.wireBytes > bytesMax) break
    bytes += batch.wireBytes
    next = at + 1
    taken.push(partition)
  }
  // A topic's partitions must stand together in the request.
  if (next !== from) taken.sort(byName)
  return { partitions: taken, next: next % Math.max(1, partitions.length) }
}

export function byName(a: Partition, b: Partition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
