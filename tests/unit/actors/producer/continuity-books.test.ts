import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContinuityRig, chainedBooks } from '../../../support/continuity-rig.ts'

function opened(pendingBytes = 65536): ContinuityRig {
  const rig = new ContinuityRig('orderbook', chainedBooks, { pendingBytes })
  rig.open()
  return rig
}

/** A book in sync at 105. */
function synced(): ContinuityRig {
  const rig = opened()
  rig.snapshot(100)
  rig.deltas([101, 105])
  return rig
}

test('a confirmed book asks for one snapshot, and its deltas wait for it', () => {
  const rig = opened()
  rig.deltas([100, 101], [102, 104], [105, 105])
  assert.equal(rig.snapshotsAsked, 1)
  assert.deepEqual(rig.published, [])
  assert.deepEqual(rig.counts(), { waiting: 3 })
})

test('when the snapshot comes, what it covers is superseded, the first rest may overlap it, and the others follow', () => {
  const rig = opened()
  rig.deltas([90, 95], [96, 100], [98, 103], [104, 104])
  rig.snapshot(101)
  rig.deltas([105, 106])
  assert.deepEqual(rig.published, ['snapshot:101', '98-103', '104-104', '105-106'])
  assert.deepEqual(rig.counts(), { published: 4, superseded: 2 })
  assert.deepEqual(rig.gapEvents, [])
  assert.equal(rig.snapshotsAsked, 1)
})

test('deltas that the snapshot covers are superseded also when they come after it', () => {
  const rig = opened()
  rig.snapshot(100)
  rig.deltas([95, 98], [99, 100], [101, 102])
  assert.deepEqual(rig.published, ['snapshot:100', '101-102'])
  assert.equal(rig.counts()['superseded'], 2)
})

test('once the book runs, a delta that comes again is a duplicate', () => {
  const rig = synced()
  assert.equal(rig.send({ first: 101, last: 105 }), 'duplicate')
  assert.deepEqual(rig.gapEvents, [])
})

test('a missing delta opens one gap and asks for exactly one snapshot; the gap closes at that snapshot', () => {
  const rig = synced()
  rig.deltas([107, 108], [109, 110], [112, 113])
  assert.equal(rig.snapshotsAsked, 2)
  assert.deepEqual(rig.published, ['snapshot:100', '101-105'])
  assert.equal(rig.gapEvents.length, 1)
  rig.snapshot(113)
  rig.deltas([114, 115])
  assert.deepEqual(rig.published.slice(2), ['snapshot:113', '114-115'])
  const closed = { id: '1', status: 'closed', reason: 'sequence', frames: [2, 6], sequences: ['105', '113'] }
  assert.deepEqual(rig.gapLines(), [
    { ...closed, status: 'open', frames: [2, null], sequences: ['105', null], missed: null, shed: null },
    { ...closed, missed: null, shed: null }
  ])
  assert.deepEqual(rig.counts(), { published: 4, superseded: 3 })
  assert.equal(rig.snapshotsAsked, 2)
})

test('the delta that showed the break is published when the snapshot leaves it uncovered', () => {
  const rig = synced()
  rig.deltas([107, 108], [109, 110])
  rig.snapshot(107)
  assert.deepEqual(rig.published.slice(2), ['snapshot:107', '107-108', '109-110'])
})

test('updates that still wait for their snapshot when everything ends are a declared loss', () => {
  const rig = opened()
  rig.deltas([100, 101], [102, 104])
  rig.continuity.ended(rig.track)
  assert.deepEqual(rig.counts(), { superseded: 2 })
  const open = { id: '1', status: 'open', reason: 'disconnect', frames: [0, null], sequences: [null, null] }
  assert.deepEqual(rig.gapLines(), [{ ...open, missed: null, shed: null }])
})

test('a book in sync ends without a gap', () => {
  const rig = synced()
  rig.continuity.ended(rig.track)
  assert.deepEqual(rig.gapEvents, [])
})

test('a snapshot older than the waiting deltas is superseded, and another is asked for', () => {
  const rig = opened()
  rig.deltas([100, 101])
  rig.snapshot(50)
  assert.deepEqual([rig.published, rig.snapshotsAsked], [[], 2])
  rig.snapshot(98)
  assert.deepEqual([rig.published, rig.snapshotsAsked], [[], 3])
  rig.snapshot(99)
  assert.deepEqual([rig.published, rig.snapshotsAsked], [['snapshot:99', '100-101'], 3])
  assert.deepEqual(rig.counts(), { published: 2, superseded: 2 })
})

test('a snapshot that nobody needs any more is superseded and changes nothing', () => {
  const rig = synced()
  assert.equal(rig.send({ last: 103, isSnapshot: true }), 'superseded')
  rig.deltas([106, 107])
  assert.equal(rig.published.at(-1), '106-107')
  assert.deepEqual([rig.snapshotsAsked, rig.gapEvents.length], [1, 0])
})

test('a hole among the waiting deltas opens a gap behind the last delta before it, and the rest waits for another snapshot', () => {
  const rig = opened()
  rig.deltas([100, 101], [102, 103], [106, 107], [108, 109])
  rig.snapshot(99)
  assert.deepEqual(rig.published, ['snapshot:99', '100-101', '102-103'])
  assert.equal(rig.snapshotsAsked, 2)
  assert.deepEqual(rig.counts(), { published: 3, waiting: 2 })
  rig.snapshot(106)
  assert.deepEqual(rig.published.slice(3), ['snapshot:106', '106-107', '108-109'])
  assert.deepEqual(
    rig.gapLines().map(({ status, frames, sequences }) => [status, frames, sequences]),
    [
      ['open', [2, null], ['103', null]],
      ['closed', [2, 6], ['103', '106']]
    ]
  )
})

test('beyond the byte limit the oldest waiting deltas are superseded, and an older snapshot no longer fits', () => {
  const rig = opened(400)
  rig.deltas(...Array.from({ length: 20 }, (_, i) => [100 + i, 100 + i] as const))
  const { waiting, superseded } = rig.counts()
  assert.ok(waiting! > 0 && superseded! > 0)
  assert.equal(waiting! + superseded!, 20)
  rig.snapshot(99)
  assert.deepEqual([rig.published, rig.snapshotsAsked], [[], 2])
  rig.snapshot(100 + superseded! - 1)
  assert.equal(rig.published.length, 1 + waiting!)
  assert.deepEqual(rig.gapEvents, [])
})

test('a lost connection drops what waits, and the new one starts with a snapshot of its own', () => {
  const rig = opened()
  rig.deltas([100, 101], [102, 103])
  rig.lose()
  assert.deepEqual(rig.counts(), { superseded: 2 })
  rig.open()
  assert.equal(rig.snapshotsAsked, 2)
  rig.deltas([200, 201])
  rig.snapshot(199)
  assert.deepEqual(rig.published, ['snapshot:199', '200-201'])
})

test('the gap of a lost connection closes at the next snapshot, not at a delta that waits', () => {
  const rig = synced()
  rig.reopen()
  rig.deltas([300, 301])
  assert.equal(rig.gapEvents.length, 1)
  rig.snapshot(299)
  assert.deepEqual(
    rig.gapLines().map(({ status, reason, frames }) => [status, reason, frames]),
    [
      ['open', 'disconnect', [2, null]],
      ['closed', 'disconnect', [2, 2]]
    ]
  )
  const { connection_id, next_connection_id } = rig.gapEvents[1]!
  assert.deepEqual([connection_id, next_connection_id], ['connection-1', 'connection-2'])
})

test('a book whose connection is gone asks for nothing', () => {
  const rig = synced()
  rig.lose()
  rig.deltas([300, 301])
  assert.equal(rig.snapshotsAsked, 1)
})

test('after frames were shed the next delta asks for a snapshot, without a second gap', () => {
  const rig = synced()
  rig.gaps.open(rig.track, 'shed', rig.nowMs * 1000, { shed: 1 })
  rig.continuity.broke(rig.track)
  rig.deltas([110, 111])
  assert.equal(rig.snapshotsAsked, 2)
  rig.snapshot(111)
  assert.deepEqual(
    rig.gapLines().map(({ status, reason, shed }) => [status, reason, shed]),
    [
      ['open', 'shed', 1],
      ['closed', 'shed', 1]
    ]
  )
})

type Step = 'delta' | 'lost' | 'answer' | 'late answer' | 'reopen'

/** A venue with one book: it numbers its updates, and answers each request for a snapshot sooner or later. */
class Venue {
  readonly rig = opened()
  #sequence = 1000
  #answered = 0
  #sequenceWhenAsked = 1000

  get owed(): number {
    return this.rig.snapshotsAsked - this.#answered
  }

  step(step: Step): void {
    const owedBefore = this.owed
    const first = this.#sequence + 1
    switch (step) {
      case 'delta':
      case 'lost':
        this.#sequence += 1 + (this.#sequence % 3)
        if (step === 'delta') this.rig.deltas([first, this.#sequence])
        break
      case 'answer':
      case 'late answer':
        if (this.owed === 0) return
        this.#answered++
        this.rig.snapshot(step === 'answer' ? this.#sequence : this.#sequenceWhenAsked)
        break
      case 'reopen':
        this.rig.lose()
        this.#answered = this.rig.snapshotsAsked
        this.rig.open()
        break
    }
    if (this.owed > Math.min(owedBefore, step === 'reopen' ? 0 : 1)) this.#sequenceWhenAsked = this.#sequence
  }
}

test('whatever is lost: a reader can follow every delta, each restart is a snapshot that closes its gap, and the book recovers', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>('delta') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('lost', 'answer', 'late answer') },
    { weight: 1, arbitrary: fc.constant<Step>('reopen') }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
      const venue = new Venue()
      const { rig } = venue
      for (const one of steps) {
        venue.step(one)
        assert.ok(venue.owed <= 1, 'never more than one snapshot is wanted at a time')
      }
      for (const one of ['delta', 'answer', 'delta', 'answer', 'delta'] as const) venue.step(one)
      assert.equal(rig.counts()['waiting'], undefined)
      assert.equal(rig.gaps.counts.open, 0)
      let last = Number.NaN
      let isFirst = false
      for (const record of rig.published) {
        if (record.startsWith('snapshot:')) {
          last = Number(record.slice('snapshot:'.length))
          isFirst = true
          continue
        }
        const [from, to] = record.split('-').map(Number) as [number, number]
        assert.ok(
          isFirst ? from <= last + 1 && to > last : from === last + 1,
          `${record} does not follow ${last}`
        )
        last = to
        isFirst = false
      }
      const snapshots = rig.published
        .filter(record => record.startsWith('snapshot:'))
        .map(record => record.slice(9))
      const closings = rig.gapEvents.filter(gap => gap.status === 'closed').map(gap => gap.first_sequence)
      assert.deepEqual(closings, closings.length === snapshots.length ? snapshots : snapshots.slice(1))
      rig.gapEvents.forEach((gap, i) => {
        assert.equal(gap.status, i % 2 === 0 ? 'open' : 'closed')
        assert.equal(gap.gap_id, rig.gapEvents[i - (i % 2)]!.gap_id)
      })
    }),
    { numRuns: 300 }
  )
})
