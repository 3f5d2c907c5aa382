import kafkajs, { type ITopicMetadata } from 'kafkajs'
import { IngestError } from '../../src/core/errors.ts'
import { type TopicAdmin } from './topic-admin.ts'
import { readSettings, type TopicState } from './topic-differences.ts'
import { type TopicPlan } from './topic-plan.ts'
import { isUnauthorized, isUnknownTopic } from './topic-refusal.ts'

/** What settings were changed to, by topic. */
export type TopicChanges = ReadonlyMap<string, ReadonlyMap<string, string>>

/** What one broker granted, the others learn a moment later: that long they are asked again. */
const learnedWithinMs = 15_000
const askAgainMs = 100

/**
 * The topics as they are, by name, when every broker that was asked knew of them.
 * @param fresh those that were made a moment ago: they have the partitions of their plan
 * @param changed what was altered a moment ago; what is not shown in time is answered as it is shown
 * @throws IngestError SINK_UNAVAILABLE when a partition has no leader in time
 */
export async function readStates(
  admin: TopicAdmin,
  plans: readonly TopicPlan[],
  fresh: readonly TopicPlan[] = [],
  changed: TopicChanges = new Map()
): Promise<Map<string, TopicState>> {
  if (plans.length === 0) return new Map()
  const metadata = await metadataOf(admin, plans, fresh)
  const settings = await shownSettings(
    admin,
    metadata.map(({ name }) => name),
    changed
  )
  return new Map(
    metadata.map(({ name, partitions }) => {
      const replication = Math.min(...partitions.map(({ replicas }) => replicas.length))
      return [
        name,
        { topic: name, partitions: partitions.length, replication, settings: settings.get(name) ?? null }
      ]
    })
  )
}

/** Asks until every topic is known with a leader for every partition. */
async function metadataOf(
  admin: TopicAdmin,
  plans: readonly TopicPlan[],
  fresh: readonly TopicPlan[]
): Promise<readonly ITopicMetadata[]> {
  const topics = plans.map(({ topic }) => topic)
  const planned = new Map(fresh.map(({ topic, partitions }) => [topic, partitions]))
  const isComplete = ({ name, partitions }: ITopicMetadata): boolean =>
    partitions.length >= (planned.get(name) ?? 1) && partitions.every(({ leader }) => leader >= 0)
  const complete = await askUntil(
    async () => (await admin.fetchTopicMetadata({ topics })).topics.filter(isComplete),
    known => known.length === topics.length,
    () => true
  )
  if (complete.length === topics.length) return complete
  const names = topics.filter(topic => complete.every(({ name }) => name !== topic))
  throw new IngestError(
    'SINK_UNAVAILABLE',
    `Not every partition of ${names.join(', ')} had a leader within ${learnedWithinMs / 1000} s; look whether all brokers are up.`
  )
}

async function shownSettings(
  admin: TopicAdmin,
  topics: readonly string[],
  changed: TopicChanges
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const isShown = (shown: ReadonlyMap<string, ReadonlyMap<string, string>>): boolean =>
    [...changed].every(([topic, settings]) => {
      const now = shown.get(topic)
      return now === undefined || [...settings].every(([name, value]) => now.get(name) === value)
    })
  return await askUntil(() => settingsOf(admin, topics), isShown, isUnknownTopic)
}

/** The settings by topic; a topic whose settings this user may not read is left out. */
async function settingsOf(
  admin: TopicAdmin,
  topics: readonly string[]
): Promise<Map<string, ReadonlyMap<string, string>>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map(name => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [...readSettings]
      }))
    })
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]))
      ])
    )
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    if (topics.length <= 1) return new Map()
    // The answer for one topic alone hides those for all others.
    const each = await Promise.all(topics.map(topic => settingsOf(admin, [topic])))
    return new Map(each.flatMap(some => [...some]))
  }
}

/** Asks until the answer will do or the time is over; what is not a passing error ends it. */
async function askUntil<Answer>(
  ask: () => Promise<Answer>,
  willDo: (answer: Answer) => boolean,
  isPassing: (error: unknown) => boolean
): Promise<Answer> {
  const deadline = performance.now() + learnedWithinMs
  for (;;) {
    try {
      const answer = await ask()
      if (willDo(answer) || performance.now() > deadline) return answer
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error
    }
    await new Promise(resolve => setTimeout(resolve, askAgainMs))
  }
}
