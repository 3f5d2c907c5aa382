import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { Routes } from '../../actors/producer/routes.ts'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { KafkajsSendSink } from '../../actors/producer/sinks/kafkajs-send.ts'
import { type RecordSink } from '../../actors/producer/sinks/record-sink.ts'
import { createKafkaClient } from '../../src/bus/kafka-client.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type ProducerTuning } from '../../src/domain/producer-tuning.ts'
import { accessTo, witness } from './kafka.ts'
import { Settlements } from './settlements.ts'

const logger = createLogger('silent', 'test')
const partitions = 4
export const writerKeys: readonly string[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
// Of today: a broker that restarts forgets producers whose last record is older than a day, and with them their sequences.
const startMicros = Math.floor(Date.now() / 1000) * 1_000_000

export const testTuning: ProducerTuning = {
  lingerMinMs: 1,
  lingerMaxMs: 5,
  batchBytes: 16_384,
  latencyTargetMs: 20,
  compression: 'none',
  compressionByTopic: {},
  bufferBytes: 64 * 1024 * 1024,
  requestBytesMax: 1024 * 1024,
  deliveryTimeoutMs: 120_000
}

export async function createTopic(
  brokers: string,
  { topicPartitions = partitions }: { topicPartitions?: number } = {}
): Promise<string> {
  const topic = `sink-${randomUUID()}`
  const plan = {
    topic,
    partitions: topicPartitions,
    retentionMs: 86_400_000,
    cleanupPolicy: 'delete'
  } as const
  await manageTopics(accessTo(brokers), [plan], 'create', logger)
  // A topic that was made a moment ago may have no leaders yet; the client asks until it has.
  const admin = createKafkaClient(accessTo(brokers), logger).admin()
  await admin.connect()
  await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return topic
}

export function kafkaSink(
  brokers: string,
  settlements: Settlements,
  tuning: Partial<ProducerTuning> = {}
): KafkaSink {
  return new KafkaSink(
    { access: accessTo(brokers), tuning: { ...testTuning, ...tuning } },
    settlements,
    logger
  )
}

export function kafkajsSendSink(brokers: string, settlements: Settlements): KafkajsSendSink {
  const { lingerMaxMs: lingerMs, batchBytes } = testTuning
  return new KafkajsSendSink(
    { ...accessTo(brokers), lingerMs, batchBytes, compression: 'gzip' },
    settlements,
    logger
  )
}

/** Numbers records: the number is in the value and is the owner. */
export class KafkaWriter<Sink extends RecordSink> implements AsyncDisposable {
  readonly settlements: Settlements
  readonly sink: Sink
  next = 0
  readonly #topic: string
  readonly #keys: readonly string[]
  readonly #routes: Routes

  constructor(topic: string, open: (settlements: Settlements) => Sink, keys = writerKeys) {
    this.settlements = new Settlements()
    this.sink = open(this.settlements)
    this.#topic = topic
    this.#keys = keys
    this.#routes = new Routes({ [topic]: partitions })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink.close()
  }

  write(count: number, paddingBytes = 40): void {
    for (let i = 0; i < count; i++) {
      const n = this.next++
      const text = JSON.stringify({ n, padding: 'x'.repeat(paddingBytes) })
      // Framed by other bytes, and overwritten after: the sink must copy exactly its part.
      const bytes = new TextEncoder().encode(`<<${text}>>`)
      const route = this.#routes.to(this.#topic, this.#keys[n % this.#keys.length]!)
      this.sink.append(route, bytes, 2, bytes.length - 2, startMicros + n * 1000, n)
      bytes.fill(0)
    }
  }
}

/** Every number once, in order within each key, at its place and time. */
export async function assertKept(brokers: string, topic: string, count: number): Promise<void> {
  const records = await witness(brokers, [topic])
  assert.equal(records.length, count)
  const lastByKey = new Map<string, number>()
  for (const { key, value, timestamp } of records) {
    const n = value['n'] as number
    assert.equal(key, writerKeys[n % writerKeys.length])
    assert.equal(timestamp, startMicros / 1000 + n)
    assert.ok(n > (lastByKey.get(key) ?? -1), `${n} came after ${lastByKey.get(key)} under ${key}`)
    lastByKey.set(key, n)
  }
}

export function assertSettledOnce(settlements: Settlements, count: number): void {
  assert.equal(settlements.published.size, count)
  assert.ok([...settlements.published.values()].every(times => times === 1))
  assert.equal(settlements.failed.size, 0)
}
