import { type ProducerStats } from '../../actors/producer/messages.ts'
import { type Config } from '../config/schema.ts'
import { type PartitionActivity } from '../domain/partition-activity.ts'
import { tuningOf } from '../domain/producer-tuning.ts'
import { type ProducerSummary } from '../domain/summary.ts'
import { type ProducerStatus } from './service.ts'

/** The Kafka producer for people and machines; `stats` null before its first word. */
export function producerStatus({ producer }: Config, stats: ProducerStats | null): ProducerStatus {
  const { compression, compressionByTopic, bufferBytes } = tuningOf(producer)
  return {
    profile: producer.profile,
    compression,
    compression_by_topic: compressionByTopic,
    available: stats?.sink.isUp ?? true,
    message: stats?.sink.message ?? '',
    buffered_bytes: stats?.sink.bufferedBytes ?? 0,
    buffer_bytes: bufferBytes,
    undecoded_bytes: stats?.undecodedBytes ?? 0,
    requests: stats?.sink.requests ?? 0,
    partitions: (stats?.partitionActivity ?? []).map(readable)
  }
}

/** Measured figures with as many digits as mean something. */
function readable(activity: PartitionActivity): PartitionActivity {
  return {
    ...activity,
    linger_ms: rounded(activity.linger_ms),
    fill: rounded(activity.fill),
    records_per_s: Math.round(activity.records_per_s),
    ack_ms_p50: activity.ack_ms_p50 === null ? null : rounded(activity.ack_ms_p50),
    ack_ms_p99: activity.ack_ms_p99 === null ? null : rounded(activity.ack_ms_p99)
  }
}

/** What it did in a run. A producer that died took its counts with it: they are those of its successor alone. */
export function producerSummary({
  profile,
  compression,
  requests,
  partitions
}: ProducerStatus): ProducerSummary {
  const sum = (field: 'batches' | 'records' | 'bytes' | 'wire_bytes' | 'retries'): number =>
    partitions.reduce((all, partition) => all + partition[field], 0)
  const [batches, records, bytes, wireBytes] = [
    sum('batches'),
    sum('records'),
    sum('bytes'),
    sum('wire_bytes')
  ]
  return {
    profile,
    compression,
    batches,
    records,
    records_per_batch: ratio(records, batches),
    bytes,
    wire_bytes: wireBytes,
    compression_ratio: ratio(bytes, wireBytes),
    requests,
    retries: sum('retries'),
    partitions
  }
}

/** 0 where there is nothing to divide by. */
function ratio(value: number, by: number): number {
  return by === 0 ? 0 : rounded(value / by)
}

/** Two decimals. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
