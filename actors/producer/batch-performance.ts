import { type FlushReason, type PartitionActivity } from '../../src/domain/partition-activity.ts'

/** One event of `monitoring.batch.performance`: what happened since the event before; `ts` is ms since the epoch. */
export interface BatchPerformanceEvent {
  /** Null with `partition` in the summary over all partitions. */
  readonly topic: string | null
  readonly partition: number | null
  readonly batches: number
  readonly records: number
  /** Before compression. */
  readonly bytes: number
  /** Of the summary the mean over the batches, and of the reasons the most frequent. */
  readonly linger_ms: number
  readonly flush_reason: FlushReason | null
  /** Of the summary the median of the partitions' medians (by records), and the worst of their p99. */
  readonly ack_ms_p50: number | null
  readonly ack_ms_p99: number | null
  readonly ts: number
}

/** Its own events are no news: without this an idle producer would report them for ever. */
export const performanceTopic = 'monitoring.batch.performance'

/** What was said of a partition last. */
interface Counts {
  readonly batches: number
  readonly records: number
  readonly bytes: number
}

/** Publishes what the batches of each active partition were like, and one summary over all of them. */
export class BatchPerformance {
  readonly #producer: string
  readonly #publish: (key: string, event: BatchPerformanceEvent) => void
  readonly #before = new Map<string, Counts>()

  constructor(producer: string, publish: (key: string, event: BatchPerformanceEvent) => void) {
    this.#producer = producer
    this.#publish = publish
  }

  /**
   * Every period, and at the end.
   * @param keyOf record key of a partition's events; the summary has the producer's name
   */
  report(
    activities: readonly PartitionActivity[],
    keyOf: (topic: string, partition: number) => string,
    nowMicros: number
  ): void {
    const ts = Math.floor(nowMicros / 1000)
    const events: BatchPerformanceEvent[] = []
    for (const activity of activities) {
      const { topic, partition } = activity
      if (topic === performanceTopic) continue
      const event = this.#eventOf(activity, ts)
      if (event === null) continue
      events.push(event)
      this.#publish(keyOf(topic, partition), event)
    }
    if (events.length > 0) this.#publish(this.#producer, summaryOf(events, ts))
  }

  /** Null for a partition of which no batch was acknowledged. */
  #eventOf(activity: PartitionActivity, ts: number): BatchPerformanceEvent | null {
    const { topic, partition, batches, records, bytes } = activity
    const name = `${topic}/${partition}`
    const before = this.#before.get(name) ?? { batches: 0, records: 0, bytes: 0 }
    if (batches === before.batches) return null
    this.#before.set(name, { batches, records, bytes })
    return {
      topic,
      partition,
      batches: batches - before.batches,
      records: records - before.records,
      bytes: bytes - before.bytes,
      linger_ms: rounded(activity.linger_ms),
      flush_reason: activity.last_flush,
      ack_ms_p50: activity.ack_ms_p50 === null ? null : rounded(activity.ack_ms_p50),
      ack_ms_p99: activity.ack_ms_p99 === null ? null : rounded(activity.ack_ms_p99),
      ts
    }
  }
}

function summaryOf(events: readonly BatchPerformanceEvent[], ts: number): BatchPerformanceEvent {
  const batches = sum(events.map(event => event.batches))
  const records = sum(events.map(event => event.records))
  const lingers = sum(events.map(event => event.linger_ms * event.batches))
  const p99s = events.flatMap(event => event.ack_ms_p99 ?? [])
  return {
    topic: null,
    partition: null,
    batches,
    records,
    bytes: sum(events.map(event => event.bytes)),
    linger_ms: rounded(lingers / batches),
    flush_reason: mostFrequent(events),
    ack_ms_p50: medianOfMedians(events),
    ack_ms_p99: p99s.length === 0 ? null : Math.max(...p99s),
    ts
  }
}

function mostFrequent(events: readonly BatchPerformanceEvent[]): FlushReason | null {
  const counts = new Map<FlushReason, number>()
  for (const { flush_reason: reason, batches } of events) {
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + batches)
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null
}

/** The median at which half of the records lie in partitions that are not slower. */
function medianOfMedians(events: readonly BatchPerformanceEvent[]): number | null {
  const known = events
    .flatMap(({ ack_ms_p50: p50, records }) => (p50 === null ? [] : [{ p50, records }]))
    .sort((a, b) => a.p50 - b.p50)
  const half = sum(known.map(({ records }) => records)) / 2
  let seen = 0
  for (const { p50, records } of known) {
    seen += records
    if (seen >= half) return p50
  }
  return null
}

/** Hundredths of a millisecond are more than the clocks are good for. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
