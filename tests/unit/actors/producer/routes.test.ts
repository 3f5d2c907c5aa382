import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Routes } from '../../../../actors/producer/routes.ts'
import { partitionOf } from '../../../../src/domain/routing.ts'

test('a route carries the key and the partition that every Kafka client would choose for it', () => {
  const routes = new Routes({ 'trade-data.korea': 6 })
  const route = routes.to('trade-data.korea', 'korea|upbit|trade|BTC-KRW')
  assert.equal(route.topic, 'trade-data.korea')
  assert.equal(Buffer.from(route.keyBytes).toString(), route.key)
  assert.equal(route.partition, partitionOf(route.keyBytes, 6))
})

test('a route is made once for each topic and key, with a number of its own', () => {
  const routes = new Routes({ a: 3, b: 3 })
  const pairs = [
    ['a', 'k'],
    ['b', 'k'],
    ['a', 'l']
  ] as const
  const made = pairs.map(([topic, key]) => routes.to(topic, key))
  assert.deepEqual(
    made.map(route => route.id),
    [0, 1, 2]
  )
  pairs.forEach(([topic, key], i) => assert.equal(routes.to(topic, key), made[i]))
})

test('a topic whose partitions are not known has one', () => {
  assert.equal(new Routes({}).to('ws.error', 'any key').partition, 0)
})
