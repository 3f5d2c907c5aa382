import { randomBytes } from 'node:crypto'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { type TailRequest } from '../../actors/control/messages.ts'
import { recordLine } from '../app/record-line.ts'
import { type Config } from '../config/schema.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { type Io } from './io.ts'

const connectionTimeoutMs = 3000

/**
 * Prints the records of a topic from Kafka until the count is reached, the reader leaves, or a signal comes.
 * Each run is a consumer group of its own that commits nothing, so it disturbs no other reader.
 */
export async function tailKafka(kafka: Config['kafka'], request: TailRequest, io: Io): Promise<void> {
  const client = new Kafka({
    clientId: `${kafka.clientId}-tail`,
    brokers: [...kafka.brokers],
    ssl: kafka.tls,
    ...(kafka.sasl === null ? {} : { sasl: kafka.sasl as SASLOptions }),
    connectionTimeout: connectionTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { retries: 2 }
  })
  await checkTopic(client, kafka.brokers, request.topic)
  const consumer = client.consumer({
    groupId: `${kafka.clientId}-tail-${randomBytes(6).toString('hex')}`,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false
  })
  let end: (error: IngestError | null) => void = () => undefined
  const ended = new Promise<IngestError | null>(resolve => {
    end = resolve
  })
  const leave = () => end(null)
  const unsubscribe = io.onSignal(leave)
  io.outClosed.addEventListener('abort', leave)
  consumer.on(consumer.events.CRASH, ({ payload }) => end(unavailable(kafka.brokers, payload.error)))
  let left = request.count ?? Number.POSITIVE_INFINITY
  try {
    await consumer.connect()
    await consumer.subscribe({ topic: request.topic, fromBeginning: request.from === 'earliest' })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        const key = message.key?.toString('utf8') ?? null
        if (left <= 0 || !(key ?? '').startsWith(request.filter)) return
        left--
        const { offset, value } = message
        const line = recordLine({
          topic,
          partition,
          offset,
          key,
          timestampMs: Number(message.timestamp),
          value
        })
        await io.out(`${line}\n`)
        if (left <= 0) end(null)
      }
    })
    const failure = await ended
    if (failure !== null) throw failure
  } catch (error) {
    throw error instanceof IngestError ? error : unavailable(kafka.brokers, error)
  } finally {
    unsubscribe()
    io.outClosed.removeEventListener('abort', leave)
    await consumer.disconnect().catch(() => undefined)
  }
}

/** Tells an unreachable broker and an absent topic apart, which a consumer would both meet with silence. */
async function checkTopic(client: Kafka, brokers: readonly string[], topic: string): Promise<void> {
  const admin = client.admin()
  try {
    await admin.connect()
    const topics = await admin.listTopics()
    if (!topics.includes(topic)) {
      throw new IngestError('SINK_UNAVAILABLE', `Kafka at ${brokers.join(', ')} has no topic ${topic} yet.`)
    }
  } catch (error) {
    throw error instanceof IngestError ? error : unavailable(brokers, error)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

function unavailable(brokers: readonly string[], error: unknown): IngestError {
  const { message } = asIngestError(error)
  return new IngestError('SINK_UNAVAILABLE', `Kafka at ${brokers.join(', ')} does not answer: ${message}.`, {
    cause: error
  })
}
