import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import kafkajs from 'kafkajs'
import { planRegions, planTopics } from '../../../../actors/kafka/topic-plan.ts'
import { runTopics } from '../../../../actors/kafka/topics.ts'
import { type KafkaAccess } from '../../../../src/bus/kafka-client.ts'
import { type Target } from '../../../../src/domain/target.ts'
import { MemoryCluster, ProtocolError } from './memory-cluster.ts'

const access: KafkaAccess = {
  brokers: ['memory:9092'],
  clientId: 'test',
  tls: false,
  caFile: null,
  certFile: null,
  keyFile: null,
  sasl: { mechanism: 'plain', username: 'feeder', password: 'hidden' }
}
const target: Target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }
const hour = 3_600_000

suite('the plan of the topics', () => {
  test('has partitions, retention and policy of the contract', () => {
    const plans = planRegions(['asia', 'korea'], { replication: 0, partitions: [], batchBytes: 131_072 })
    assert.deepEqual(
      plans.map(({ topic, partitions, retentionMs }) => [topic, partitions, retentionMs / hour]),
      [
        ['orderbook-data.asia', 12, 24],
        ['orderbook-data.korea', 6, 24],
        ['ticker-data.asia', 12, 24],
        ['ticker-data.korea', 6, 24],
        ['trade-data.asia', 12, 24],
        ['trade-data.korea', 6, 24],
        ['ws.connect_success.asia', 1, 168],
        ['ws.connect_success.korea', 1, 168],
        ['ws.gap.events', 3, 168],
        ['ws.error', 3, 168],
        ['ws.dlq', 3, 336],
        ['ws.backpressure.events', 1, 168],
        ['monitoring.batch.performance', 1, 168]
      ]
    )
    for (const { cleanupPolicy, replication, messageBytesMin } of plans) {
      assert.deepEqual([cleanupPolicy, replication, messageBytesMin], ['delete', undefined, undefined])
    }
  })

  test('takes partitions, replication and the size of batches from the configuration', () => {
    const settings = { replication: 3, partitions: ['trade-data.korea=48'], batchBytes: 4_194_304 }
    const [data, connects] = planTopics([target, target], settings)
    assert.deepEqual(data, {
      topic: 'trade-data.korea',
      partitions: 48,
      retentionMs: 24 * hour,
      cleanupPolicy: 'delete',
      replication: 3,
      messageBytesMin: 4_194_304
    })
    assert.equal(connects?.topic, 'ws.connect_success.korea')
    assert.equal(connects.partitions, 1)
  })
})

suite('topics on a cluster', () => {
  const plans = planTopics([target])

  test('that may not be created are named one by one, with who may not, and hide no others', async () => {
    const cluster = new MemoryCluster()
    cluster.refusals.create.set('ws.error', new ProtocolError(29, 'TOPIC_AUTHORIZATION_FAILED'))
    cluster.refusals.create.set('ws.dlq', new ProtocolError(44, 'POLICY_VIOLATION'))
    const { created, refused, missing, partitions } = await runTopics(cluster, access, plans, 'create')
    assert.deepEqual(missing, ['ws.error', 'ws.dlq'])
    assert.equal(created.length, plans.length - 2)
    assert.deepEqual(refused, [
      'Topic ws.error could not be created: user feeder is not authorized; allow Create on topic ws.error, or have it done by somebody who may.',
      'Topic ws.dlq could not be created: a policy of the cluster (create.topic.policy) forbids 3 partitions or one of its settings; ask its owner, or create the topic by hand.'
    ])
    assert.equal(partitions['ws.error'], undefined)
    assert.equal(partitions['trade-data.korea'], 6)
  })

  test('that ask for too many replicas say whose wish that was, and how many brokers there are', async () => {
    const cluster = new MemoryCluster()
    cluster.brokers = 1
    const [first] = plans
    cluster.refusals.create.set(first!.topic, new ProtocolError(38, 'INVALID_REPLICATION_FACTOR'))
    const asked = await runTopics(cluster, access, [{ ...first!, replication: 3 }], 'create')
    assert.deepEqual(asked.refused, [
      'Topic trade-data.korea could not be created: topics.replication is 3, and the cluster has 1 broker; lower it or start more brokers.'
    ])
    const byDefault = await runTopics(cluster, access, [first!], 'create')
    assert.match(byDefault.refused[0]!, /default\.replication\.factor is more than there are brokers/)
  })

  test('that another process creates meanwhile are taken as they are', async () => {
    const cluster = new MemoryCluster()
    const [plan] = plans
    cluster.refusals.create.set(plan!.topic, new ProtocolError(36, 'TOPIC_ALREADY_EXISTS'))
    const { fetchTopicMetadata } = cluster
    const racing = Object.assign(cluster, {
      fetchTopicMetadata: (asked: Parameters<typeof fetchTopicMetadata>[0]) => {
        cluster.topics.set(plan!.topic, { partitions: 6, replicas: 1, own: new Map() })
        return fetchTopicMetadata(asked)
      }
    })
    const { created, refused, partitions } = await runTopics(racing, access, [plan!], 'create')
    assert.deepEqual([created, refused, partitions], [[], [], { 'trade-data.korea': 6 }])
  })

  test('whose settings this user may not read are counted all the same, and that is said of them alone', async () => {
    const cluster = new MemoryCluster()
    await runTopics(cluster, access, plans, 'create')
    cluster.refusals.describe.set('ws.dlq', new ProtocolError(29, 'TOPIC_AUTHORIZATION_FAILED'))
    const { mismatches, partitions } = await runTopics(cluster, access, plans, 'verify')
    assert.deepEqual(mismatches, [
      'The settings of topic ws.dlq could not be verified, since this user may not read them; allow DescribeConfigs on it.'
    ])
    assert.equal(partitions['ws.dlq'], 3)
  })

  test('are altered only in retention and policy, keep their other settings, and a refusal names its topic', async () => {
    const cluster = new MemoryCluster()
    const two = plans.filter(({ topic }) => topic === 'ws.gap.events' || topic === 'ws.error')
    const own = () =>
      new Map(Object.entries({ 'retention.ms': '1', 'segment.bytes': '9', 'compression.type': 'gzip' }))
    for (const { topic } of two) cluster.topics.set(topic, { partitions: 2, replicas: 1, own: own() })
    cluster.refusals.alter.set('ws.error', new ProtocolError(31, 'CLUSTER_AUTHORIZATION_FAILED'))
    const { findings, refused } = await runTopics(cluster, access, two, 'alter')
    const [gaps, errors] = findings
    assert.deepEqual([gaps!.action, errors!.action], ['altered', 'none'])
    assert.deepEqual(
      gaps!.differences.map(({ setting }) => setting),
      ['partitions', 'compression.type']
    )
    assert.deepEqual(Object.fromEntries(cluster.topics.get('ws.gap.events')!.own), {
      'retention.ms': `${168 * hour}`,
      'segment.bytes': '9',
      'compression.type': 'gzip'
    })
    assert.deepEqual(refused, [
      'Topic ws.error could not be changed: user feeder is not authorized; allow AlterConfigs on topic ws.error, or have it done by somebody who may.'
    ])
  })

  test('are reported as made and as altered, although the broker that is asked learns of it a moment later', async () => {
    const cluster = new MemoryCluster()
    const [plan] = plans
    const { describeConfigs } = cluster
    const unknown = new ProtocolError(3, 'UNKNOWN_TOPIC_OR_PARTITION')
    const late: (() => ReturnType<typeof describeConfigs>)[] = []
    Object.assign(cluster, {
      describeConfigs: (asked: Parameters<typeof describeConfigs>[0]) =>
        (late.shift() ?? (() => describeConfigs(asked)))()
    })
    late.push(() => Promise.reject(unknown))
    const made = await runTopics(cluster, access, [plan!], 'create')
    assert.deepEqual([made.created, made.mismatches], [[plan!.topic], []])

    cluster.topics.get(plan!.topic)!.own.set('retention.ms', '1')
    const asked = { resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: plan!.topic }] }
    const seen = await describeConfigs({ includeSynonyms: false, ...asked })
    const before = () => Promise.resolve(seen)
    // Read for the differences, for the settings of its own, and once more before the broker has heard of the change.
    late.push(before, before, before)
    const altered = await runTopics(cluster, access, [plan!], 'alter')
    assert.deepEqual([altered.findings[0]!.action, altered.mismatches], ['altered', []])
    assert.equal(late.length, 0)
  })

  test('with more partitions than planned are said to be meant by a setting', async () => {
    const cluster = new MemoryCluster()
    const [plan] = plans
    cluster.topics.set(plan!.topic, {
      partitions: 24,
      replicas: 1,
      own: new Map([['retention.ms', `${plan!.retentionMs}`]])
    })
    const { mismatches } = await runTopics(cluster, access, [plan!], 'create')
    assert.deepEqual(mismatches, [
      'Topic trade-data.korea has partitions 24, planned is 6; partitions cannot be taken away; topics.partitions=trade-data.korea=24 says that it is meant.'
    ])
  })

  test('fail as a whole only for what concerns the whole', async () => {
    const cluster = new MemoryCluster()
    cluster.refusals.create.set('ws.error', new ProtocolError(7, 'REQUEST_TIMED_OUT'))
    await assert.rejects(runTopics(cluster, access, plans, 'create'), /Topic creation errors/)
  })
})
