import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import kafkajs from 'kafkajs'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createKafkaClient, type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { runCli } from '../../src/cli/run.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type Target } from '../../src/domain/target.ts'
import { accessTo, type OwnKafka, startKafka } from '../support/kafka.ts'
import { FakeIo } from '../unit/cli/fake-io.ts'

const logger = createLogger('silent', 'test')
const targets: Target[] = [
  { region: 'korea', exchange: 'upbit', request_type: 'trade' },
  { region: 'asia', exchange: 'binance', request_type: 'orderbook' },
  { region: 'asia', exchange: 'binance', request_type: 'trade' }
]

suite('the topics of a service', () => {
  // A cluster of its own, since these topics have fixed names; the tests follow each other on it.
  let kafka: OwnKafka
  let access: KafkaAccess
  before(async () => {
    kafka = await startKafka()
    access = accessTo(kafka.brokers)
  })
  after(() => kafka[Symbol.asyncDispose]())

  test('that ask for more replicas than there are brokers are refused one by one, and the sentence says why', async () => {
    const plans = planTopics(targets.slice(0, 1), { replication: 3, partitions: [], batchBytes: 0 })
    const { created, refused, missing } = await manageTopics(access, plans, 'create', logger)
    assert.deepEqual(created, [])
    assert.equal(missing.length, plans.length)
    assert.equal(
      refused[0],
      'Topic trade-data.korea could not be created: topics.replication is 3, and the cluster has 1 broker; lower it or start more brokers.'
    )
    assert.equal(refused.length, plans.length)
  })

  test('are created once, then found as planned, and a difference is told and left alone', async () => {
    const plans = planTopics(targets)
    const looked = await manageTopics(access, plans, 'verify', logger)
    assert.deepEqual(
      looked.missing,
      plans.map(({ topic }) => topic)
    )
    assert.deepEqual(looked.partitions, {})

    const first = await manageTopics(access, plans, 'create', logger)
    assert.deepEqual(first.created, [
      'orderbook-data.asia',
      'trade-data.asia',
      'trade-data.korea',
      'ws.connect_success.asia',
      'ws.connect_success.korea',
      'ws.gap.events',
      'ws.error',
      'ws.dlq',
      'ws.backpressure.events',
      'monitoring.batch.performance'
    ])
    assert.deepEqual([first.missing, first.mismatches, first.refused], [[], [], []])
    assert.equal(first.partitions['trade-data.asia'], 12)
    assert.equal(first.partitions['trade-data.korea'], 6)
    assert.equal(first.partitions['ws.gap.events'], 3)

    const again = await manageTopics(access, plans, 'create', logger)
    const none = first.findings.map(finding => ({ ...finding, action: 'none' }))
    assert.deepEqual(again, { ...first, findings: none, created: [] })

    const other = plans.map(plan => ({ ...plan, partitions: plan.partitions + 1, retentionMs: 1 }))
    const differing = await manageTopics(access, other, 'create', logger)
    assert.equal(differing.mismatches.length, 2 * plans.length)
    assert.ok(
      differing.mismatches.includes(
        'Topic trade-data.asia has partitions 12, planned is 13; more would move keys to other partitions, so stop the writers and use kafka-topics --alter --topic trade-data.asia --partitions 13, or topics.partitions=trade-data.asia=12 says that it is meant.'
      ),
      differing.mismatches.join('\n')
    )
    assert.deepEqual(differing.partitions, first.partitions)

    const altered = await manageTopics(access, other, 'alter', logger)
    assert.ok(altered.findings.every(({ action }) => action === 'altered'))
    assert.equal(altered.mismatches.length, plans.length, 'only the partitions are left')
    const back = await manageTopics(access, plans, 'alter', logger)
    assert.deepEqual(back.mismatches, [])
  })

  test('are told apart from what makes them unfit, and keep their own settings when others are altered', async () => {
    const topic = 'trade-data.na'
    const target: Target = { region: 'na', exchange: 'kraken', request_type: 'trade' }
    const admin = createKafkaClient(access, logger).admin()
    await admin.connect()
    const settings = {
      'retention.ms': '604800000',
      'cleanup.policy': 'compact,delete',
      'min.insync.replicas': '2',
      'message.timestamp.type': 'LogAppendTime',
      'compression.type': 'gzip',
      'max.message.bytes': '100000',
      'segment.bytes': '1048576'
    }
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 6, configEntries }] })
    const planned = { replication: 3, partitions: [`${topic}=6`], batchBytes: 2_000_000 }
    const plans = planTopics([target], planned).filter(plan => plan.topic === topic)
    const { mismatches, findings } = await manageTopics(access, plans, 'verify', logger)
    assert.deepEqual(
      findings[0]!.differences.map(({ setting, actual, planned: wanted }) => [setting, actual, wanted]),
      [
        ['replication', '1', '3'],
        ['retention.ms', '604800000', '86400000'],
        ['cleanup.policy', 'compact,delete', 'delete'],
        ['min.insync.replicas', '2', 'at most 1'],
        ['message.timestamp.type', 'LogAppendTime', 'CreateTime'],
        ['compression.type', 'gzip', 'producer'],
        ['max.message.bytes', '100000', 'at least 2000000']
      ]
    )
    assert.ok(
      mismatches.every(sentence => sentence.startsWith(`Topic ${topic} has `)),
      mismatches.join('\n')
    )

    const altered = await manageTopics(access, plans, 'alter', logger)
    assert.deepEqual(
      altered.findings[0]!.differences.map(({ setting }) => setting),
      [
        'replication',
        'min.insync.replicas',
        'message.timestamp.type',
        'compression.type',
        'max.message.bytes'
      ]
    )
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: Object.keys(settings) }
      ]
    })
    await admin.disconnect()
    assert.deepEqual(
      Object.fromEntries(
        resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue])
      ),
      { ...settings, 'retention.ms': '86400000', 'cleanup.policy': 'delete' }
    )
  })

  test('are planned and applied on the command line, which ends with 1 while something differs', async () => {
    const env = { KAFKA_BROKERS: kafka.brokers, SCHEMA_REGISTRY_URL: 'none' }
    const run = async (words: string): Promise<{ code: number; out: string; err: string }> => {
      const io = new FakeIo('', env)
      const code = await runCli(words.split(' '), io)
      return { code, out: io.stdout, err: io.stderr }
    }
    const before = await run('topics plan --region eu')
    assert.equal(before.code, 1)
    assert.match(before.out, /^TOPIC +PARTITIONS +RETENTION +POLICY +STATE\n/)
    assert.match(before.out, /^orderbook-data\.eu +6 +24h +delete +missing$/m)
    assert.match(before.out, /^ws\.dlq +3 +336h +delete +ok$/m)

    const applied = await run('topics apply --region eu')
    assert.deepEqual([applied.code, applied.err], [0, ''])
    assert.match(applied.out, /^ws\.connect_success\.eu +1 +168h +delete +created$/m)
    assert.equal((await run('topics plan --region eu')).code, 0)

    const differs = await run('topics plan --region eu --json --set topics.partitions=ws.dlq=4')
    assert.equal(differs.code, 1)
    const document = JSON.parse(differs.out) as {
      as_planned: boolean
      topics: { topic: string; state: string; differences: object[] }[]
    }
    assert.equal(document.as_planned, false)
    assert.deepEqual(
      document.topics.filter(({ state }) => state !== 'ok').map(({ topic, state }) => [topic, state]),
      [['ws.dlq', 'differs']]
    )
    const table = await run('topics apply --region eu --set topics.partitions=ws.dlq=4 --alter')
    assert.equal(table.code, 1)
    assert.match(table.out, /^ws\.dlq +4 +336h +delete +differs: partitions 3, planned 4$/m)
    assert.match(table.out, /^Topic ws\.dlq has partitions 3, planned is 4; more would move keys/m)
  })

  test('are an error with the brokers in it when no Kafka is there', async () => {
    await assert.rejects(manageTopics(accessTo('127.0.0.1:1'), planTopics(targets), 'create', logger), {
      code: 'SINK_UNAVAILABLE',
      message:
        'The topics at 127.0.0.1:1 could not be created: nothing listens at 127.0.0.1:1; check the port, and that the broker runs.'
    })
  })
})
