import { type TopicPlan } from './topic-plan.ts'

/** A topic as the cluster has it. */
export interface TopicState {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  /** The settings in force, by name; null when the user may not see them. */
  readonly settings: ReadonlyMap<string, string> | null
}

/** One thing that is not as planned, or that keeps the topic from its work. */
export interface TopicDifference {
  /** `partitions`, `replication`, or a setting as Kafka calls it. */
  readonly setting: string
  readonly actual: string
  readonly planned: string
  /** What differs, what comes of it and what to do, in one sentence. */
  readonly message: string
  /** Whether `topics apply --alter` mends it. */
  readonly isAlterable: boolean
}

/** The settings that are read of every topic. */
export const readSettings = [
  'retention.ms',
  'cleanup.policy',
  'min.insync.replicas',
  'message.timestamp.type',
  'compression.type',
  'max.message.bytes'
] as const
type ReadSetting = (typeof readSettings)[number]

/** Compares a topic with its plan. Nothing is ever changed here: whoever reads decides. */
export function differencesOf(plan: TopicPlan, state: TopicState): TopicDifference[] {
  const found: TopicDifference[] = []
  const { topic } = plan
  const differ = (
    setting: string,
    actual: string | number,
    planned: string | number,
    tell: (sentence: string) => string,
    isAlterable = false
  ): void => {
    const sentence = `Topic ${topic} has ${setting} ${actual}, planned is ${planned}`
    const message = tell(sentence)
    found.push({ setting, actual: `${actual}`, planned: `${planned}`, message, isAlterable })
  }
  if (state.partitions !== plan.partitions) {
    differ(
      'partitions',
      state.partitions,
      plan.partitions,
      said => `${said}; ${howToRepartition(plan, state)}.`
    )
  }
  const replication = plan.replication ?? 0
  if (replication > 0 && state.replication !== replication) {
    differ(
      'replication',
      state.replication,
      replication,
      said => `${said}; move its partitions with kafka-reassign-partitions, or change topics.replication.`
    )
  }
  const { settings } = state
  if (settings === null) {
    differ(
      'settings',
      'unknown',
      'readable',
      () =>
        `The settings of topic ${topic} could not be verified, since this user may not read them; allow DescribeConfigs on it.`
    )
    return found
  }
  const setting = (name: ReadSetting): string => settings.get(name) ?? 'unknown'
  const alter = (said: string): string => `${said}; \`coin-stream topics apply --alter\` changes it.`
  if (setting('retention.ms') !== `${plan.retentionMs}`) {
    differ('retention.ms', setting('retention.ms'), plan.retentionMs, alter, true)
  }
  if (setting('cleanup.policy') !== plan.cleanupPolicy) {
    differ('cleanup.policy', setting('cleanup.policy'), plan.cleanupPolicy, alter, true)
  }
  const inSync = Number(setting('min.insync.replicas'))
  if (inSync > state.replication) {
    differ(
      'min.insync.replicas',
      inSync,
      `at most ${state.replication}`,
      () =>
        `Topic ${topic} has min.insync.replicas ${inSync} and ${counted(state.replication, 'replica')}, so no record can ever be acknowledged; lower the one or raise the other.`
    )
  }
  if (setting('message.timestamp.type') === 'LogAppendTime') {
    differ(
      'message.timestamp.type',
      'LogAppendTime',
      'CreateTime',
      said => `${said}; the brokers overwrite the time of reception, set CreateTime.`
    )
  }
  const compression = setting('compression.type')
  if (compression !== 'producer' && compression !== 'unknown') {
    differ(
      'compression.type',
      compression,
      'producer',
      said => `${said}; the brokers compress every batch anew, set producer.`
    )
  }
  const messageBytes = Number(setting('max.message.bytes'))
  if (messageBytes < (plan.messageBytesMin ?? 0)) {
    differ(
      'max.message.bytes',
      messageBytes,
      `at least ${plan.messageBytesMin}`,
      said =>
        `${said} (producer.batchBytes); larger batches are split and sent again, raise it or lower that.`
    )
  }
  return found
}

/** A key stays in its partition only while their number stays, so this is never done by us. */
function howToRepartition({ topic, partitions }: TopicPlan, state: TopicState): string {
  const meant = `topics.partitions=${topic}=${state.partitions} says that it is meant`
  return state.partitions > partitions
    ? `partitions cannot be taken away; ${meant}`
    : `more would move keys to other partitions, so stop the writers and use kafka-topics --alter --topic ${topic} --partitions ${partitions}, or ${meant}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
