import { after } from 'node:test'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { createLogger } from '../../src/core/logger.ts'
import { accessTo, type OwnKafka, startKafka, witness } from '../support/kafka.ts'
import { createTopic, testTuning } from '../support/kafka-writer.ts'
import { recordSinkContract } from '../support/record-sink-contract.ts'

const logger = createLogger('silent', 'test')
let starting: Promise<OwnKafka> | null = null

after(async () => {
  await (await starting)?.[Symbol.asyncDispose]()
})

recordSinkContract('Kafka', async ({ lingerMs, batchBytes }, listener) => {
  starting ??= startKafka()
  const kafka = await starting
  const topics = await Promise.all(
    ['first', 'second'].map(() => createTopic(kafka.brokers, { topicPartitions: 3 }))
  )
  const tuning = {
    ...testTuning,
    lingerMinMs: Math.min(testTuning.lingerMinMs, lingerMs),
    lingerMaxMs: lingerMs,
    latencyTargetMs: lingerMs * 4,
    batchBytes
  }
  const sink = new KafkaSink({ access: accessTo(kafka.brokers), tuning }, listener, logger)
  let isFrozen = false
  return {
    sink,
    topics: [topics[0]!, topics[1]!],
    kept: async () =>
      (await witness(kafka.brokers, topics)).map(({ topic, partition, key, bytes }) => ({
        topic,
        partition,
        key,
        value: bytes.toString()
      })),
    cutOff: async () => {
      isFrozen = true
      await kafka.freeze()
    },
    close: async () => {
      if (isFrozen) await kafka.resume()
    }
  }
})
