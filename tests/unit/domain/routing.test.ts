import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  connectSuccessTopic,
  controlTopics,
  dataTopic,
  dataTopicsOf,
  defaultPartitions,
  murmur2,
  partitionOf,
  recordKey
} from '../../../src/domain/routing.ts'
import { parseTargetArgument } from '../../../src/domain/target.ts'

const encoder = new TextEncoder()

// The vectors that Apache Kafka tests its own client with.
// @see https://github.com/apache/kafka/blob/trunk/clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java
const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107]
]
for (const [text, hash] of vectors) {
  test(`murmur2 of "${text}" is what Java's client computes`, () => {
    assert.equal(murmur2(encoder.encode(text)), hash)
  })
}

/** The same hash in arithmetic without 32-bit tricks: the words as the algorithm's definition gives them. */
function murmur2ByDefinition(bytes: Uint8Array): number {
  const m = 0x5bd1e995n
  const mask = 0xffffffffn
  let h = (0x9747b28cn ^ BigInt(bytes.length)) & mask
  const words = bytes.length - (bytes.length % 4)
  for (let at = 0; at < words; at += 4) {
    let k = 0n
    for (let i = 3; i >= 0; i--) k = (k << 8n) | BigInt(bytes[at + i]!)
    k = (k * m) & mask
    k ^= k >> 24n
    k = (k * m) & mask
    h = ((h * m) & mask) ^ k
  }
  for (let at = bytes.length - 1; at >= words; at--) h ^= BigInt(bytes[at]!) << BigInt(8 * (at - words))
  if (bytes.length > words) h = (h * m) & mask
  h ^= h >> 13n
  h = (h * m) & mask
  h ^= h >> 15n
  return Number(BigInt.asIntN(32, h))
}

test('murmur2 agrees with its definition on any bytes of any length', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40, size: 'max' }),
      bytes => murmur2(bytes) === murmur2ByDefinition(bytes)
    )
  )
})

test('a partition is never negative and always below the number of partitions', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 200 }),
      (key, partitions) => {
        const partition = partitionOf(key, partitions)
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
      }
    )
  )
  assert.equal(partitionOf(encoder.encode('21'), 12), (-973932308 & 0x7fffffff) % 12)
})

test('a record goes to the topic of its kind and region, under the key of its symbol', () => {
  const { target } = parseTargetArgument('upbit/ticker:BTC-KRW')
  assert.equal(dataTopic(target), 'ticker-data.korea')
  assert.equal(recordKey(target, 'BTC-KRW'), 'korea|upbit|ticker|BTC-KRW')
  assert.equal(connectSuccessTopic('eu'), 'ws.connect_success.eu')
  assert.deepEqual(dataTopicsOf('na', ['ticker', 'trade']), ['ticker-data.na', 'trade-data.na'])
})

test('topics have the partitions of the contract', () => {
  const regions = ['korea', 'asia', 'na', 'eu']
  assert.deepEqual(
    regions.map(region => defaultPartitions(`orderbook-data.${region}`)),
    [6, 12, 6, 6]
  )
  for (const [topic, partitions] of Object.entries(controlTopics))
    assert.equal(defaultPartitions(topic), partitions)
  assert.equal(defaultPartitions('ws.connect_success.asia'), 1)
  assert.equal(defaultPartitions('my-trade-data.korea'), 1)
})
