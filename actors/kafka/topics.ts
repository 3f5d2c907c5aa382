import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs'
import { createKafkaClient, type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { type TopicPlan } from './topic-plan.ts'

export interface TopicReport {
  /** Partition counts as they are, by topic: a producer must choose among these. */
  readonly partitions: Readonly<Record<string, number>>
  readonly created: readonly string[]
  /** Planned topics that do not exist, when they were not to be created. */
  readonly missing: readonly string[]
  /** One sentence for each setting of an existing topic that is not as planned; nothing is ever changed. */
  readonly mismatches: readonly string[]
}

const appearWithinMs = 15_000
const pollEveryMs = 100
const topicExists = 36

/**
 * Creates the planned topics that are missing (`create`) or only looks (`verify`).
 * @throws IngestError SINK_UNAVAILABLE when the cluster cannot be reached or refuses
 */
export async function manageTopics(
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  mode: 'create' | 'verify',
  logger: Logger
): Promise<TopicReport> {
  const admin = createKafkaClient(access, logger).admin()
  try {
    await admin.connect()
    const before = new Set(await admin.listTopics())
    const absent = plans.filter(({ topic }) => !before.has(topic))
    const created = mode === 'create' ? await create(admin, absent) : []
    const missing = mode === 'create' ? [] : absent.map(({ topic }) => topic)
    const present = plans.filter(({ topic }) => !missing.includes(topic))
    const partitions = await partitionsOf(admin, present, new Set(absent.map(({ topic }) => topic)))
    const existing = present.filter(({ topic }) => !created.includes(topic))
    return { partitions, created, missing, mismatches: await compare(admin, existing, partitions) }
  } catch (error) {
    if (error instanceof IngestError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new IngestError(
      'SINK_UNAVAILABLE',
      `The topics at ${access.brokers.join(', ')} could not be ${mode === 'create' ? 'created' : 'verified'}: ${reason}`,
      { cause: error }
    )
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** Answers the topics that were created; one that another process created meanwhile is not among them. */
async function create(admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> {
  const created: string[] = []
  // One request a topic, so that one refusal names its topic and hides no other.
  for (const { topic, partitions, retentionMs, cleanupPolicy } of plans) {
    const configEntries = [
      { name: 'retention.ms', value: String(retentionMs) },
      { name: 'cleanup.policy', value: cleanupPolicy }
    ]
    try {
      // Waiting for leaders is done below: the client's own waiting fails on brokers that have not heard of the topic yet.
      const isNew = await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: partitions, configEntries }]
      })
      if (isNew) created.push(topic)
    } catch (error) {
      if (!isTopicExists(error)) throw error
    }
  }
  return created
}

function isTopicExists(error: unknown): boolean {
  const errors = (error as { errors?: unknown }).errors
  const all: unknown[] = Array.isArray(errors) ? errors : [error]
  return all.length > 0 && all.every(each => (each as { code?: unknown }).code === topicExists)
}

/** Polls until every topic is known with a leader for every partition. */
async function partitionsOf(
  admin: Admin,
  plans: readonly TopicPlan[],
  fresh: ReadonlySet<string>
): Promise<Record<string, number>> {
  if (plans.length === 0) return {}
  const topics = plans.map(({ topic }) => topic)
  const planned = new Map(plans.map(({ topic, partitions }) => [topic, partitions]))
  const isComplete = ({ name, partitions }: ITopicMetadata): boolean => {
    const expected = fresh.has(name) ? (planned.get(name) ?? 1) : 1
    return partitions.length >= expected && partitions.every(({ leader }) => leader >= 0)
  }
  const deadline = performance.now() + appearWithinMs
  for (;;) {
    const known = await admin.fetchTopicMetadata({ topics }).catch((error: unknown) => {
      if (performance.now() > deadline) throw error
      return { topics: [] as ITopicMetadata[] }
    })
    if (known.topics.length === topics.length && known.topics.every(isComplete)) {
      return Object.fromEntries(known.topics.map(({ name, partitions }) => [name, partitions.length]))
    }
    if (performance.now() > deadline) {
      throw new IngestError(
        'SINK_UNAVAILABLE',
        `Not every partition of ${topics.join(', ')} had a leader within ${appearWithinMs / 1000} s.`
      )
    }
    await new Promise(resolve => setTimeout(resolve, pollEveryMs))
  }
}

async function compare(
  admin: Admin,
  plans: readonly TopicPlan[],
  partitions: Readonly<Record<string, number>>
): Promise<string[]> {
  if (plans.length === 0) return []
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: plans.map(({ topic }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: ['retention.ms', 'cleanup.policy']
    }))
  })
  const mismatches: string[] = []
  for (const plan of plans) {
    const { topic } = plan
    const differ = (what: string, actual: string | number, planned: string | number): void => {
      if (String(actual) === String(planned)) return
      mismatches.push(`Topic ${topic} has ${what} ${actual}, planned is ${planned}; it was left as it is.`)
    }
    differ('a partition count of', partitions[topic] ?? 0, plan.partitions)
    const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? []
    const setting = (name: string): string =>
      entries.find(({ configName }) => configName === name)?.configValue ?? 'unknown'
    differ('retention.ms', setting('retention.ms'), plan.retentionMs)
    differ('cleanup.policy', setting('cleanup.policy'), plan.cleanupPolicy)
  }
  return mismatches
}
