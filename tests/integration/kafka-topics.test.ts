import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type Target } from '../../src/domain/target.ts'
import { accessTo, startKafka } from '../support/kafka.ts'

const logger = createLogger('silent', 'test')
const targets: Target[] = [
  { region: 'korea', exchange: 'upbit', request_type: 'trade' },
  { region: 'asia', exchange: 'binance', request_type: 'orderbook' },
  { region: 'asia', exchange: 'binance', request_type: 'trade' }
]

suite('the topics of a service', () => {
  test('are created once, then found as planned, and a difference is told and left alone', async () => {
    await using kafka = await startKafka()
    const access = accessTo(kafka.brokers)
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
      'ws.backpressure.events'
    ])
    assert.equal(first.partitions['trade-data.asia'], 12)
    assert.equal(first.partitions['trade-data.korea'], 6)
    assert.equal(first.partitions['ws.gap.events'], 3)

    const again = await manageTopics(access, plans, 'create', logger)
    assert.deepEqual(again, { ...first, created: [] })

    const other = plans.map(plan => ({ ...plan, partitions: plan.partitions + 1, retentionMs: 1 }))
    const differing = await manageTopics(access, other, 'create', logger)
    assert.equal(differing.mismatches.length, 2 * plans.length)
    assert.ok(
      differing.mismatches.includes(
        'Topic trade-data.asia has a partition count of 12, planned is 13; it was left as it is.'
      )
    )
    assert.deepEqual(differing.partitions, first.partitions)
  })

  test('are an error with the brokers in it when no Kafka is there', async () => {
    const access = accessTo('127.0.0.1:1')
    await assert.rejects(manageTopics(access, planTopics(targets), 'create', logger), {
      code: 'SINK_UNAVAILABLE',
      message: /^The topics at 127\.0\.0\.1:1 could not be created: /
    })
  })
})
