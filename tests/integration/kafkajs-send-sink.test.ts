import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sharedBrokers } from '../support/kafka.ts'
import {
  assertKept,
  assertSettledOnce,
  createTopic,
  KafkaWriter,
  kafkajsSendSink
} from '../support/kafka-writer.ts'

suite('the reference sink on kafkajs send()', () => {
  test('keeps order and settles each record once on a broker that is well', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await using writer = new KafkaWriter(topic, settlements => kafkajsSendSink(brokers, settlements))
    await writer.sink.open()
    for (let round = 0; round < 50; round++) {
      writer.write(200)
      await new Promise(resolve => setImmediate(resolve))
    }
    await writer.sink.drain(30_000)
    assertSettledOnce(writer.settlements, 10_000)
    await assertKept(brokers, topic, 10_000)
    assert.deepEqual(writer.settlements.availabilities, [])
  })
})
