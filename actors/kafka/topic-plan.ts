import {
  connectSuccessTopic,
  controlTopics,
  dataTopic,
  dataTopicsOf,
  defaultPartitions
} from '../../src/domain/routing.ts'
import { type Region, requestTypes, type Target } from '../../src/domain/target.ts'

/** How a topic should be: what is created when it is missing, and what an existing one is compared with. */
export interface TopicPlan {
  readonly topic: string
  readonly partitions: number
  readonly retentionMs: number
  readonly cleanupPolicy: 'delete'
  /** Replicas of each partition; absent or 0: what the brokers do by themselves, and nothing is compared. */
  readonly replication?: number
  /** The largest batch that is sent to it, in bytes; absent: one that any broker takes by default. */
  readonly messageBytesMin?: number
}

/** What the configuration says of all topics. */
export interface TopicSettings {
  readonly replication: number
  /** `topic=n` for topics with a number of partitions of their own. */
  readonly partitions: readonly string[]
  /** Bytes at which a batch is full. */
  readonly batchBytes: number
}

/** What a broker takes unless told otherwise (`message.max.bytes`). */
export const brokerMessageBytes = 1_048_588

const hourMs = 3_600_000
const dataRetentionMs = 24 * hourMs
const controlRetentionMs = 7 * 24 * hourMs
const deadLetterRetentionMs = 14 * 24 * hourMs

/** The topics that a service for these targets writes. */
export function planTopics(
  targets: readonly Target[],
  settings: TopicSettings = { replication: 0, partitions: [], batchBytes: 0 }
): TopicPlan[] {
  return planNames(
    targets.map(dataTopic),
    targets.map(({ region }) => region),
    settings
  )
}

/** The topics that services for any target of these regions write. */
export function planRegions(regions: readonly Region[], settings: TopicSettings): TopicPlan[] {
  const data = regions.flatMap(region => dataTopicsOf(region, requestTypes))
  return planNames(data, regions, settings)
}

function planNames(
  data: readonly string[],
  regions: readonly Region[],
  { replication, partitions, batchBytes }: TopicSettings
): TopicPlan[] {
  const own = new Map(partitions.map(text => text.split('=') as [string, string]))
  const plan = (topic: string, retentionMs: number): TopicPlan => ({
    topic,
    partitions: Number(own.get(topic) ?? defaultPartitions(topic)),
    retentionMs,
    cleanupPolicy: 'delete',
    ...(replication > 0 ? { replication } : {}),
    ...(batchBytes > brokerMessageBytes ? { messageBytesMin: batchBytes } : {})
  })
  return [
    ...sorted(data).map(topic => plan(topic, dataRetentionMs)),
    ...sorted(regions.map(connectSuccessTopic)).map(topic => plan(topic, controlRetentionMs)),
    ...Object.keys(controlTopics).map(topic =>
      plan(topic, topic === 'ws.dlq' ? deadLetterRetentionMs : controlRetentionMs)
    )
  ]
}

/** Each once. */
function sorted(topics: readonly string[]): string[] {
  return [...new Set(topics)].sort()
}
