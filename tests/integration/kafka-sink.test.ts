import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { Routes } from '../../actors/producer/routes.ts'
import { KafkajsSendSink } from '../../actors/producer/sinks/kafkajs-send.ts'
import { createLogger } from '../../src/core/logger.ts'
import { accessTo, type OwnKafka, sharedBrokers, startKafka, witness } from '../support/kafka.ts'
import { Settlements } from '../support/settlements.ts'

const logger = createLogger('silent', 'test')
const partitions = 4
const allKeys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
// Of today: a broker that restarts forgets producers whose last record is older than a day, and with them their sequences.
const startMicros = Math.floor(Date.now() / 1000) * 1_000_000

async function createTopic(brokers: string): Promise<string> {
  const topic = `sink-${randomUUID()}`
  const plan = { topic, partitions, retentionMs: 86_400_000, cleanupPolicy: 'delete' } as const
  await manageTopics(accessTo(brokers), [plan], 'create', logger)
  return topic
}

/** A sink with a writer that numbers records: the number is in the value and is the owner. */
class Writer implements AsyncDisposable {
  readonly settlements = new Settlements()
  readonly sink: KafkajsSendSink
  next = 0
  readonly #topic: string
  readonly #keys: readonly string[]
  readonly #routes: Routes

  constructor(
    brokers: string,
    topic: string,
    {
      compression = 'none',
      batchBytes = 16_384,
      keys = allKeys
    }: { compression?: 'none' | 'gzip'; batchBytes?: number; keys?: readonly string[] } = {}
  ) {
    const options = { ...accessTo(brokers), lingerMs: 5, batchBytes, compression }
    this.sink = new KafkajsSendSink(options, this.settlements, logger)
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
async function assertKept(brokers: string, topic: string, count: number): Promise<void> {
  const records = await witness(brokers, [topic])
  assert.equal(records.length, count)
  const lastByKey = new Map<string, number>()
  for (const { key, value, timestamp } of records) {
    const n = value['n'] as number
    assert.equal(key, allKeys[n % allKeys.length])
    assert.equal(timestamp, startMicros / 1000 + n)
    assert.ok(n > (lastByKey.get(key) ?? -1), `${n} came after ${lastByKey.get(key)} under ${key}`)
    lastByKey.set(key, n)
  }
}

function assertSettledOnce(settlements: Settlements, count: number): void {
  assert.equal(settlements.published.size, count)
  assert.ok([...settlements.published.values()].every(times => times === 1))
  assert.equal(settlements.failed.size, 0)
}

suite('the kafkajs sink on a broker that is well', () => {
  for (const compression of ['none', 'gzip'] as const) {
    test(`keeps order and settles each record once, compression ${compression}`, async () => {
      const topic = await createTopic(sharedBrokers())
      await using writer = new Writer(sharedBrokers(), topic, { compression })
      await writer.sink.open()
      for (let round = 0; round < 100; round++) {
        writer.write(200)
        // Lets requests go out and batches of all sizes form.
        await new Promise(resolve => setImmediate(resolve))
      }
      await writer.sink.drain(30_000)
      assertSettledOnce(writer.settlements, 20_000)
      assert.equal(writer.sink.pendingRecords, 0)
      assert.equal(writer.sink.pendingBytes, 0)
      await assertKept(sharedBrokers(), topic, 20_000)
      assert.deepEqual(writer.settlements.availabilities, [])
    })
  }

  test('sends a single record after the linger, without a drain', async () => {
    const topic = await createTopic(sharedBrokers())
    await using writer = new Writer(sharedBrokers(), topic)
    await writer.sink.open()
    writer.write(1)
    await writer.settlements.until(() => writer.settlements.published.size === 1)
    await assertKept(sharedBrokers(), topic, 1)
  })

  test('fails a record that the broker finds too large, alone', async () => {
    const topic = await createTopic(sharedBrokers())
    await using writer = new Writer(sharedBrokers(), topic, { batchBytes: 4_000_000, keys: ['a'] })
    const { settlements, sink } = writer
    await sink.open()
    writer.write(5)
    writer.write(1, 1_200_000)
    writer.write(3)
    await sink.drain(30_000)
    assert.deepEqual([...settlements.failed], [[5, 1]])
    assert.deepEqual([...settlements.lost], [['a', 1]])
    const kept = await witness(sharedBrokers(), [topic])
    assert.deepEqual(
      kept.map(({ value }) => value['n']),
      [0, 1, 2, 3, 4, 6, 7, 8]
    )
    assert.deepEqual([...settlements.published.keys()].sort(), [0, 1, 2, 3, 4, 6, 7, 8])
  })

  test('says that a topic is missing, and goes on with the others', async () => {
    const topic = await createTopic(sharedBrokers())
    await using writer = new Writer(sharedBrokers(), topic)
    await writer.sink.open()
    const missing = new Routes({}).to('no-such-topic', 'a')
    writer.sink.append({ ...missing, id: 1000 }, new Uint8Array(3), 0, 3, startMicros, -1)
    await writer.settlements.until(() => writer.settlements.availabilities.length === 1)
    writer.write(100)
    await writer.settlements.until(() => writer.settlements.published.size === 100)
    assert.match(writer.settlements.availabilities[0]!.message, /does not take records/)
    await writer.sink.drain(10)
    assert.deepEqual([...writer.settlements.failed], [[-1, 1]])
  })
})

suite('the kafkajs sink on a broker that is lost', () => {
  let kafka: OwnKafka
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka[Symbol.asyncDispose]())

  test('keeps everything in order while the broker is killed and comes back', async () => {
    const topic = await createTopic(kafka.brokers)
    await using writer = new Writer(kafka.brokers, topic)
    const { settlements, sink } = writer
    await sink.open()
    writer.write(5_000)
    await settlements.until(() => settlements.published.size > 0)
    // Requests are on their way when it dies: some are written and their answers lost.
    const killed = kafka.kill()
    writer.write(5_000)
    await killed
    await settlements.until(() => settlements.availabilities.length > 0)
    writer.write(5_000)
    await kafka.start()
    await settlements.until(() => settlements.published.size === 15_000)
    writer.write(1_000)
    await sink.drain(30_000)
    assertSettledOnce(settlements, 16_000)
    await assertKept(kafka.brokers, topic, 16_000)
    assert.deepEqual(
      settlements.availabilities.map(({ isUp }) => isUp),
      [false, true]
    )
    assert.match(settlements.availabilities[0]!.message, /^Kafka at 127\.0\.0\.1:\d+ does not take records: /)
  })

  test('opens while the broker is away, and delivers when it comes', async () => {
    const topic = await createTopic(kafka.brokers)
    await kafka.stop()
    await using writer = new Writer(kafka.brokers, topic)
    await writer.sink.open()
    assert.deepEqual(
      writer.settlements.availabilities.map(({ isUp }) => isUp),
      [false]
    )
    writer.write(1_000)
    await kafka.start()
    await writer.settlements.until(() => writer.settlements.published.size === 1_000)
    assertSettledOnce(writer.settlements, 1_000)
    await assertKept(kafka.brokers, topic, 1_000)
  })

  test('fails what is left at the deadline of a drain, each record once', async () => {
    const topic = await createTopic(kafka.brokers)
    await using writer = new Writer(kafka.brokers, topic)
    await writer.sink.open()
    await kafka.stop()
    writer.write(1_000)
    await writer.sink.drain(500)
    assert.equal(writer.settlements.failed.size, 1_000)
    assert.deepEqual(
      [...writer.settlements.lost].sort(),
      allKeys.map(key => [key, 125])
    )
    assert.ok([...writer.settlements.failed.values()].every(times => times === 1))
    assert.equal(writer.sink.pendingRecords, 0)
    assert.equal(writer.sink.pendingBytes, 0)
    assert.equal(writer.settlements.published.size, 0)
  })
})
