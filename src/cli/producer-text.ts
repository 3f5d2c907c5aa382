import { type ProducerStatus } from '../app/service.ts'
import { type PartitionActivity } from '../domain/partition-activity.ts'
import { type ProducerSummary } from '../domain/summary.ts'
import { type Column, tableLines } from './table.ts'
import { formatBytes, formatCount, formatMs } from './values.ts'

/** More partitions than this are shown by topic, unless all are asked for. */
const partitionsMax = 24
const nameWidth = { least: 22, most: 42 } as const
const figures: readonly Column[] = [
  { title: 'rec/s', width: 8, align: 'right' },
  { title: 'linger', width: 6, align: 'right' },
  { title: 'fill %', width: 6, align: 'right' },
  { title: 'flush', width: 6, align: 'left' },
  { title: 'p50 ms', width: 6, align: 'right' },
  { title: 'p99 ms', width: 6, align: 'right' },
  { title: 'buffer', width: 6, align: 'right' },
  { title: 'resent', width: 6, align: 'right' }
]
/** The figures and the blank before each of them. */
const figuresWidth = figures.reduce((sum, { width }) => sum + width + 1, 0)

/** The producer in one line, for a place beside other things. */
export function producerLine(producer: ProducerStatus): string {
  const { profile, partitions } = producer
  const retries = partitions.reduce((sum, partition) => sum + partition.retries, 0)
  const parts = [
    `${profile}, ${compressionText(producer)}`,
    `${formatBytes(producer.buffered_bytes)} of ${formatBytes(producer.buffer_bytes)} buffered`
  ]
  if (producer.undecoded_bytes > 0) parts.push(`${formatBytes(producer.undecoded_bytes)} undecoded`)
  if (retries > 0) parts.push(`${formatCount(retries)} retries`)
  return parts.join('; ')
}

/**
 * What each partition does, or with many partitions each topic, in at most `width` characters (80 are enough). Of a topic
 * rates, buffers and retries are sums, lingers and fills the range, latencies those of the slowest partition.
 */
export function partitionLines(
  partitions: readonly PartitionActivity[],
  { width, all }: { readonly width: number; readonly all: boolean }
): string[] {
  if (partitions.length === 0) return []
  const isGrouped = !all && partitions.length > partitionsMax
  const rows = isGrouped ? topicRows(partitions) : [...partitions].sort(byName).map(partitionRow)
  const longest = Math.max(...rows.map(row => row[0]!.length))
  const room = Math.max(nameWidth.least, Math.min(nameWidth.most, width - figuresWidth))
  const name: Column = {
    title: isGrouped ? 'topic (partitions)' : 'partition',
    width: Math.max(nameWidth.least, Math.min(longest, room)),
    align: 'left'
  }
  return tableLines([name, ...figures], rows, ' ')
}

/** What the producer did in a run, in words. */
export function producerSummaryText(producer: ProducerSummary): string {
  const { batches, records_per_batch: perBatch, compression, compression_ratio: ratio } = producer
  return (
    `${producer.profile}, ${compression}: ${formatCount(batches)} batches in ${formatCount(producer.requests)} requests, ` +
    `${formatCount(perBatch)} records a batch, ${formatBytes(producer.bytes)} as ` +
    `${formatBytes(producer.wire_bytes)} on the wire (${ratio.toFixed(1)} times smaller), ` +
    `${formatCount(producer.retries)} retries`
  )
}

function compressionText({ compression, compression_by_topic: byTopic }: ProducerStatus): string {
  const own = Object.entries(byTopic).map(([topic, name]) => `${topic} ${name}`)
  return own.length === 0 ? compression : `${compression} (${own.join(', ')})`
}

function byName(a: PartitionActivity, b: PartitionActivity): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition
}

function partitionRow(one: PartitionActivity): string[] {
  return [
    `${one.topic}/${one.partition}`,
    formatCount(one.records_per_s),
    whole(one.linger_ms),
    percent(one.fill),
    one.last_flush ?? '-',
    ms(one.ack_ms_p50),
    ms(one.ack_ms_p99),
    formatBytes(one.buffered_bytes),
    formatCount(one.retries)
  ]
}

function topicRows(partitions: readonly PartitionActivity[]): string[][] {
  const topics = new Map<string, PartitionActivity[]>()
  for (const partition of [...partitions].sort(byName)) {
    const group = topics.get(partition.topic) ?? []
    topics.set(partition.topic, group)
    group.push(partition)
  }
  return [...topics].map(([topic, group]) => {
    const sum = (field: 'records_per_s' | 'buffered_bytes' | 'retries'): number =>
      group.reduce((total, one) => total + one[field], 0)
    const reasons = new Set(group.flatMap(one => one.last_flush ?? []))
    return [
      `${topic} (${group.length})`,
      formatCount(sum('records_per_s')),
      range(group.map(one => whole(one.linger_ms))),
      range(group.map(one => percent(one.fill))),
      reasons.size > 1 ? 'mixed' : ([...reasons][0] ?? '-'),
      ms(worst(group.map(one => one.ack_ms_p50))),
      ms(worst(group.map(one => one.ack_ms_p99))),
      formatBytes(sum('buffered_bytes')),
      formatCount(sum('retries'))
    ]
  })
}

function whole(value: number): string {
  return String(Math.round(value))
}

function percent(share: number): string {
  return whole(share * 100)
}

function ms(value: number | null): string {
  return value === null ? '-' : formatMs(value)
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** `5`, or `5-50` */
function range(texts: readonly string[]): string {
  const values = texts.map(Number)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? String(least) : `${least}-${most}`
}
