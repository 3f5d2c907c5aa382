import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TopicLog } from '../../../../actors/log/topic-log.ts'
import { type LogRoute } from '../../../../src/wire/log-chunk.ts'

const routes: readonly LogRoute[] = [
  { id: 0, topic: 'trade-data.asia', partition: 0, key: 'asia|binance|trade|BTC-USDT' },
  { id: 1, topic: 'trade-data.asia', partition: 1, key: 'asia|binance|trade|ETH-USDT' }
]

class Bench {
  readonly log: TopicLog
  #next = 0

  constructor(bytesMax = 10_000_000) {
    this.log = new TopicLog('trade-data.asia', bytesMax, new Map(routes.map(route => [route.id, route])))
  }

  /** Writes numbered records to both routes in turns. */
  write(count: number, bytes = 8): void {
    for (let i = 0; i < count; i++) {
      const value = Buffer.alloc(bytes)
      value.writeUInt32LE(this.#next)
      this.log.append(routes[this.#next % 2]!, this.#next, value, 0, value.length)
      this.#next++
    }
  }
}

function numbers(records: readonly { readonly value: Uint8Array }[]): number[] {
  return records.map(({ value }) => Buffer.from(value).readUInt32LE())
}

suite('the log of a topic', () => {
  test('numbers the records of each partition from 0 and gives them back in the order of writing', () => {
    const bench = new Bench()
    bench.write(5)
    const { records, skipped } = bench.log.read(bench.log.earliest(), '', 100, 1e9)
    assert.equal(skipped, 0)
    assert.deepEqual(numbers(records), [0, 1, 2, 3, 4])
    assert.deepEqual(
      records.map(({ partition, offset }) => [partition, offset]),
      [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
        [0, 2]
      ]
    )
  })

  test('reads on from where a reader stands, and only what its key prefix takes', () => {
    const bench = new Bench()
    bench.write(4)
    const cursor = bench.log.latest()
    bench.write(4)
    assert.deepEqual(numbers(bench.log.read(cursor, 'asia|binance|trade|ETH', 100, 1e9).records), [5, 7])
    assert.deepEqual(bench.log.read(cursor, '', 100, 1e9).records, [])
    bench.write(1)
    assert.deepEqual(numbers(bench.log.read(cursor, '', 100, 1e9).records), [8])
  })

  test('gives at most so many records and bytes at once', () => {
    const bench = new Bench()
    bench.write(10, 100)
    const cursor = bench.log.earliest()
    assert.deepEqual(numbers(bench.log.read(cursor, '', 3, 1e9).records), [0, 1, 2])
    assert.deepEqual(numbers(bench.log.read(cursor, '', 100, 150).records), [3, 4])
  })

  test('starts at its first record for a reader that came before it', () => {
    const bench = new Bench()
    const cursor = bench.log.latest()
    bench.write(2)
    assert.deepEqual(numbers(bench.log.read(cursor, '', 100, 1e9).records), [0, 1])
  })

  test('forgets the oldest records at its limit, keeps their offsets, and tells a late reader what it missed', () => {
    const bench = new Bench(600_000)
    const cursor = bench.log.earliest()
    bench.write(10)
    assert.equal(bench.log.read(cursor, '', 4, 1e9).records.length, 4)
    bench.write(1000, 2000)
    assert.ok(bench.log.keptBytes <= 600_000)
    assert.ok(bench.log.evictedRecords > 10)
    const { records, skipped } = bench.log.read(cursor, '', 1, 1e9)
    assert.equal(skipped, bench.log.evictedRecords - 4)
    assert.deepEqual(numbers(records), [bench.log.evictedRecords])
    assert.equal(records[0]?.offset, Math.floor(bench.log.evictedRecords / 2))
    assert.equal(bench.log.read(cursor, '', 1, 1e9).skipped, 0)
    assert.equal(bench.log.records, 1010)
  })

  test('keeps a record that is larger than the whole limit', () => {
    const bench = new Bench(1000)
    bench.write(1, 500_000)
    assert.equal(bench.log.read(bench.log.earliest(), '', 1, 1e9).records[0]?.value.length, 500_000)
  })
})
