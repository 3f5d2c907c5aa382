import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createLogger } from '../../src/core/logger.ts'
import { dataTopic } from '../../src/domain/routing.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { exchangeRegions, requestTypes } from '../../src/domain/target.ts'
import { truthFaults } from '../../src/domain/truth.ts'
import { simulatedExchanges } from '../../src/simulator/simulations.ts'
import { accessTo, startKafka, witness } from '../support/kafka.ts'
import { KafkaRecords } from '../support/kafka-records.ts'
import { CliFolder, summaryOf } from '../support/run-cli.ts'
import { assertSettled } from '../support/run-service.ts'

const targets = simulatedExchanges.flatMap(exchange =>
  requestTypes.map(request_type => ({ region: exchangeRegions[exchange], exchange, request_type }))
)

/** What a good run has shown, whatever its sink was. */
function assertProven(summary: Summary): void {
  assertSettled(summary)
  const { truth, per_target } = summary
  assert.deepEqual([summary.exchanges, summary.targets], [simulatedExchanges.length, targets.length])
  assert.ok(truth !== null)
  for (const fault of truthFaults) assert.equal(truth[fault], 0, `${fault}: ${JSON.stringify(truth)}`)
  assert.ok(truth.books_compared > 0)
  assert.ok(truth.delivered > 0 && truth.sent >= truth.delivered)
  for (const { target, records } of per_target) assert.ok(records > 0, `${target} has no records`)
}

suite('the commands of the README', () => {
  test('demo --verify proves a run of every channel of every exchange', async () => {
    using folder = new CliFolder()
    const end = await folder.run(['demo', '--for', '5s', '--verify', '--json'])
    assert.equal(end.code, 0, end.stderr)
    const summary = summaryOf(end)
    assertProven(summary)
    assert.equal(summary.reconnects, 0)
    assert.deepEqual(summary.gaps, { opened: 0, closed: 0, open: 0 })
    assert.deepEqual([summary.frames.dead, summary.truth?.declared_missing], [0, 0])
  })

  test('demo --faults loses events, and every loss is declared', async () => {
    using folder = new CliFolder()
    const end = await folder.run(['demo', '--for', '8s', '--verify', '--json', '--faults'])
    assert.equal(end.code, 0, end.stderr)
    const summary = summaryOf(end)
    assertProven(summary)
    assert.ok(summary.reconnects > 0)
    assert.ok(summary.frames.dead > 0)
    assert.ok(summary.gaps.opened > 0)
    assert.ok((summary.truth?.declared_missing ?? 0) > 0)
  })
})

test('start --simulate --verify reads its records back from Kafka, and a consumer that is not ours decodes the same', async () => {
  // The check wants topics to which nobody else writes, and other tests share the other cluster.
  await using own = await startKafka()
  const { brokers } = own
  const pod = 'end-to-end'
  const topics = targets.map(dataTopic)
  await manageTopics(accessTo(brokers), planTopics(targets), 'create', createLogger('silent', 'end-to-end'))
  await using kafka = await KafkaRecords.from(brokers, topics, pod)
  using folder = new CliFolder()
  const words = ['start', '--simulate', '--for', '5s', '--verify', '--json', '--rate', '500']
  const env = { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: 'none', COIN_STREAM_POD: pod }
  const end = await folder.run(words, env)
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stderr, /Records go to Kafka at .* as avro; registry: none\./)
  const summary = summaryOf(end)
  assertProven(summary)

  const ours = await kafka.finish()
  assert.equal(ours.length, summary.records.published)
  const theirs = await witness(brokers, topics)
  assert.equal(theirs.length, ours.length)
  const keys = new Set(ours.map(({ key }) => key))
  assert.ok(keys.size >= targets.length)
  for (const key of keys) {
    const [mine, witnessed] = [ours, theirs].map(records => records.filter(record => record.key === key))
    assert.deepEqual(
      witnessed!.map(({ bytes }) => bytes.toString('hex')),
      mine!.map(({ bytes }) => bytes.toString('hex')),
      key
    )
  }
  const byBytes = new Map(theirs.map(({ bytes, value }) => [bytes.toString('hex'), value]))
  for (const { bytes, record } of ours) assert.deepEqual(byBytes.get(bytes.toString('hex')), { ...record })
  for (const { schema, topic } of theirs) {
    assert.equal(
      schema,
      topic.startsWith('orderbook') ? 'OrderBook' : topic.startsWith('trade') ? 'Trade' : 'Ticker'
    )
  }
})
