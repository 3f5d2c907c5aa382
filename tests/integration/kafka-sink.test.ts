import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Routes } from '../../actors/producer/routes.ts'
import { type OwnKafka, sharedBrokers, startKafka, witness } from '../support/kafka.ts'
import {
  assertKept,
  assertSettledOnce,
  createTopic,
  KafkaWriter,
  kafkaSink,
  writerKeys
} from '../support/kafka-writer.ts'

suite('the Kafka sink on a broker that is well', () => {
  for (const compression of ['none', 'lz4'] as const) {
    test(`keeps order and settles each record once, compression ${compression}`, async () => {
      const brokers = sharedBrokers()
      const topic = await createTopic(brokers)
      await using writer = new KafkaWriter(topic, settlements =>
        kafkaSink(brokers, settlements, { compression })
      )
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
      assert.equal(writer.sink.bufferedBytes, 0)
      await assertKept(brokers, topic, 20_000)
      assert.deepEqual(writer.settlements.availabilities, [])
      const activity = writer.sink.activity(true)
      assert.equal(
        activity.reduce((sum, { records }) => sum + records, 0),
        20_000
      )
      for (const { retries, ack_ms_p50, last_flush } of activity) {
        assert.equal(retries, 0)
        assert.ok(ack_ms_p50 !== null && ack_ms_p50 > 0)
        assert.notEqual(last_flush, null)
      }
      assert.deepEqual(
        writer.sink.activity(false).map(({ ack_ms_p99 }) => ack_ms_p99),
        activity.map(() => null)
      )
    })
  }

  test('sends a single record after the linger, without a drain', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await using writer = new KafkaWriter(topic, settlements => kafkaSink(brokers, settlements))
    await writer.sink.open()
    writer.write(1)
    await writer.settlements.until(() => writer.settlements.published.size === 1)
    await assertKept(brokers, topic, 1)
    const [activity] = writer.sink.activity(false)
    assert.equal(activity!.last_flush, 'idle')
    assert.equal(writer.sink.requests, 1)
  })

  test('fails a record that the broker finds too large, alone', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await using writer = new KafkaWriter(
      topic,
      settlements => kafkaSink(brokers, settlements, { batchBytes: 4_000_000, requestBytesMax: 8_000_000 }),
      ['a']
    )
    const { settlements, sink } = writer
    await sink.open()
    writer.write(5)
    writer.write(1, 1_200_000)
    writer.write(3)
    await sink.drain(30_000)
    assert.deepEqual([...settlements.failed], [[5, 1]])
    assert.deepEqual([...settlements.lost], [['a', 1]])
    assert.equal(settlements.refusals.length, 1)
    const { key, value, reason } = settlements.refusals[0]!
    assert.equal(key, 'a')
    assert.equal((JSON.parse(Buffer.from(value).toString()) as { n: number }).n, 5)
    assert.match(
      reason,
      /^Kafka refused it for good: sink-.*\/\d takes no record as large as this .*error 10/
    )
    const kept = await witness(brokers, [topic])
    assert.deepEqual(
      kept.map(record => record.value['n']),
      [0, 1, 2, 3, 4, 6, 7, 8]
    )
    assert.deepEqual([...settlements.published.keys()].sort(), [0, 1, 2, 3, 4, 6, 7, 8])
  })

  test('says that a topic is missing, and goes on with the others', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await using writer = new KafkaWriter(topic, settlements => kafkaSink(brokers, settlements))
    const { settlements, sink } = writer
    await sink.open()
    const missing = { ...new Routes({}).to('no-such-topic', 'a'), id: 1000 }
    sink.append(missing, new Uint8Array(3), 0, 3, Date.now() * 1000, -1)
    await settlements.until(() => settlements.availabilities.length === 1)
    writer.write(100)
    await settlements.until(() => settlements.published.size === 100)
    assert.match(
      settlements.availabilities[0]!.message,
      /does not take records: no-such-topic\/0 does not exist \(error 3\)/
    )
    await sink.drain(10)
    assert.deepEqual([...settlements.failed], [[-1, 1]])
    // What is left of the trouble ends with the next acknowledgement.
    writer.write(100)
    await settlements.until(() => settlements.availabilities.length === 2)
    assert.equal(settlements.availabilities[1]!.isUp, true)
  })

  test('gives records up after the delivery timeout', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await using writer = new KafkaWriter(topic, settlements =>
      kafkaSink(brokers, settlements, { deliveryTimeoutMs: 1_000 })
    )
    const { settlements, sink } = writer
    await sink.open()
    const missing = { ...new Routes({}).to('no-such-topic', 'a'), id: 1000 }
    sink.append(missing, new Uint8Array(3), 0, 3, Date.now() * 1000, -1)
    writer.write(100)
    await settlements.until(() => settlements.failed.size === 1)
    assert.deepEqual([...settlements.lost], [['a', 1]])
    assert.equal(settlements.published.size, 100)
  })
})

suite('the Kafka sink on a broker that is lost', () => {
  let kafka: OwnKafka
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka[Symbol.asyncDispose]())

  test('keeps everything in order while the broker is killed and comes back', async () => {
    const topic = await createTopic(kafka.brokers)
    await using writer = new KafkaWriter(topic, settlements => kafkaSink(kafka.brokers, settlements))
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
    await using writer = new KafkaWriter(topic, settlements => kafkaSink(kafka.brokers, settlements))
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
    await using writer = new KafkaWriter(topic, settlements => kafkaSink(kafka.brokers, settlements))
    await writer.sink.open()
    await kafka.stop()
    writer.write(1_000)
    await writer.sink.drain(500)
    assert.equal(writer.settlements.failed.size, 1_000)
    assert.deepEqual(
      [...writer.settlements.lost].sort(),
      writerKeys.map(key => [key, 125])
    )
    assert.ok([...writer.settlements.failed.values()].every(times => times === 1))
    assert.equal(writer.sink.pendingRecords, 0)
    assert.equal(writer.sink.pendingBytes, 0)
    assert.equal(writer.settlements.published.size, 0)
  })
})
