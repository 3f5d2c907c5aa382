import { type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { causesOf } from '../../src/bus/kafka-fault.ts'
import { type TopicPlan } from './topic-plan.ts'

/** Codes with which a cluster refuses one topic for good. @see https://kafka.apache.org/protocol.html#protocol_error_codes */
export const topicCodes = {
  topicExists: 36,
  invalidTopic: 17,
  topicAuthorization: 29,
  clusterAuthorization: 31,
  invalidPartitions: 37,
  invalidReplication: 38,
  invalidConfig: 40,
  policyViolation: 44
} as const

/** Not for good: a broker answers it of a topic that another one made a moment ago. */
const unknownTopic = 3

const refusals: ReadonlySet<number> = new Set(Object.values(topicCodes))

/** The protocol's error code behind an error of the client, which wraps one error or several; null when there is none. */
export function protocolCode(error: unknown): number | null {
  for (const each of causesOf(error)) {
    const { code, errors } = each as { readonly code?: unknown; readonly errors?: unknown }
    if (typeof code === 'number') return code
    if (Array.isArray(errors) && errors.length > 0) return protocolCode(errors[0])
  }
  return null
}

/** Whether the cluster refused this one topic, so that the others can go on. */
export function isRefusal(error: unknown): boolean {
  return refusals.has(protocolCode(error) ?? Number.NaN)
}

/** Whether the user may not do what was asked. */
export function isUnauthorized(error: unknown): boolean {
  const code = protocolCode(error)
  return code === topicCodes.topicAuthorization || code === topicCodes.clusterAuthorization
}

/** Whether a broker has not heard of the topic, or not yet. */
export function isUnknownTopic(error: unknown): boolean {
  return protocolCode(error) === unknownTopic
}

/** A topic that exists and that we know nothing of, in one sentence. */
export function hiddenSentence(topic: string, access: KafkaAccess): string {
  return `Topic ${topic} exists, and ${userOf(access)} may not see it; allow Describe on topic ${topic}.`
}

function userOf({ sasl }: KafkaAccess): string {
  return sasl === null ? 'this user' : `user ${sasl.username}`
}

/**
 * Why a topic could not be created or changed, and what to do, in one sentence.
 * @param brokers how many the cluster has, null when that is not known
 */
export function refusalSentence(
  verb: 'created' | 'changed',
  plan: TopicPlan,
  error: unknown,
  access: KafkaAccess,
  brokers: number | null
): string {
  const head = `Topic ${plan.topic} could not be ${verb}`
  const user = userOf(access)
  const right = verb === 'created' ? 'Create' : 'AlterConfigs'
  switch (protocolCode(error)) {
    case topicCodes.topicAuthorization:
    case topicCodes.clusterAuthorization:
      return `${head}: ${user} is not authorized; allow ${right} on topic ${plan.topic}, or have it done by somebody who may.`
    case topicCodes.invalidReplication: {
      const has = brokers === null ? '' : `, and the cluster has ${brokers} broker${brokers === 1 ? '' : 's'}`
      return plan.replication === undefined
        ? `${head}: the brokers' own default.replication.factor is more than there are brokers${has}; set topics.replication.`
        : `${head}: topics.replication is ${plan.replication}${has}; lower it or start more brokers.`
    }
    case topicCodes.policyViolation:
      return `${head}: a policy of the cluster (create.topic.policy) forbids ${plan.partitions} partitions or one of its settings; ask its owner, or create the topic by hand.`
    case topicCodes.invalidPartitions:
      return `${head}: the cluster does not take ${plan.partitions} partitions; change topics.partitions.`
    case null:
    default: {
      const last = causesOf(error).at(-1)
      const errors = (last as { readonly errors?: readonly unknown[] } | undefined)?.errors
      const inner = errors?.[0] instanceof Error ? errors[0] : last
      return `${head}: ${(inner?.message ?? String(error)).replace(/\.$/, '')}.`
    }
  }
}
