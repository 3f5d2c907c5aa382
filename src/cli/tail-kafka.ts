import { randomBytes } from 'node:crypto'
import { type Kafka } from 'kafkajs'
import { type TailRequest } from '../../actors/control/messages.ts'
import { recordLine } from '../app/record-line.ts'
import { groupCoordinated } from '../bus/group-coordinator.ts'
import { createKafkaClient, type KafkaAccess } from '../bus/kafka-client.ts'
import { explainKafkaFault } from '../bus/kafka-fault.ts'
import { SchemaRegistry } from '../bus/schema-registry.ts'
import { localTypes, WriterSchemas } from '../bus/writer-schemas.ts'
import { type Config } from '../config/schema.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { createLogger } from '../core/logger.ts'
import { type Io } from './io.ts'

const coordinatedWithinMs = 15_000
const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 }

/**
 * Prints the records of a topic from Kafka until the count is reached, the reader leaves, or a signal comes.
 * Each run is a consumer group of its own that commits nothing, so it disturbs no other reader. Avro is decoded by the
 * schema that the registry has under the id in front of it, and without a registry by `schemas/ids.json`.
 */
export async function tailKafka(
  { kafka, registry }: Pick<Config, 'kafka' | 'registry'>,
  request: TailRequest,
  io: Io
): Promise<void> {
  const client = registry.url === 'none' ? null : new SchemaRegistry(registry)
  try {
    await tail(kafka, client === null ? null : new WriterSchemas(client, localTypes), request, io)
  } finally {
    client?.close()
  }
}

async function tail(
  kafka: Config['kafka'],
  schemas: WriterSchemas | null,
  request: TailRequest,
  io: Io
): Promise<void> {
  const access = { ...kafka, clientId: `${kafka.clientId}-tail` }
  const client = createKafkaClient(access, createLogger('silent', 'tail'))
  const groupId = `${access.clientId}-${randomBytes(6).toString('hex')}`
  await checkTopic(client, access, groupId, request.topic)
  const consumer = client.consumer({
    groupId,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
    retry
  })
  let end: (error: IngestError | null) => void = () => undefined
  const ended = new Promise<IngestError | null>(resolve => {
    end = resolve
  })
  const leave = () => end(null)
  const unsubscribe = io.onSignal(leave)
  io.outClosed.addEventListener('abort', leave)
  consumer.on(consumer.events.CRASH, ({ payload }) => void unavailable(access, payload.error).then(end))
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
        try {
          await schemas?.prepare(value)
        } catch (error) {
          // The consumer would try for ever what its user should know.
          left = 0
          end(asIngestError(error))
          return
        }
        const timestampMs = Number(message.timestamp)
        const line = recordLine({ topic, partition, offset, key, timestampMs, value }, schemas ?? localTypes)
        await io.out(`${line}\n`)
        if (left <= 0) end(null)
      }
    })
    const failure = await ended
    if (failure !== null) throw failure
  } catch (error) {
    throw await unavailable(access, error)
  } finally {
    unsubscribe()
    io.outClosed.removeEventListener('abort', leave)
    await consumer.disconnect().catch(() => undefined)
  }
}

/** Tells an unreachable broker and an absent topic apart, which a consumer would both meet with silence. */
async function checkTopic(client: Kafka, access: KafkaAccess, groupId: string, topic: string): Promise<void> {
  const admin = client.admin()
  try {
    await admin.connect()
    const topics = await admin.listTopics()
    if (!topics.includes(topic)) {
      throw new IngestError(
        'SINK_UNAVAILABLE',
        `Kafka at ${access.brokers.join(', ')} has no topic ${topic} yet, or this user may not see it; \`coin-stream topics plan\` shows all of them.`
      )
    }
    await groupCoordinated(admin, groupId, topic, coordinatedWithinMs)
  } catch (error) {
    throw await unavailable(access, error)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

async function unavailable(access: KafkaAccess, error: unknown): Promise<IngestError> {
  if (error instanceof IngestError) return error
  const message = `Kafka at ${access.brokers.join(', ')} cannot be read: ${await explainKafkaFault(error, access)}.`
  return new IngestError('SINK_UNAVAILABLE', message, { cause: error })
}
