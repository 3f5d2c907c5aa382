import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Accumulator } from '../../../../../actors/producer/kafka/accumulator.ts'
import { paceOf } from '../../../../../actors/producer/kafka/pacing.ts'
import { type Partition } from '../../../../../actors/producer/kafka/partition.ts'
import { type Route } from '../../../../../actors/producer/sinks/record-sink.ts'
import { testTuning } from '../../../../support/kafka-writer.ts'
import { Settlements } from '../../../../support/settlements.ts'

const nobody = {
  learned: () => undefined,
  opened: () => undefined,
  filled: () => undefined,
  emptied: () => undefined
}
const lazy = { lastSentMs: -1e9, lingerMs: 50, lingerMinMs: 5, isDraining: false, isShort: false }

/** Partitions with one open batch each, whose first records came at the times given. */
function waiting(...createdMs: readonly number[]): { accumulator: Accumulator; partitions: Partition[] } {
  const accumulator = new Accumulator(testTuning, new Settlements(), nobody)
  for (const id of createdMs.keys()) {
    const route: Route = { id, topic: 't', partition: id, key: 'k', keyBytes: Buffer.from('k') }
    accumulator.append(route, Buffer.from('value'), 0, 5, 1e15, id)
  }
  const { partitions } = accumulator
  for (const [i, ms] of createdMs.entries()) partitions[i]!.open!.createdMs = ms
  return { accumulator, partitions }
}

suite('when a broker is sent to', () => {
  test('never without something that waits', () => {
    assert.equal(paceOf([], lazy, 0).dueMs, Number.POSITIVE_INFINITY)
    const { partitions } = waiting(100)
    partitions[0]!.isInFlight = true
    assert.equal(paceOf(partitions, lazy, 100).dueMs, Number.POSITIVE_INFINITY)
  })

  test('an idle one, after the shortest linger of the first record', () => {
    const { partitions } = waiting(100, 103)
    assert.deepEqual(paceOf(partitions, lazy, 103), { dueMs: 105, reason: 'idle' })
  })

  test('one with a stream, once per linger', () => {
    const { partitions } = waiting(100, 103)
    assert.deepEqual(paceOf(partitions, { ...lazy, lastSentMs: 90 }, 103), { dueMs: 140, reason: 'linger' })
  })

  test('at once when a batch is full, memory is short, or all is to go', () => {
    const { accumulator, partitions } = waiting(100, 100)
    const streaming = { ...lazy, lastSentMs: 99 }
    assert.deepEqual(paceOf(partitions, { ...streaming, isShort: true }, 101), {
      dueMs: 101,
      reason: 'memory'
    })
    assert.deepEqual(paceOf(partitions, { ...streaming, isDraining: true }, 101), {
      dueMs: 101,
      reason: 'drain'
    })
    accumulator.closeOpen(partitions[1]!, 'full')
    assert.deepEqual(paceOf(partitions, streaming, 101), { dueMs: 101, reason: 'linger' })
  })

  test('not before a failed attempt has had its pause', () => {
    const { partitions } = waiting(100, 200)
    partitions[0]!.notBeforeMs = 500
    assert.equal(paceOf(partitions, lazy, 200).dueMs, 205)
    partitions[1]!.isInFlight = true
    assert.equal(paceOf(partitions, lazy, 200).dueMs, 500)
    assert.equal(paceOf(partitions, { ...lazy, isDraining: true }, 200).dueMs, 500)
    assert.equal(paceOf(partitions, lazy, 500).dueMs, 105)
  })
})
