import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Batch, batchHeaderBytes } from '../../../../../actors/producer/kafka/batch.ts'
import { BatchPool } from '../../../../../actors/producer/kafka/batch-pool.ts'
import { codecOf } from '../../../../../actors/producer/kafka/compression.ts'
import { type ReadBatch, readBatch } from '../../../../support/broker-double/record-batch.ts'
import {
  appendAll,
  expectedOf,
  type GivenRecord,
  recordsArb,
  TestRoutes
} from '../../../../support/kafka-batches.ts'

const none = codecOf('none')
const lz4 = codecOf('lz4')
const roomy = 8 * 1024 * 1024

/** What a reader that shares no code with the batch makes of it. */
function sent(batch: Batch, codec = none): ReadBatch {
  batch.seal(codec)
  batch.stamp(77n, 3, 1000)
  assert.equal(batch.wire.length, batch.wireBytes)
  return readBatch(Buffer.from(batch.wire))
}

function plain(count: number, valueBytes: number, firstMicros = 1_790_000_000_000_000): GivenRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `binance|asia|trade|C${i % 7}-USDT`,
    value: new Uint8Array(valueBytes).fill(i),
    headers: [],
    receivedMicros: firstMicros + i * 977,
    owner: i
  }))
}

/** Made by kafkajs 2.2.4 from the same records. */
const golden = [
  '0000000000000000000000da0000000002c37c83df000000000002000001a0c4506c7b000001a0c4506fe8',
  '000000000000109200037ffffffe00000003',
  '6a0000003662696e616e63657c617369617c74726164657c4254432d55534454287b227072696365223a2236303030302e3130227d00',
  '24002d020000020c726561736f6e0873697a65',
  `bc0100da0d0410d0bad0bbd18ed1878c01${'7a'.repeat(70)}0402610002620400ff`
].join('')

test("a batch has the bytes that kafkajs gives to the same records, but for the leader's epoch", () => {
  const batch = new BatchPool(roomy).take()
  const ms = 1_790_000_000_123
  appendAll(batch, [
    {
      key: 'binance|asia|trade|BTC-USDT',
      value: Buffer.from('{"price":"60000.10"}'),
      headers: [],
      receivedMicros: ms * 1000 + 999,
      owner: 1
    },
    {
      key: '',
      value: new Uint8Array(0),
      headers: [['reason', 'size']],
      receivedMicros: (ms - 23) * 1000,
      owner: 2
    },
    {
      key: 'ключ',
      value: Buffer.from('z'.repeat(70)),
      headers: [
        ['a', ''],
        ['b', Uint8Array.of(0, 255)]
      ],
      receivedMicros: (ms + 877) * 1000,
      owner: 3
    }
  ])
  batch.seal(none)
  batch.stamp(4242n, 3, 2_147_483_646)

  // Producers write -1, as the leader sets it; the checksum does not cover it.
  const expected = Buffer.from(golden, 'hex')
  expected.writeInt32BE(-1, 12)
  assert.equal(Buffer.from(batch.wire).toString('hex'), expected.toString('hex'))
})

test('any records come back from an independent reader as they were appended, in the size that was told', () => {
  const pool = new BatchPool(roomy)
  const codecs = [none, lz4, codecOf('snappy'), codecOf('gzip')]
  fc.assert(
    fc.property(recordsArb, fc.constantFrom(...codecs), (records, codec) => {
      const batch = pool.take()
      assert.equal(appendAll(batch, records), records.length)
      const { size } = batch
      const read = sent(batch, codec)

      assert.deepEqual(read.records, records.map(expectedOf))
      assert.equal(batch.size, size)
      assert.equal(batch.wireBytes <= size, true)
      if (read.codec === 'none') assert.equal(batch.wireBytes, size)
      assert.deepEqual(
        batch.values().map(value => Buffer.from(value)),
        records.map(({ value }) => Buffer.from(value))
      )
      const { owners, receivedMicros, count } = batch
      assert.deepEqual(
        [...owners.subarray(0, count)],
        records.map(({ owner }) => owner)
      )
      assert.deepEqual(
        [...receivedMicros.subarray(0, count)],
        records.map(r => r.receivedMicros)
      )
      pool.release(batch)
    })
  )
})

test('the parts of a split batch hold its records in order, whatever it was compressed with', () => {
  const pool = new BatchPool(roomy)
  fc.assert(
    fc.property(recordsArb, fc.constantFrom(none, lz4), (records, codec) => {
      const batch = pool.take()
      appendAll(batch, records)
      batch.createdMs = 12.5
      batch.seal(codec)
      const routes = [...batch.routes.subarray(0, batch.count)]
      const parts = batch.split(pool)

      assert.equal(parts.length, records.length === 1 ? 1 : 2)
      assert.deepEqual(
        parts.flatMap(part => sent(part, codec).records),
        records.map(expectedOf)
      )
      assert.deepEqual(
        parts.flatMap(part => [...part.routes.subarray(0, part.count)]),
        routes
      )
      assert.deepEqual(
        parts.flatMap(part => [...part.owners.subarray(0, part.count)]),
        records.map(({ owner }) => owner)
      )
      assert.deepEqual(
        parts.map(part => part.createdMs),
        parts.map(() => 12.5)
      )
      for (const part of parts) pool.release(part)
      assert.equal(pool.bytesInUse, 0)
    })
  )
})

test('a split leaves no part empty, and about half of the bytes in each', () => {
  const pool = new BatchPool(roomy)
  const batch = pool.take()
  appendAll(batch, plain(101, 100))
  const whole = batch.size
  const parts = batch.split(pool)

  for (const { size } of parts) assert.equal(Math.abs(size - whole / 2) < 250, true, `${size} of ${whole}`)

  const uneven = pool.take()
  appendAll(uneven, [...plain(3, 10), ...plain(1, 10_000)])
  assert.deepEqual(
    uneven.split(pool).map(({ count }) => count),
    [3, 1]
  )
})

test('a part that outgrows a batch, since its times lie further from its first, is split once more', () => {
  // The cut comes before the large record, which is decades older than all others.
  const recentMicros = 1_790_000_000_000_000
  const record = { key: 'k', value: new Uint8Array(0), headers: [], receivedMicros: recentMicros, owner: 0 }
  const large = { ...record, value: new Uint8Array(60_000), receivedMicros: 1_000_000_000_000_000 }
  const records = [record, large, ...Array.from({ length: 4000 }, () => record)]
  const probe = new BatchPool(roomy).take()
  appendAll(probe, records)

  const pool = new BatchPool(probe.size)
  const batch = pool.take()
  assert.equal(appendAll(batch, records), records.length)
  const parts = batch.split(pool)
  assert.equal(parts.length, 3)
  assert.deepEqual(
    parts.flatMap(part => sent(part).records),
    records.map(expectedOf)
  )
})

test('a record that does not fit leaves the batch as it was', () => {
  const batch = new BatchPool(1000).take()
  const fitting = plain(5, 150)
  assert.equal(appendAll(batch, fitting), 5)
  const { size, count, capacity } = batch
  const [large] = plain(1, 1000 - size)
  assert.equal(appendAll(batch, [large!]), 0)
  assert.deepEqual([batch.size, batch.count, batch.capacity], [size, count, capacity])
  assert.deepEqual(sent(batch).records, fitting.map(expectedOf))
})

test('a batch may be filled to its last byte', () => {
  const [record] = plain(1, 100)
  const probe = new BatchPool(roomy).take()
  appendAll(probe, [record!])
  const batch = new BatchPool(probe.size * 3 - 2 * batchHeaderBytes).take()
  assert.equal(appendAll(batch, [record!, record!, record!]), 3)
  assert.equal(batch.size, batch.capacity - batch.owners.length * 16)
  assert.equal(appendAll(batch, [record!]), 0)
})

test('a batch without records takes one of any size, and then no other', () => {
  const pool = new BatchPool(1000)
  const batch = pool.take()
  const records = plain(1, 300_000)
  assert.equal(appendAll(batch, records), 1)
  assert.equal(appendAll(batch, plain(1, 0)), 0)
  assert.deepEqual(sent(batch, lz4).records, records.map(expectedOf))
})

test('a sealed batch takes no more records', () => {
  const batch = new BatchPool(roomy).take()
  appendAll(batch, plain(2, 10))
  assert.equal(batch.isSealed, false)
  batch.seal(none)
  assert.equal(batch.isSealed, true)
  assert.equal(appendAll(batch, plain(1, 10)), 0)
  assert.equal(batch.count, 2)
})

test('a batch that compression does not make smaller is sent as it is, and says so', () => {
  const noiseBytes = crypto.getRandomValues(new Uint8Array(40_000))
  for (const codec of ['gzip', 'snappy', 'lz4'] as const) {
    const noise = new BatchPool(roomy).take()
    appendAll(noise, [{ ...plain(1, 0)[0]!, value: noiseBytes }])
    assert.equal(sent(noise, codecOf(codec)).codec, 'none', codec)
    assert.equal(noise.wireBytes, noise.size)

    const text = new BatchPool(roomy).take()
    appendAll(text, plain(100, 100))
    assert.equal(sent(text, codecOf(codec)).codec, codec)
    assert.equal(text.wireBytes < text.size / 4, true)
  }
})

test('a batch is stamped anew for another producer id, and sealed anew with another codec', () => {
  const batch = new BatchPool(roomy).take()
  const records = plain(50, 100)
  appendAll(batch, records)
  const first = sent(batch, lz4)
  batch.stamp(9_007_199_254_740_993n, 32_767, 0)
  const second = readBatch(Buffer.from(batch.wire))
  assert.deepEqual([first.producerId, first.epoch, first.baseSequence], [77n, 3, 1000])
  assert.deepEqual(
    [second.producerId, second.epoch, second.baseSequence],
    [9_007_199_254_740_993n, 32_767, 0]
  )
  for (const name of ['gzip', 'none', 'snappy'] as const) {
    const again = sent(batch, codecOf(name))
    assert.equal(again.codec, name)
    assert.deepEqual(again.records, records.map(expectedOf))
  }
})

test('the copies of two routes with one id do not mix', () => {
  const batch = new BatchPool(roomy).take()
  appendAll(batch, [{ ...plain(1, 3)[0]!, key: 'one' }], new TestRoutes())
  appendAll(batch, [{ ...plain(1, 3)[0]!, key: 'another' }], new TestRoutes())
  assert.deepEqual(
    sent(batch).records.map(({ key }) => key!.toString()),
    ['one', 'another']
  )
})

test('thousands of keys are kept apart', () => {
  const batch = new BatchPool(roomy).take()
  const records = Array.from({ length: 3000 }, (_, i) => ({ ...plain(1, 4)[0]!, key: `key ${i}` }))
  appendAll(batch, [...records, ...records])
  assert.deepEqual(sent(batch).records, [...records, ...records].map(expectedOf))
})
