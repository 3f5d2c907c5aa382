import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchPool } from '../../../../../actors/producer/kafka/batch-pool.ts'
import { appendAll, type GivenRecord } from '../../../../support/kafka-batches.ts'

const kib = 1024
/** What a batch knows of its first records beside their bytes. */
const rowsBytes = 64 * 16

function records(count: number, valueBytes: number): GivenRecord[] {
  const value = new Uint8Array(valueBytes)
  const receivedMicros = 1_790_000_000_000_000
  return Array.from({ length: count }, () => ({ key: 'k', value, headers: [], receivedMicros, owner: 0 }))
}

test('a batch begins with 16 KiB and doubles up to its bound', () => {
  const pool = new BatchPool(100 * kib)
  const batch = pool.take()
  const sizes = new Set<number>()
  while (appendAll(batch, records(1, 2000)) === 1) sizes.add(batch.capacity - rowsBytes)
  assert.deepEqual(
    [...sizes],
    [16, 32, 64, 100].map(size => size * kib)
  )
  assert.equal(pool.bytesInUse, batch.capacity)
})

test('a batch that is expected to become large begins so, and a bound below 16 KiB holds', () => {
  const pool = new BatchPool(100 * kib)
  const buffers = [0, 16 * kib, 16 * kib + 1, 60_000, 100 * kib, 900 * kib].map(
    minBytes => pool.take(minBytes).capacity - rowsBytes
  )
  assert.deepEqual(
    buffers,
    [16, 16, 32, 64, 100, 100].map(size => size * kib)
  )
  assert.equal(new BatchPool(5000).take().capacity - rowsBytes, 5000)
})

test('what batches outgrow and what is released is used again', () => {
  const pool = new BatchPool(64 * kib)
  const batch = pool.take()
  appendAll(batch, records(25, 2000))
  const { bytes } = pool
  assert.equal(bytes, (16 + 32 + 64) * kib + rowsBytes)
  pool.release(batch)
  assert.deepEqual([pool.bytesInUse, pool.bytes], [0, bytes])

  const again = pool.take(64 * kib)
  assert.equal(again, batch)
  assert.deepEqual([again.count, again.size, again.isSealed], [0, 61, false])
  const other = pool.take()
  assert.equal(pool.bytes, bytes + rowsBytes)
  assert.equal(pool.bytesInUse, again.capacity + other.capacity)
})

test('what the pool says it holds is what its batches hold, through growing, splitting and releasing', () => {
  const pool = new BatchPool(128 * kib, 256 * kib)
  const batches = [3, 2000, 40, 700].map(count => {
    const batch = pool.take()
    appendAll(batch, records(count, 60))
    return batch
  })
  const sum = (): number => batches.reduce((total, { capacity }) => total + capacity, 0)
  assert.equal(pool.bytesInUse, sum())
  batches.push(...batches.splice(1, 1)[0]!.split(pool))
  assert.equal(pool.bytesInUse, sum())
  for (const batch of batches.splice(0)) pool.release(batch)
  assert.equal(pool.bytesInUse, 0)
})

test('no more than the bound is kept for reuse, and nothing of a record larger than a batch', () => {
  const pool = new BatchPool(64 * kib, 200 * kib)
  const batches = Array.from({ length: 10 }, () => pool.take(64 * kib))
  assert.equal(pool.bytes, 10 * (64 * kib + rowsBytes))
  for (const batch of batches) pool.release(batch)
  assert.equal(pool.bytes, 3 * 64 * kib + 8 * rowsBytes)

  const fresh = new BatchPool(64 * kib)
  const oversized = fresh.take()
  appendAll(oversized, records(1, 500_000))
  assert.equal(fresh.bytesInUse > 500_000, true)
  fresh.release(oversized)
  assert.equal(fresh.bytes, 16 * kib + rowsBytes)
})

test('a batch that is released twice, or used after its release, is a mistake that is told', () => {
  const pool = new BatchPool(64 * kib)
  const batch = pool.take()
  pool.release(batch)
  assert.throws(() => pool.release(batch), RangeError)
  assert.throws(() => appendAll(batch, records(1, 1)), RangeError)
})
