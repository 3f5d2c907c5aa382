import { type ProducerStats } from '../../actors/producer/messages.ts'
import { type Config } from '../config/schema.ts'
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
    partitions: stats?.partitionActivity ?? []
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

/** With two decimals; 0 where there is nothing to divide by. */
function ratio(value: number, by: number): number {
  return by === 0 ? 0 : Math.round((value * 100) / by) / 100
}
