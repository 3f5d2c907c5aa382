import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createLogger } from '../../src/core/logger.ts'
import { KafkaReader } from '../../src/verify/kafka-reader.ts'
import { accessTo, sharedBrokers, startKafka } from '../support/kafka.ts'

const logger = createLogger('silent', 'test')
const partitions = 3

async function createTopic(brokers: string): Promise<string> {
  const topic = `reader-${randomUUID()}`
  const plan = { topic, partitions, retentionMs: 86_400_000, cleanupPolicy: 'delete' } as const
  await manageTopics(accessTo(brokers), [plan], 'create', logger)
  return topic
}

/** Writes numbered records from one number up to another, over all partitions in turns. */
async function write(brokers: string, topic: string, from: number, to: number): Promise<void> {
  const producer = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  for (let partition = 0; partition < partitions; partition++) {
    const numbers = Array.from({ length: to - from }, (_, i) => from + i).filter(
      n => n % partitions === partition
    )
    await producer.send({
      topic,
      messages: numbers.map(n => ({ partition, key: `k${n}`, value: String(n) }))
    })
  }
  await producer.disconnect()
}

function readerOf(brokers: string, topic: string): { reader: KafkaReader; numbers: number[] } {
  const numbers: number[] = []
  const reader = new KafkaReader(
    accessTo(brokers),
    [topic],
    (_topic, key, bytes, start, end) => {
      const number = Number(bytes.toString('utf8', start, end))
      assert.equal(key, `k${number}`)
      numbers.push(number)
    },
    () => undefined
  )
  return { reader, numbers }
}

suite('the reader of Kafka', () => {
  test('reads what is written after it has attached, all of it and once, and nothing from before', async () => {
    const brokers = sharedBrokers()
    const topic = await createTopic(brokers)
    await write(brokers, topic, 0, 300)
    const { reader, numbers } = readerOf(brokers, topic)
    try {
      await reader.attach()
      // At once: the group has hardly begun to form, and the positions must hold all the same.
      await write(brokers, topic, 300, 900)
      await reader.finish(60_000)
      numbers.sort((a, b) => a - b)
      assert.deepEqual(
        numbers,
        Array.from({ length: 600 }, (_, i) => 300 + i)
      )
    } finally {
      await reader.close()
    }
  })

  test('finishes at once when nothing was written', async () => {
    const topic = await createTopic(sharedBrokers())
    const { reader, numbers } = readerOf(sharedBrokers(), topic)
    try {
      await reader.attach()
      await reader.finish(60_000)
      assert.deepEqual(numbers, [])
    } finally {
      await reader.close()
    }
  })

  test('closes although its broker is gone for good', async () => {
    await using kafka = await startKafka()
    const topic = await createTopic(kafka.brokers)
    const { reader } = readerOf(kafka.brokers, topic)
    await reader.attach()
    await kafka.kill()
    // Without a bound this never comes back; without an end to its retries the test process never does.
    await reader.close()
  })

  test('reads on where it was when its broker is killed and comes back', async () => {
    await using kafka = await startKafka()
    const topic = await createTopic(kafka.brokers)
    const { reader, numbers } = readerOf(kafka.brokers, topic)
    try {
      await reader.attach()
      await write(kafka.brokers, topic, 0, 300)
      await kafka.kill()
      await kafka.start()
      await write(kafka.brokers, topic, 300, 600)
      await reader.finish(60_000)
      numbers.sort((a, b) => a - b)
      assert.deepEqual(
        numbers,
        Array.from({ length: 600 }, (_, i) => i)
      )
    } finally {
      await reader.close()
    }
  })
})
