import kafkajs, { type ConfigEntries } from 'kafkajs'
import { type TopicAdmin } from '../../../../actors/kafka/topic-admin.ts'

interface MemoryTopic {
  readonly partitions: number
  readonly replicas: number
  readonly own: Map<string, string>
}

/** An error as the client throws it: the protocol's number and name, inside another where it speaks of one topic. */
export class ProtocolError extends Error {
  readonly code: number
  readonly type: string

  constructor(code: number, type: string) {
    super(`The request was refused: ${type}`)
    this.code = code
    this.type = type
  }
}

const brokerDefaults: Readonly<Record<string, string>> = {
  'retention.ms': '604800000',
  'cleanup.policy': 'delete',
  'min.insync.replicas': '1',
  'message.timestamp.type': 'CreateTime',
  'compression.type': 'producer',
  'max.message.bytes': '1048588'
}

/** A cluster in memory that does what topics need, and refuses what a test tells it to. */
export class MemoryCluster implements TopicAdmin {
  readonly topics = new Map<string, MemoryTopic>()
  brokers = 3
  /** Codes with which topics are refused, by what is asked and topic. */
  readonly refusals = {
    create: new Map<string, ProtocolError>(),
    describe: new Map<string, ProtocolError>(),
    alter: new Map<string, ProtocolError>()
  }

  readonly listTopics: TopicAdmin['listTopics'] = async () => [...this.topics.keys()]

  readonly createTopics: TopicAdmin['createTopics'] = async ({ topics }) => {
    for (const { topic, numPartitions = 1, replicationFactor = 1, configEntries = [] } of topics) {
      const refusal = this.refusals.create.get(topic)
      if (refusal !== undefined)
        throw Object.assign(new Error('Topic creation errors'), { errors: [refusal] })
      const own = new Map(configEntries.map(({ name, value }) => [name, value]))
      this.topics.set(topic, { partitions: numPartitions, replicas: replicationFactor, own })
    }
    return true
  }

  readonly fetchTopicMetadata: TopicAdmin['fetchTopicMetadata'] = async asked => ({
    topics: (asked?.topics ?? []).flatMap(name => {
      const topic = this.topics.get(name)
      if (topic === undefined) return []
      const replicas = Array.from({ length: topic.replicas }, (_, i) => i + 1)
      const partitions = Array.from({ length: topic.partitions }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 1,
        replicas,
        isr: replicas
      }))
      return [{ name, partitions }]
    })
  })

  readonly describeConfigs: TopicAdmin['describeConfigs'] = async ({ resources }) => {
    const answers = resources.map(({ name, type }) => {
      const refusal = this.refusals.describe.get(name)
      if (refusal !== undefined) throw refusal
      const own = this.topics.get(name)?.own ?? new Map<string, string>()
      const settings = { ...brokerDefaults, ...Object.fromEntries(own) }
      const configEntries = Object.entries(settings).map(
        ([configName, configValue]): ConfigEntries => ({
          configName,
          configValue,
          readOnly: false,
          isDefault: !own.has(configName),
          isSensitive: false,
          configSource: own.has(configName)
            ? kafkajs.ConfigSource.TOPIC_CONFIG
            : kafkajs.ConfigSource.DEFAULT_CONFIG,
          configSynonyms: []
        })
      )
      return { errorCode: 0, errorMessage: '', resourceName: name, resourceType: type, configEntries }
    })
    return { resources: answers, throttleTime: 0 }
  }

  /** As the protocol has it: what is not named goes back to the brokers' default. */
  readonly alterConfigs: TopicAdmin['alterConfigs'] = async ({ resources }) => {
    for (const { name, configEntries } of resources) {
      const refusal = this.refusals.alter.get(name)
      if (refusal !== undefined) throw refusal
      const topic = this.topics.get(name)
      if (topic === undefined) throw new ProtocolError(3, 'UNKNOWN_TOPIC_OR_PARTITION')
      topic.own.clear()
      for (const entry of configEntries) topic.own.set(entry.name, entry.value)
    }
  }

  readonly describeCluster: TopicAdmin['describeCluster'] = async () => ({
    brokers: Array.from({ length: this.brokers }, (_, i) => ({ nodeId: i + 1, host: 'memory', port: 9092 })),
    controller: 1,
    clusterId: 'memory'
  })
}
