import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createKafkaClient } from '../../src/bus/kafka-client.ts'
import { createLogger } from '../../src/core/logger.ts'
import { partitionOf } from '../../src/domain/routing.ts'
import { accessTo, startKafka } from '../support/kafka.ts'
import { MixedVenues } from '../support/mixed-venues.ts'
import { assertSettled, TestService } from '../support/run-service.ts'

const topic = 'trade-data.asia'
const key = Buffer.from('asia|binance|trade|BTC-USDT')
/** The fewest partitions with which the key is not in the first one any more. */
const grown = [2, 3, 4, 5].find(count => partitionOf(key, count) !== 0) ?? 0
const restartsOf = (status: { readonly threads: readonly { name: string; restarts: number }[] }): number =>
  status.threads.find(({ name }) => name === 'producer')?.restarts ?? 0

suite('a topic whose partitions are changed while the service runs', () => {
  test('is noticed when a producer starts, which is started once more with the new number', async () => {
    await using kafka = await startKafka()
    await using venues = await MixedVenues.start()
    await using service = await TestService.start({
      targets: ['binance/trade:BTC-USDT'],
      endpoints: venues.endpoints,
      settings: {
        'kafka.brokers': kafka.brokers,
        'registry.url': 'none',
        'producer.profile': 'latency',
        'topics.partitions': `${topic}=1`
      }
    })
    await venues.tradesAreSubscribed()
    venues.sendTrade()
    const first = await service.until(({ records }) => records.published === 1, 'the first trade')
    assert.equal(restartsOf(first), 0)

    const admin = createKafkaClient(accessTo(kafka.brokers), createLogger('silent', 'test')).admin()
    await admin.connect()
    await admin.createPartitions({ topicPartitions: [{ topic, count: grown }] })
    // The producer that follows starts with the number known so far, since it does not wait for Kafka.
    await service.crash('producer')
    await service.until(status => restartsOf(status) === 2, 'the restart for the new partitions')
    venues.sendTrade()
    const second = await service.until(({ records }) => records.published === 2, 'the second trade')
    assert.equal(restartsOf(second), 2)
    const offsets = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    const records = Object.fromEntries(offsets.map(({ partition, high }) => [partition, Number(high)]))
    assert.deepEqual([records[0], records[partitionOf(key, grown)]], [1, 1])
    assertSettled(await service.stop())
  })
})
