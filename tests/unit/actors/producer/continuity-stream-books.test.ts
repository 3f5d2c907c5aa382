import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BookChecksum, type BookLevel } from '../../../../src/exchange-kit/adapter.ts'
import { ContinuityRig, streamBooks } from '../../../support/continuity-rig.ts'

/** A checksum that any change of the two best levels of a side shows. */
const digitSum: BookChecksum = {
  levels: 2,
  sum: (bids, asks) =>
    [...bids, ...asks].reduce(
      (sum, { price, size }, at) => (sum * 31 + Number(price) * 7 + Number(size) + at) | 0,
      0
    )
}
const bidsOf = (...levels: readonly (readonly [string, string])[]): BookLevel[] =>
  levels.map(([price, size]) => ({ price, size }))

function opened(change: Parameters<typeof streamBooks>[0] = {}): ContinuityRig {
  const rig = new ContinuityRig('orderbook', streamBooks(change))
  rig.open()
  return rig
}

/** A book in sync at 12. */
function synced(change: Parameters<typeof streamBooks>[0] = {}): ContinuityRig {
  const rig = opened(change)
  rig.snapshot(10)
  rig.links([10, 12])
  return rig
}

function gapsOf(rig: ContinuityRig): (readonly [string, string, number | null, number | null])[] {
  return rig.gapLines().map(({ status, reason, frames }) => [status, reason, ...frames] as const)
}

test('what comes before the snapshot is superseded, and nothing is asked for: the venue owes it', () => {
  const rig = opened()
  rig.links([5, 7], [7, 9])
  rig.snapshot(10)
  rig.links([10, 12], [12, 13])
  assert.deepEqual(rig.published, ['snapshot:10', '10-12', '12-13'])
  assert.deepEqual(rig.counts(), { superseded: 2, published: 3 })
  assert.deepEqual([rig.snapshotsAsked, rig.resubscribesAsked, rig.gapEvents.length], [0, 0, 0])
})

test('a missing update has the symbol alone subscribed anew; its gap closes at the snapshot that brings', () => {
  const rig = synced()
  rig.links([13, 14], [14, 15])
  assert.equal(rig.resubscribesAsked, 1)
  rig.snapshot(20)
  rig.links([20, 21])
  assert.deepEqual(rig.published.slice(2), ['snapshot:20', '20-21'])
  assert.deepEqual(rig.counts(), { published: 4, superseded: 2 })
  assert.deepEqual(gapsOf(rig), [
    ['open', 'sequence', 2, null],
    ['closed', 'sequence', 2, 5]
  ])
})

test('an update that says that nothing has changed is a duplicate', () => {
  const rig = synced()
  assert.equal(rig.send({ previous: 12, last: 12 }), 'duplicate')
  rig.links([12, 14])
  assert.deepEqual(rig.published.at(-1), '12-14')
  assert.deepEqual(rig.gapEvents, [])
})

test('a counter that the venue has set back goes on where the update names the one before', () => {
  const rig = synced()
  rig.links([12, 3], [3, 4])
  assert.deepEqual(rig.published.slice(2), ['12-3', '3-4'])
  assert.deepEqual(rig.gapEvents, [])
})

test('a snapshot out of turn replaces the book, at any time', () => {
  const rig = synced()
  rig.snapshot(4)
  rig.links([4, 5])
  assert.deepEqual(rig.published.slice(2), ['snapshot:4', '4-5'])
  assert.deepEqual([rig.gapEvents.length, rig.resubscribesAsked], [0, 0])
})

test('where sequences only grow, a lower one breaks the book', () => {
  const rig = opened({ sequence: 'increasing' })
  rig.snapshot(10)
  for (const last of [15, 40]) rig.send({ last })
  assert.equal(rig.send({ last: 39 }), 'superseded')
  assert.equal(rig.resubscribesAsked, 1)
  rig.snapshot(1)
  assert.equal(rig.send({ last: 2 }), 'published')
  assert.deepEqual(gapsOf(rig), [
    ['open', 'sequence', 3, null],
    ['closed', 'sequence', 3, 5]
  ])
})

test('a promised snapshot that does not come within 10 s is asked for again, later and later', () => {
  const rig = opened()
  rig.pass(9)
  assert.equal(rig.resubscribesAsked, 0)
  rig.pass(1)
  assert.equal(rig.resubscribesAsked, 1)
  rig.pass(9)
  assert.equal(rig.resubscribesAsked, 1)
  rig.pass(1)
  assert.equal(rig.resubscribesAsked, 2)
  rig.pass(3600)
  assert.ok(
    rig.resubscribesAsked > 10 && rig.resubscribesAsked < 25,
    `${String(rig.resubscribesAsked)} in an hour`
  )
  assert.deepEqual(rig.gapEvents, [], 'nothing was published before')
  rig.snapshot(10)
  const { resubscribesAsked } = rig
  rig.pass(3600)
  assert.equal(rig.resubscribesAsked, resubscribesAsked)
})

test('a promised snapshot that is missing after a reconnect keeps the gap open', () => {
  const rig = synced()
  rig.reopen()
  rig.pass(10)
  assert.deepEqual([rig.resubscribesAsked, gapsOf(rig)], [1, [['open', 'disconnect', 2, null]]])
  rig.snapshot(20)
  assert.deepEqual(gapsOf(rig)[1], ['closed', 'disconnect', 2, 1])
})

test('the snapshot may come before the confirmation of its subscription', () => {
  const rig = new ContinuityRig('orderbook', streamBooks())
  rig.carry()
  rig.snapshot(10)
  rig.confirm()
  rig.links([10, 12])
  rig.pass(60)
  assert.deepEqual(rig.published, ['snapshot:10', '10-12'])
  assert.equal(rig.resubscribesAsked, 0)
})

test('a book that breaks again right after each snapshot is subscribed anew later and later', () => {
  const rig = synced()
  for (let second = 0; second < 600; second++) {
    const asked = rig.resubscribesAsked
    rig.links([1, 2])
    rig.pass(1)
    if (rig.resubscribesAsked > asked) rig.snapshot(10)
  }
  assert.ok(
    rig.resubscribesAsked >= 8 && rig.resubscribesAsked <= 12,
    `${rig.resubscribesAsked} in 10 minutes`
  )
})

test('losses that have nothing to do with the book have it subscribed anew at once, however often', () => {
  const rig = opened({ sequence: 'none' })
  for (let times = 1; times <= 20; times++) {
    rig.send({ isSnapshot: true, id: '1' })
    rig.continuity.frameLost(rig.track, 1, true, rig.nowMs * 1000)
    assert.equal(rig.resubscribesAsked, times)
  }
})

test('an update that is missing after many others was lost, and does not slow the next recovery', () => {
  const rig = opened()
  for (let times = 1; times <= 20; times++) {
    rig.snapshot(10)
    for (let last = 11; last <= 60; last++) rig.links([last - 1, last])
    rig.links([1, 2])
    assert.equal(rig.resubscribesAsked, times)
  }
})

test('a book that was in sync for a while is subscribed anew at once', () => {
  const rig = synced()
  for (let times = 1; times <= 20; times++) {
    rig.pass(6)
    rig.links([1, 2])
    assert.equal(rig.resubscribesAsked, times)
    rig.snapshot(10)
  }
})

test('a new connection takes over with its snapshot, and what the old one still brings is superseded', () => {
  const rig = opened({ sequence: 'none' })
  const old = { connection: 1 }
  rig.send({ isSnapshot: true, id: '1' })
  rig.send({ id: '2' })
  rig.carry()
  rig.send({ id: '3', ...old })
  rig.confirm()
  rig.send({ id: '4', ...old })
  assert.equal(rig.send({ id: '5' }), 'superseded', 'an update of the new one before its snapshot')
  rig.send({ id: '6', isSnapshot: true })
  assert.equal(rig.send({ id: '7', ...old }), 'superseded')
  assert.equal(rig.send({ id: '8', isSnapshot: true, ...old }), 'superseded')
  rig.send({ id: '9' })
  assert.deepEqual(rig.published, ['1', '2', '3', '4', '6', '9'])
  assert.deepEqual([rig.gapEvents.length, rig.resubscribesAsked], [0, 0])
})

test('when the new connection brings no snapshot it is asked for one, and the old data end in a gap', () => {
  const rig = opened({ sequence: 'none' })
  rig.send({ isSnapshot: true, id: '1' })
  rig.carry()
  rig.confirm()
  rig.pass(9)
  rig.send({ id: '2', connection: 1 })
  rig.pass(1)
  assert.deepEqual([rig.published, rig.resubscribesAsked], [['1', '2'], 1])
  assert.deepEqual(gapsOf(rig), [['open', 'stale', 2, null]])
})

test('an undecodable frame breaks a book whose next update would not tell, and only that', () => {
  const cases = [
    { sequence: 'none', breaks: true },
    { sequence: 'increasing', breaks: true },
    { sequence: 'previous-equals-last', breaks: false },
    { sequence: 'first-follows-last', breaks: false }
  ] as const
  for (const { sequence, breaks } of cases) {
    for (const isOurs of [true, false]) {
      const rig = opened({ sequence })
      rig.snapshot(10)
      rig.continuity.frameLost(rig.track, 1, isOurs, rig.nowMs * 1000)
      assert.equal(rig.resubscribesAsked, breaks ? 1 : 0, sequence)
      assert.deepEqual(gapsOf(rig), breaks ? [['open', 'decode', 1, null]] : [])
    }
  }
})

test('an undecodable frame of a book that waits for its snapshot was probably that: another is asked for', () => {
  const rig = opened()
  rig.continuity.frameLost(rig.track, 1, false, rig.nowMs * 1000)
  assert.equal(rig.resubscribesAsked, 0, 'it may have been any other')
  rig.continuity.frameLost(rig.track, 1, true, rig.nowMs * 1000)
  assert.equal(rig.resubscribesAsked, 1)
  rig.continuity.frameLost(rig.track, 1, true, rig.nowMs * 1000)
  assert.equal(rig.resubscribesAsked, 1, 'not twice at once')
})

test('an undecodable frame of an older connection is no concern of the book', () => {
  const rig = opened({ sequence: 'none' })
  rig.send({ isSnapshot: true, id: '1' })
  rig.open()
  rig.send({ isSnapshot: true, id: '2' })
  rig.continuity.frameLost(rig.track, 1, true, rig.nowMs * 1000)
  assert.deepEqual([rig.resubscribesAsked, rig.gapEvents.length], [0, 0])
})

test('a book that is crossed after an update has lost one: it is declared since the snapshot', () => {
  const rig = opened({ sequence: 'none', check: 'crossed' })
  rig.send({ isSnapshot: true, bids: [['10', '1']], asks: [['12', '1']] })
  rig.send({ bids: [['11', '2']] })
  assert.equal(rig.send({ bids: [['12.0', '1']] }), 'superseded')
  assert.equal(rig.resubscribesAsked, 1)
  assert.equal(rig.send({ bids: [['9', '1']] }), 'superseded')
  rig.send({ isSnapshot: true, bids: [['12', '1']], asks: [['13', '1']] })
  assert.deepEqual(gapsOf(rig), [
    ['open', 'checksum', 1, null],
    ['closed', 'checksum', 1, 5]
  ])
  assert.deepEqual(rig.counts(), { published: 3, superseded: 2 })
})

test('an update that moves both sides at once does not cross the book on the way', () => {
  const rig = opened({ sequence: 'none', check: 'crossed' })
  rig.send({ isSnapshot: true, bids: [['10', '1']], asks: [['12', '1']] })
  rig.send({
    bids: [['13', '1']],
    asks: [
      ['12', '0'],
      ['14', '1']
    ]
  })
  assert.equal(rig.counts()['published'], 2)
})

test('a crossed snapshot is published as it is, and leads to another no more than once a minute', () => {
  const rig = opened({ sequence: 'none', check: 'crossed' })
  const crossed = () => rig.send({ isSnapshot: true, bids: [['12', '1']], asks: [['12', '1']] })
  assert.equal(crossed(), 'published')
  assert.equal(rig.send({ bids: [['11', '1']] }), 'published', 'what follows is of the same book')
  for (let second = 0; second < 59; second++) {
    rig.pass(1)
    crossed()
  }
  assert.equal(rig.resubscribesAsked, 1)
  rig.pass(1)
  crossed()
  assert.equal(rig.resubscribesAsked, 2)
  assert.deepEqual(rig.gapEvents, [])
  rig.send({
    asks: [
      ['12', '0'],
      ['13', '1']
    ]
  })
  assert.equal(rig.send({ asks: [['11', '1']] }), 'superseded', 'once uncrossed it counts again')
})

test('an update after which the book has another checksum than the venue is not published', () => {
  const rig = opened({ sequence: 'none', check: digitSum, depth: 3 })
  const [first, second] = [bidsOf(['10', '1'], ['9', '2']), bidsOf(['10', '5'], ['9', '2'])]
  const levels = [
    ['10', '1'],
    ['9', '2'],
    ['8', '4']
  ] as const
  assert.equal(rig.send({ isSnapshot: true, bids: levels, checksum: digitSum.sum(first, []) }), 'published')
  assert.equal(rig.send({ bids: [['10', '5']], checksum: digitSum.sum(second, []) }), 'published')
  assert.equal(
    rig.send({ bids: [['8', '0']] }),
    'published',
    'without a checksum there is nothing to compare'
  )
  assert.equal(rig.send({ bids: [['9', '3']], checksum: digitSum.sum(second, []) }), 'superseded')
  assert.equal(rig.resubscribesAsked, 1)
  assert.deepEqual(gapsOf(rig), [['open', 'checksum', 2, null]], 'the record without a checksum is in doubt')
})

test('a snapshot with another checksum than its own levels is not published, and comes again by itself', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  assert.equal(rig.send({ isSnapshot: true, bids: [['10', '1']], checksum: 5 }), 'superseded')
  assert.equal(rig.resubscribesAsked, 1)
  const sum = digitSum.sum(bidsOf(['10', '1']), [])
  assert.equal(rig.send({ isSnapshot: true, bids: [['10', '1']], checksum: sum }), 'published')
  assert.deepEqual(rig.reports, [])
})

test('a venue whose snapshots contradict their own checksums is published unchecked, and people are told once', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  const wrong = (): string => rig.send({ isSnapshot: true, bids: [['10', '1']], checksum: 5 })
  assert.deepEqual([wrong(), wrong(), wrong()], ['superseded', 'superseded', 'published'])
  assert.equal(rig.send({ bids: [['9', '3']], checksum: 6 }), 'published')
  assert.equal(wrong(), 'published')
  assert.deepEqual(gapsOf(rig), [
    ['open', 'checksum', 0, null],
    ['closed', 'checksum', 0, 3]
  ])
  assert.equal(rig.reports.length, 1)
  assert.match(rig.reports[0]!, /BTC-USDT.*unchecked/)
  assert.equal(rig.continuity.limitHits.wrongBookSnapshots, 1)
  const asked = rig.resubscribesAsked
  rig.pass(600)
  assert.equal(rig.resubscribesAsked, asked)
})

test('a book that was published unchecked is checked again from the first snapshot that is right', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  for (let times = 0; times < 4; times++) rig.send({ isSnapshot: true, bids: [['10', '1']], checksum: 5 })
  const sum = digitSum.sum(bidsOf(['10', '1']), [])
  assert.equal(rig.send({ isSnapshot: true, bids: [['10', '1']], checksum: sum }), 'published')
  assert.equal(rig.send({ bids: [['9', '3']], checksum: 6 }), 'superseded')
  assert.equal(rig.gapLines().at(-1)!.status, 'open')
})

test('checksums in frames of their own that contradict every snapshot are given up as well', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  const wrong = (): void => rig.continuity.checksum(rig.track, 1, 5, rig.nowMs * 1000)
  for (let times = 0; times < 3; times++) {
    assert.equal(rig.reports.length, 0)
    rig.send({ isSnapshot: true, bids: [['10', '1']] })
    wrong()
  }
  assert.equal(rig.reports.length, 1)
  const asked = rig.resubscribesAsked
  assert.equal(rig.send({ bids: [['9', '3']] }), 'published')
  wrong()
  assert.equal(rig.resubscribesAsked, asked)
  assert.equal(rig.gapLines().at(-1)!.status, 'closed')
})

test('where updates came between a snapshot and its checksum some may have been lost, so it takes longer to give up', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  for (let times = 0; times < 6; times++) {
    assert.equal(rig.reports.length, 0)
    rig.send({ isSnapshot: true, bids: [['10', '1']] })
    rig.send({ bids: [['9', '3']] })
    rig.continuity.checksum(rig.track, 1, 5, rig.nowMs * 1000)
  }
  assert.equal(rig.reports.length, 1)
})

test('a checksum in a frame of its own proves the book right so far, or wrong since the last one', () => {
  const rig = opened({ sequence: 'none', check: digitSum })
  const check = (sum: number): void => rig.continuity.checksum(rig.track, 1, sum, rig.nowMs * 1000)
  check(1)
  assert.equal(rig.resubscribesAsked, 0, 'there is no book yet')
  rig.send({ isSnapshot: true, bids: [['10', '1']] })
  rig.send({ bids: [['9', '2']] })
  check(digitSum.sum(bidsOf(['10', '1'], ['9', '2']), []))
  rig.send({ bids: [['9', '3']] })
  rig.send({ bids: [['9', '4']] })
  check(digitSum.sum(bidsOf(['10', '7'], ['9', '4']), []))
  assert.equal(rig.resubscribesAsked, 1)
  assert.deepEqual(gapsOf(rig), [['open', 'checksum', 2, null]])
  check(1)
  assert.equal(rig.resubscribesAsked, 1, 'a book that is out of sync has no checksum')
})

test('levels beyond the depth of the venue are forgotten, as the venue does', () => {
  const rig = opened({ sequence: 'none', check: digitSum, depth: 2 })
  rig.send({
    isSnapshot: true,
    bids: [
      ['10', '1'],
      ['9', '1']
    ]
  })
  rig.send({ bids: [['11', '1']] })
  // 9 has been pushed out: when 11 goes, 10 stands alone.
  assert.equal(
    rig.send({ bids: [['11', '0']], checksum: digitSum.sum(bidsOf(['10', '1']), []) }),
    'published'
  )
})

test('a book that is subscribed anew because it is silent waits for its next snapshot', () => {
  const rig = synced()
  rig.continuity.healed(rig.track, rig.nowMs * 1000)
  assert.equal(rig.send({ previous: 12, last: 14 }), 'superseded')
  rig.snapshot(20)
  assert.equal(rig.published.at(-1), 'snapshot:20')
})
