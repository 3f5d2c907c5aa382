import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTopics } from '../../../actors/kafka/topic-plan.ts'
import { runTopics } from '../../../actors/kafka/topics.ts'
import { hasWork, topicsDocument, topicsText } from '../../../src/cli/topics-text.ts'
import { MemoryCluster, ProtocolError } from '../actors/kafka/memory-cluster.ts'

const access = {
  brokers: ['memory:9092'],
  clientId: 'test',
  tls: false,
  caFile: null,
  certFile: null,
  keyFile: null,
  sasl: null
}
const plans = planTopics([{ region: 'korea', exchange: 'upbit', request_type: 'trade' }])

test('topics are a table as wide as its words, with a sentence below for all that is not as planned', async () => {
  const cluster = new MemoryCluster()
  cluster.topics.set('ws.error', {
    partitions: 3,
    replicas: 1,
    own: new Map([['retention.ms', '1000']])
  })
  cluster.refusals.create.set('ws.dlq', new ProtocolError(29, 'TOPIC_AUTHORIZATION_FAILED'))
  const report = await runTopics(cluster, access, plans, 'create')
  assert.ok(hasWork(report))
  assert.equal(
    topicsText(report),
    [
      'TOPIC                         PARTITIONS  RETENTION  POLICY  STATE',
      'trade-data.korea                       6        24h  delete  created',
      'ws.connect_success.korea               1       168h  delete  created',
      'ws.gap.events                          3       168h  delete  created',
      'ws.error                               3       168h  delete  differs: retention.ms 1000, planned 604800000',
      'ws.dlq                                 3       336h  delete  refused',
      'ws.backpressure.events                 1       168h  delete  created',
      'monitoring.batch.performance           1       168h  delete  created',
      '',
      'Topic ws.error has retention.ms 1000, planned is 604800000; `coin-stream topics apply --alter` changes it.',
      'Topic ws.dlq could not be created: this user is not authorized; allow Create on topic ws.dlq, or have it done by somebody who may.',
      ''
    ].join('\n')
  )
  const document = topicsDocument(access.brokers, report)
  assert.equal(document.as_planned, false)
  assert.deepEqual(
    document.topics.map(({ state }) => state),
    ['created', 'created', 'created', 'differs', 'refused', 'created', 'created']
  )
})

test('topics that are as planned are a table alone', async () => {
  const cluster = new MemoryCluster()
  await runTopics(cluster, access, plans, 'create')
  const report = await runTopics(cluster, access, plans, 'verify')
  assert.ok(!hasWork(report))
  assert.equal(topicsText(report).split('\n').length, plans.length + 2)
  assert.equal(topicsDocument(access.brokers, report).as_planned, true)
})
