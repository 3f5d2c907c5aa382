import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContinuityRig, chainedBooks, streamBooks, wholeBooks } from '../../../support/continuity-rig.ts'

/** A ticker of which the first connection brought one state, and the second is there to replace it. */
function tickers(): ContinuityRig {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  older(rig, '1', 1)
  rig.overlap()
  return rig
}

function older(rig: ContinuityRig, id: string, exchangeMs: number): string {
  return rig.send({ id, exchangeMs, connection: 1 })
}

function newer(rig: ContinuityRig, id: string, exchangeMs: number, isSnapshot = false): string {
  return rig.send({ id, exchangeMs, isSnapshot })
}

test('while two connections bring the same, the older one goes on, and the newer one continues where that ends', () => {
  const rig = tickers()
  assert.equal(newer(rig, '1', 1, true), 'waiting')
  older(rig, '2', 2)
  older(rig, '3', 3)
  for (const id of [2, 3, 4, 5]) newer(rig, String(id), id)
  older(rig, '4', 4)
  assert.deepEqual(rig.published, ['1', '2', '3', '4'])
  rig.endOlder()
  newer(rig, '6', 6)
  assert.deepEqual(rig.published, ['1', '2', '3', '4', '5', '6'])
  assert.deepEqual(rig.counts(), { published: 6, duplicate: 4 })
  assert.deepEqual(rig.gapEvents, [])
})

test('a newer connection that is behind the older one waits until it has brought what that brought last', () => {
  const rig = tickers()
  newer(rig, '1', 1, true)
  for (const id of [2, 3, 4]) older(rig, String(id), id)
  rig.endOlder()
  for (const id of [2, 3, 4, 5]) newer(rig, String(id), id)
  assert.deepEqual(rig.published, ['1', '2', '3', '4', '5'])
  assert.deepEqual(rig.counts(), { published: 5, duplicate: 4 })
})

test('a quiet older connection is not waited for', () => {
  const rig = tickers()
  rig.settleDown()
  rig.endOlder()
  assert.equal(newer(rig, '1', 1, true), 'duplicate')
  assert.equal(newer(rig, '2', 2), 'published')
})

test('a newer connection that never brings what the older one brought last is not waited for longer than half a second', () => {
  const rig = tickers()
  newer(rig, '1', 1, true)
  older(rig, '3', 3)
  rig.endOlder()
  assert.equal(newer(rig, '4', 4), 'waiting')
  rig.pass(1)
  assert.deepEqual(rig.published, ['1', '3', '4'])
  assert.equal(newer(rig, '5', 5), 'published')
})

test('an older connection that falls silent is left before it ends, and what it brings afterwards comes too late', () => {
  const rig = tickers()
  newer(rig, '2', 2)
  newer(rig, '3', 3)
  rig.pass(1)
  assert.deepEqual(rig.published, ['1'])
  rig.pass(1)
  assert.deepEqual(rig.published, ['1', '2', '3'])
  assert.equal(older(rig, '2', 2), 'superseded')
})

test('when the newer connection is lost first, the older one goes on as if nothing had been', () => {
  const rig = tickers()
  newer(rig, '2', 2)
  assert.equal(rig.endNewer(), true)
  assert.deepEqual([rig.track.connection, rig.track.connectionId], [1, 'connection-1'])
  older(rig, '2', 2)
  older(rig, '3', 3)
  assert.deepEqual(rig.published, ['1', '2', '3'])
  assert.deepEqual(rig.counts(), { published: 3, superseded: 1 })
})

test('when the newer connection is lost while it catches up, what it brought is published', () => {
  const rig = tickers()
  older(rig, '3', 3)
  rig.endOlder()
  newer(rig, '4', 4)
  assert.equal(rig.endNewer(), false)
  assert.deepEqual(rig.published, ['1', '3', '4'])
})

test('an older connection that breaks off leaves a gap, but where the newer one shows that nothing is missing', () => {
  const rig = tickers()
  older(rig, '2', 2)
  newer(rig, '2', 2)
  newer(rig, '3', 3)
  rig.endOlder(true)
  assert.deepEqual([rig.published, rig.gapEvents], [['1', '2', '3'], []])
  const other = tickers()
  other.settleDown()
  newer(other, '5', 5)
  other.endOlder(true)
  assert.deepEqual(
    other.gapLines().map(({ status, reason }) => [status, reason]),
    [
      ['open', 'disconnect'],
      ['closed', 'disconnect']
    ]
  )
})

test('everything ends: what still waits is decided', () => {
  const rig = tickers()
  newer(rig, '2', 2)
  rig.continuity.ended(rig.track)
  assert.deepEqual(rig.counts(), { published: 2 })
})

test('trades of both connections are told apart by their ids', () => {
  const rig = new ContinuityRig('trade', wholeBooks)
  rig.open()
  rig.send({ id: '1' })
  rig.overlap()
  for (const id of ['1', '2', '3']) rig.send({ id })
  rig.send({ id: '2', connection: 1 })
  rig.endOlder()
  rig.trades('4')
  assert.deepEqual(rig.published, ['1', '2', '3', '4'])
  assert.deepEqual(rig.counts(), { published: 4, duplicate: 2 })
})

for (const sequence of ['previous-equals-last', 'none'] as const) {
  test(`a book goes on over a hand-over without its second snapshot (${sequence})`, () => {
    const rig = new ContinuityRig('orderbook', streamBooks({ sequence }))
    const update = (last: number, connection?: number): string =>
      rig.send({
        previous: last - 1,
        last,
        exchangeMs: last,
        ...(connection === undefined ? {} : { connection })
      })
    rig.open()
    rig.snapshot(10)
    update(11)
    rig.overlap()
    rig.snapshot(11)
    update(12, 1)
    for (const last of [12, 13]) update(last)
    update(13, 1)
    update(14)
    rig.endOlder()
    update(15)
    assert.deepEqual(rig.published, ['snapshot:10', '10-11', '11-12', '12-13', '13-14', '14-15'])
    assert.deepEqual([rig.gapEvents.length, rig.resubscribesAsked], [0, 0])
    rig.pass(60)
    assert.equal(rig.resubscribesAsked, 0)
    assert.equal(update(16, 1), 'superseded')
  })
}

test('a book that is broken on the older connection goes on at once with the snapshot of the newer one', () => {
  const rig = new ContinuityRig('orderbook', streamBooks())
  rig.open()
  rig.snapshot(10)
  rig.overlap()
  rig.snapshot(12)
  rig.send({ previous: 12, last: 13, connection: 1 })
  assert.equal(rig.gapEvents.length, 1)
  rig.links([12, 13])
  assert.deepEqual(rig.published, ['snapshot:10', 'snapshot:12', '12-13'])
  assert.equal(rig.gapEvents.length, 2)
})

test('a book whose snapshots are fetched begins anew on the newer connection', () => {
  const rig = new ContinuityRig('orderbook', chainedBooks)
  rig.open()
  rig.snapshot(10)
  rig.overlap()
  assert.equal(rig.track.handOver, null)
  assert.equal(rig.snapshotsAsked, 2)
})

test('news of the newer connection is published where a state comes back and event times tell nothing', () => {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  let ms = 1_000
  // A venue that stamps a frame when it sends it: the times of the two connections are never the same.
  const sent = (id: string, connection: number): string =>
    rig.send({ id, exchangeMs: ms++ + connection * 10_000, connection })
  sent('100', 1)
  rig.overlap()
  sent('100', 2)
  sent('101', 1)
  sent('101', 2)
  for (const id of ['102', '103', '101']) sent(id, 2)
  rig.endOlder(true)
  sent('104', 2)
  assert.deepEqual(rig.published, ['100', '101', '102', '103', '101', '104'])
  assert.deepEqual(rig.gapEvents, [])
})

test('news of the newer connection is published where a level of a book without numbers comes back', () => {
  const rig = new ContinuityRig('orderbook', streamBooks({ sequence: 'none' }))
  rig.open()
  let ms = 1_000
  const sent = (price: string, size: string, connection: number, isSnapshot = false): string =>
    rig.send({ bids: [[price, size]], isSnapshot, exchangeMs: ms++ + connection * 10_000, connection })
  sent('100', '1', 1, true)
  rig.overlap()
  sent('100', '1', 2, true)
  sent('101', '0', 1)
  sent('101', '0', 2)
  sent('105', '3', 2)
  sent('101', '2', 2)
  sent('101', '0', 2)
  rig.endOlder(true)
  assert.deepEqual(rig.published, ['100', '101', '105', '101', '101'])
  assert.deepEqual(rig.gapEvents, [])
})

test('a state that the newer connection brought long before is not the one that the older one brings now', () => {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  rig.send({ id: '100', exchangeMs: null, connection: 1 })
  rig.overlap()
  for (const id of ['101', '102']) rig.send({ id, exchangeMs: null })
  rig.nowMs += 1_000
  rig.send({ id: '102', exchangeMs: null, connection: 1 })
  rig.endOlder(true)
  rig.pass(1)
  // It cannot be said where the two meet: twice, and declared, rather than not at all.
  assert.deepEqual(rig.published, ['100', '102', '101', '102'])
  assert.equal(rig.gapLines()[0]!.reason, 'disconnect')
})

test('trades of both connections are told apart however long both go on', () => {
  const rig = new ContinuityRig('trade', wholeBooks)
  rig.open()
  rig.overlap()
  for (let id = 1; id <= 60; id++) {
    rig.nowMs += 1_000
    rig.send({ id: String(id), connection: 1 })
    rig.send({ id: String(id) })
  }
  rig.endOlder()
  rig.trades('61')
  assert.deepEqual(rig.counts(), { published: 61, duplicate: 60 })
})

test('when a newer connection that has taken over is lost, the older one takes the symbol back, and a gap says so', () => {
  const rig = tickers()
  newer(rig, '2', 2)
  rig.pass(2)
  assert.equal(older(rig, '3', 3), 'superseded')
  assert.equal(rig.endNewer(), true)
  assert.equal(older(rig, '4', 4), 'published')
  assert.deepEqual(
    rig.gapLines().map(({ status, reason }) => [status, reason]),
    [
      ['open', 'disconnect'],
      ['closed', 'disconnect']
    ]
  )
})

test('a book whose snapshots are fetched goes on on the older connection when the newer one is lost', () => {
  const rig = new ContinuityRig('orderbook', chainedBooks)
  rig.open()
  rig.snapshot(10)
  rig.overlap()
  rig.deltas([12, 12])
  assert.equal(rig.endNewer(), true)
  assert.deepEqual([rig.track.connection, rig.track.isConnected], [1, true])
  assert.equal(rig.snapshotsAsked, 3, 'its updates were not taken meanwhile')
  rig.snapshot(13)
  rig.deltas([14, 14])
  assert.deepEqual(rig.published, ['snapshot:10', 'snapshot:13', '14-14'])
  assert.equal(rig.gapLines().at(-1)!.status, 'closed')
})

test('records that wait for the end of the older connection are bounded, and that is counted', () => {
  const rig = tickers()
  for (let id = 2; id < 20_000 && rig.published.length === 1; id++) newer(rig, String(id), id)
  assert.ok(rig.published.length > 1_000 && rig.published.length < 10_000, String(rig.published.length))
  assert.equal(rig.counts()['waiting'], undefined)
  assert.equal(rig.continuity.limitHits.handOverBytes, 1)
})
