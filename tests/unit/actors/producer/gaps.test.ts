import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GapEnd, Gaps } from '../../../../actors/producer/gaps.ts'
import { type SymbolTrack } from '../../../../actors/producer/symbol-track.ts'
import { type Gap } from '../../../../src/domain/gap.ts'
import { ContinuityRig, wholeBooks } from '../../../support/continuity-rig.ts'

const end: GapEnd = { connectionId: 'connection-2', receivedMicros: 9000, frameSeq: 3, sequence: '77' }

function fresh(): { gaps: Gaps; events: Gap[]; track: SymbolTrack } {
  const events: Gap[] = []
  const { track } = new ContinuityRig('trade', wholeBooks)
  track.connectionId = 'connection-1'
  return { gaps: new Gaps('pod', 1_790_000_000_000_000, gap => events.push(gap)), events, track }
}

test('a gap is published when it opens behind the last good record, and again when it closes', () => {
  const { gaps, events, track } = fresh()
  Object.assign(track, { lastReceivedMicros: 5000, lastFrameSeq: 12, lastConnectionId: 'connection-0' })
  gaps.open(track, 'disconnect', 8000, { lastSequence: '70' })
  gaps.close(track, end, 6)
  const open: Gap = {
    gap_id: events[0]!.gap_id,
    status: 'open',
    target: track.target,
    symbol: 'BTC-USDT',
    connection_id: 'connection-0',
    next_connection_id: null,
    reason: 'disconnect',
    opened_ts: 5000,
    closed_ts: null,
    last_frame_seq: 12,
    first_frame_seq: null,
    last_sequence: '70',
    first_sequence: null,
    missed: null,
    shed: null
  }
  const closed: Gap = {
    ...open,
    status: 'closed',
    next_connection_id: 'connection-2',
    closed_ts: 9000,
    first_frame_seq: 3,
    first_sequence: '77',
    missed: 6
  }
  assert.deepEqual(events, [open, closed])
})

test('the gap of a symbol that never had a record begins with its connection', () => {
  const { gaps, events, track } = fresh()
  gaps.open(track, 'stale', 8000, {})
  const { connection_id, opened_ts, last_frame_seq } = events[0]!
  assert.deepEqual([connection_id, opened_ts, last_frame_seq], ['connection-1', 8000, 0])
})

test('one gap at a time is open for a symbol; further sheds are added to it', () => {
  const { gaps, events, track } = fresh()
  gaps.open(track, 'shed', 8000, { shed: 2 })
  gaps.open(track, 'shed', 8500, { shed: 3 })
  gaps.open(track, 'disconnect', 8600, {})
  gaps.close(track, end, null)
  gaps.close(track, end, null)
  assert.deepEqual(
    events.map(({ status, reason, shed }) => [status, reason, shed]),
    [
      ['open', 'shed', 2],
      ['closed', 'shed', 5]
    ]
  )
})

test('a gap that closes on the connection it opened on names no next connection', () => {
  const { gaps, events, track } = fresh()
  gaps.open(track, 'sequence', 8000, {})
  gaps.close(track, { ...end, connectionId: 'connection-1' }, null)
  assert.equal(events[1]!.next_connection_id, null)
})

test('a gap of a whole connection has no symbol', () => {
  const { gaps, events, track } = fresh()
  const gap = gaps.begin(track.target, null, {
    reason: 'decode',
    connectionId: 'connection-1',
    openedMicros: 1000,
    lastFrameSeq: 4,
    lastSequence: null,
    missed: null,
    shed: null
  })
  gaps.end(track.target, null, gap, { ...end, connectionId: 'connection-1', frameSeq: 6 })
  assert.deepEqual(
    events.map(({ symbol, status, last_frame_seq, first_frame_seq }) => [
      symbol,
      status,
      last_frame_seq,
      first_frame_seq
    ]),
    [
      [null, 'open', 4, null],
      [null, 'closed', 4, 6]
    ]
  )
})

test('counts follow every gap, in all and by target; a restated gap is counted once', () => {
  const { gaps, events, track } = fresh()
  gaps.open(track, 'sequence', 8000, { missed: 2 })
  const gap = track.gap!
  assert.deepEqual([gaps.counts, gaps.openOf(track.target)], [{ opened: 1, closed: 0, open: 1 }, 1])
  gaps.close(track, end, 2)
  gap.missed = 1
  gaps.restate(track.target, track.symbol, gap, end)
  assert.deepEqual([gaps.counts, gaps.openOf(track.target)], [{ opened: 1, closed: 1, open: 0 }, 0])
  assert.deepEqual(
    events.map(({ gap_id, status, missed }) => [gap_id === gap.id, status, missed]),
    [
      [true, 'open', 2],
      [true, 'closed', 2],
      [true, 'closed', 1]
    ]
  )
})

test('gap ids are unique, also across a restart of the producer', () => {
  const { gaps, events, track } = fresh()
  const later = new Gaps('pod', 1_790_000_001_000_000, gap => events.push(gap))
  for (const one of [gaps, gaps, later, later]) {
    one.open(track, 'stale', 1, {})
    one.close(track, end, null)
  }
  assert.equal(new Set(events.map(gap => gap.gap_id)).size, 4)
})

test('a gap that an earlier producer left open goes on under its id and closes at the next good record', () => {
  const before = fresh()
  before.gaps.open(before.track, 'disconnect', 8000, {})
  const { gaps, events, track } = fresh()
  gaps.adopt(before.events[0]!, track, 8500)
  assert.deepEqual([gaps.counts, gaps.openOf(track.target)], [{ opened: 0, closed: 0, open: 1 }, 1])
  gaps.open(track, 'undelivered', 8600, {})
  assert.deepEqual(events, [], 'the loss of the producer lies in the gap that is open already')
  gaps.close(track, end, null)
  assert.deepEqual(
    events.map(({ gap_id, status, reason, opened_ts }) => [gap_id, status, reason, opened_ts]),
    [[before.events[0]!.gap_id, 'closed', 'disconnect', 8000]]
  )
  assert.equal(gaps.counts.open, 0)
})

test('a gap of a whole connection that an earlier producer left open ends when it is taken over', () => {
  const before = fresh()
  const facts = { lastFrameSeq: 3, lastSequence: null, missed: null, shed: null }
  before.gaps.begin(before.track.target, null, {
    reason: 'decode',
    connectionId: 'connection-1',
    openedMicros: 7000,
    ...facts
  })
  const { gaps, events } = fresh()
  gaps.adopt(before.events[0]!, null, 8500)
  assert.deepEqual(
    events.map(({ status, closed_ts, first_frame_seq }) => [status, closed_ts, first_frame_seq]),
    [['closed', 8500, null]]
  )
  assert.equal(gaps.counts.open, 0)
})
