import kafkajs from 'kafkajs'
import { type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { type Logger } from '../../src/core/logger.ts'
import { type TopicAdmin, withTopicAdmin } from './topic-admin.ts'
import { differencesOf, type TopicDifference, type TopicState } from './topic-differences.ts'
import { type TopicPlan } from './topic-plan.ts'
import {
  hiddenSentence,
  isRefusal,
  isUnauthorized,
  protocolCode,
  refusalSentence,
  topicCodes
} from './topic-refusal.ts'
import { readStates, type TopicChanges } from './topic-states.ts'

/** `verify` only looks, `create` makes missing topics, `alter` also mends retention and cleanup policy of existing ones. */
export type TopicMode = 'verify' | 'create' | 'alter'

/** What was found of one planned topic, and what was done. */
export interface TopicFinding {
  readonly plan: TopicPlan
  readonly action: 'none' | 'created' | 'altered'
  /** Null: it does not exist, or this user may not see it. */
  readonly state: TopicState | null
  /** What is not as planned, after what was done. */
  readonly differences: readonly TopicDifference[]
  /** Why it could not be created or altered, in a sentence; null when nobody refused. */
  readonly refusal: string | null
}

export interface TopicReport {
  /** In the order of the plan. */
  readonly findings: readonly TopicFinding[]
  /** Partition counts as they are, by topic: a producer must choose among these. */
  readonly partitions: Readonly<Record<string, number>>
  readonly created: readonly string[]
  /** Planned topics that do not exist, and were not to be created or could not be. */
  readonly missing: readonly string[]
  /** One sentence for each difference between an existing topic and its plan. */
  readonly mismatches: readonly string[]
  /** One sentence for each topic that the cluster refused to create or to change. */
  readonly refused: readonly string[]
}

/**
 * Creates the planned topics that are missing, or only looks; compares what is there with the plan.
 * @throws IngestError SINK_UNAVAILABLE when the cluster cannot be reached
 */
export async function manageTopics(
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  mode: TopicMode,
  logger: Logger
): Promise<TopicReport> {
  const verb = mode === 'verify' ? 'verified' : 'created'
  const what = `The topics at ${access.brokers.join(', ')} could not be ${verb}`
  return await withTopicAdmin(access, what, logger, admin => runTopics(admin, access, plans, mode))
}

/** The same on a client that is connected already. */
export async function runTopics(
  admin: TopicAdmin,
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  mode: TopicMode
): Promise<TopicReport> {
  const before = new Set(await admin.listTopics())
  const absent = plans.filter(({ topic }) => !before.has(topic))
  const refusals = new Map<string, string>()
  const created = mode === 'verify' ? new Set<string>() : await create(admin, access, absent, refusals)
  const made = absent.filter(({ topic }) => mode !== 'verify' && !refusals.has(topic))
  const fresh = await visible(admin, access, made, refusals)
  const present = plans.filter(plan => before.has(plan.topic) || fresh.includes(plan))
  const states = await readStates(admin, present, fresh)
  const altered: TopicChanges =
    mode === 'alter' ? await alter(admin, access, present, states, refusals) : new Map()
  const now = altered.size === 0 ? states : await readStates(admin, present, [], altered)
  const findings = plans.map((plan): TopicFinding => {
    const state = now.get(plan.topic) ?? null
    return {
      plan,
      action: created.has(plan.topic) ? 'created' : altered.has(plan.topic) ? 'altered' : 'none',
      state,
      differences: state === null ? [] : differencesOf(plan, state),
      refusal: refusals.get(plan.topic) ?? null
    }
  })
  return reportOf(findings)
}

function reportOf(findings: readonly TopicFinding[]): TopicReport {
  const counts = findings.flatMap(({ state }) =>
    state === null ? [] : [[state.topic, state.partitions] as const]
  )
  const named = (some: readonly TopicFinding[]): string[] => some.map(({ plan }) => plan.topic)
  return {
    findings,
    partitions: Object.fromEntries(counts),
    created: named(findings.filter(({ action }) => action === 'created')),
    missing: named(findings.filter(({ state }) => state === null)),
    mismatches: findings.flatMap(({ differences }) => differences.map(({ message }) => message)),
    refused: findings.flatMap(({ refusal }) => (refusal === null ? [] : [refusal]))
  }
}

/** Answers the topics that were created; one that another process created meanwhile is not among them. */
async function create(
  admin: TopicAdmin,
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  refusals: Map<string, string>
): Promise<Set<string>> {
  const created = new Set<string>()
  // One request a topic, so that one refusal names its topic and hides no other.
  for (const plan of plans) {
    const { topic, partitions, retentionMs, cleanupPolicy, replication, messageBytesMin } = plan
    const configEntries = [
      { name: 'retention.ms', value: `${retentionMs}` },
      { name: 'cleanup.policy', value: cleanupPolicy },
      ...(messageBytesMin === undefined ? [] : [{ name: 'max.message.bytes', value: `${messageBytesMin}` }])
    ]
    const replicas = replication === undefined ? {} : { replicationFactor: replication }
    try {
      // Waiting for leaders is done below: the client's own waiting fails on brokers that have not heard of the topic yet.
      const isNew = await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: partitions, ...replicas, configEntries }]
      })
      if (isNew) created.add(topic)
    } catch (error) {
      if (protocolCode(error) === topicCodes.topicExists) continue
      if (!isRefusal(error)) throw error
      refusals.set(topic, refusalSentence('created', plan, error, access, await brokerCount(admin)))
    }
  }
  return created
}

/** Whoever may create a topic, or meets one that exists already, need not be allowed to see it. */
async function visible(
  admin: TopicAdmin,
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  refusals: Map<string, string>
): Promise<readonly TopicPlan[]> {
  for (const plan of plans) {
    try {
      await admin.fetchTopicMetadata({ topics: [plan.topic] })
    } catch (error) {
      // Whatever else is wrong with it passes, or shows when all of them are asked for.
      if (isUnauthorized(error)) refusals.set(plan.topic, hiddenSentence(plan.topic, access))
    }
  }
  return plans.filter(({ topic }) => !refusals.has(topic))
}

/** For a sentence only, so nothing fails on it. */
async function brokerCount(admin: TopicAdmin): Promise<number | null> {
  try {
    return (await admin.describeCluster()).brokers.length
  } catch {
    return null
  }
}

/** Mends what may be mended, and answers what was changed. */
async function alter(
  admin: TopicAdmin,
  access: KafkaAccess,
  plans: readonly TopicPlan[],
  states: ReadonlyMap<string, TopicState>,
  refusals: Map<string, string>
): Promise<TopicChanges> {
  const altered = new Map<string, ReadonlyMap<string, string>>()
  for (const plan of plans) {
    const state = states.get(plan.topic)
    const wrong =
      state === undefined ? [] : differencesOf(plan, state).filter(({ isAlterable }) => isAlterable)
    if (wrong.length === 0) continue
    try {
      const changes = new Map(wrong.map(({ setting, planned }) => [setting, planned] as const))
      // The request replaces all settings of the topic: what it has of its own is sent along, so that it stays.
      const entries = new Map([...(await ownSettings(admin, plan.topic)), ...changes])
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: plan.topic,
            configEntries: [...entries].map(([name, value]) => ({ name, value }))
          }
        ]
      })
      altered.set(plan.topic, changes)
    } catch (error) {
      if (!isRefusal(error)) throw error
      refusals.set(plan.topic, refusalSentence('changed', plan, error, access, null))
    }
  }
  return altered
}

/** The settings that a topic has itself, not those it has from its brokers. */
async function ownSettings(admin: TopicAdmin, topic: string): Promise<[name: string, value: string][]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }]
  })
  const entries = resources.flatMap(({ configEntries }) => configEntries)
  const own = entries.filter(
    ({ configSource, isSensitive }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG && !isSensitive
  )
  return own.map(({ configName, configValue }) => [configName, configValue])
}
