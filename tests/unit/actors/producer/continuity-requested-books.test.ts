import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContinuityRig, streamBooks } from '../../../support/continuity-rig.ts'

function opened(): ContinuityRig {
  const rig = new ContinuityRig(
    'orderbook',
    streamBooks({ snapshot: { from: 'request', frame: native => native } })
  )
  rig.open()
  return rig
}

test('a book whose snapshot is asked for on the socket asks once, and its updates wait', () => {
  const rig = opened()
  rig.links([5, 10], [10, 15], [15, 20])
  assert.equal(rig.snapshotsAsked, 1)
  rig.snapshot(10)
  rig.links([20, 25])
  assert.deepEqual(rig.published, ['snapshot:10', '10-15', '15-20', '20-25'])
  assert.deepEqual(rig.counts(), { superseded: 1, published: 4 })
})

test('a snapshot between two updates fits the one that begins before it and ends behind it', () => {
  const rig = opened()
  rig.links([5, 10], [10, 15])
  rig.snapshot(12)
  assert.deepEqual(rig.published, ['snapshot:12', '10-15'])
})

test('a snapshot from before the first waiting update is too old, and another is asked for', () => {
  const rig = opened()
  rig.links([10, 15])
  rig.snapshot(5)
  assert.deepEqual([rig.snapshotsAsked, rig.published], [2, []])
  rig.snapshot(15)
  assert.deepEqual(rig.published, ['snapshot:15'])
})

test('an update that does not name the last one opens a gap and asks for one snapshot', () => {
  const rig = opened()
  rig.snapshot(10)
  rig.links([10, 15], [16, 20], [20, 25])
  assert.deepEqual([rig.snapshotsAsked, rig.resubscribesAsked], [2, 0])
  rig.snapshot(20)
  assert.deepEqual(rig.published.slice(2), ['snapshot:20', '20-25'])
  assert.deepEqual(
    rig.gapLines().map(({ status, reason }) => [status, reason]),
    [
      ['open', 'sequence'],
      ['closed', 'sequence']
    ]
  )
})

test('a snapshot that does not come within 10 s is asked for again, and counted with each request', () => {
  const rig = opened()
  rig.links([5, 10])
  rig.pass(9)
  assert.deepEqual(rig.requests, [1])
  rig.pass(1)
  assert.deepEqual(rig.requests, [1, 2])
  rig.pass(10)
  assert.deepEqual(rig.requests, [1, 2, 3])
  rig.snapshot(10)
  rig.pass(60)
  assert.deepEqual(rig.requests, [1, 2, 3])
  rig.links([11, 12])
  assert.deepEqual(rig.requests, [1, 2, 3, 1], 'the next one is another')
})

test('a lost connection asks for nothing, and the new one begins anew', () => {
  const rig = opened()
  rig.lose()
  rig.pass(60)
  assert.deepEqual(rig.requests, [1])
  rig.open()
  assert.deepEqual(rig.requests, [1, 1])
})

test('a new connection takes over when it is confirmed, and asks for a snapshot of its own', () => {
  const rig = opened()
  rig.snapshot(10)
  rig.links([10, 15])
  rig.carry()
  rig.send({ previous: 15, last: 20, connection: 1 })
  rig.confirm()
  assert.equal(rig.send({ previous: 20, last: 25, connection: 1 }), 'superseded')
  rig.links([20, 25], [25, 30])
  rig.snapshot(25)
  assert.deepEqual(rig.published.slice(2), ['15-20', 'snapshot:25', '25-30'])
  assert.deepEqual(rig.gapEvents, [])
})
