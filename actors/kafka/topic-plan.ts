import { connectSuccessTopic, controlTopics, dataTopic, defaultPartitions } from '../../src/domain/routing.ts'
import { type Target } from '../../src/domain/target.ts'

/** How a topic should be: what is created when it is missing, and what an existing one is compared with. */
export interface TopicPlan {
  readonly topic: string
  readonly partitions: number
  readonly retentionMs: number
  readonly cleanupPolicy: 'delete'
}

const hourMs = 3_600_000
const dataRetentionMs = 24 * hourMs
const controlRetentionMs = 7 * 24 * hourMs
const deadLetterRetentionMs = 14 * 24 * hourMs

function planOf(topic: string, retentionMs: number): TopicPlan {
  return { topic, partitions: defaultPartitions(topic), retentionMs, cleanupPolicy: 'delete' }
}

/** The topics that a service for these targets writes. */
export function planTopics(targets: readonly Target[]): TopicPlan[] {
  const data = new Set(targets.map(dataTopic))
  const connects = new Set(targets.map(({ region }) => connectSuccessTopic(region)))
  const control = Object.keys(controlTopics).map(topic =>
    planOf(topic, topic === 'ws.dlq' ? deadLetterRetentionMs : controlRetentionMs)
  )
  return [
    ...[...data].sort().map(topic => planOf(topic, dataRetentionMs)),
    ...[...connects].sort().map(topic => planOf(topic, controlRetentionMs)),
    ...control
  ]
}
