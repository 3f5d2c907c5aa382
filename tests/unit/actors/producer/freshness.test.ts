import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProvenSilent, owesEvents } from '../../../../actors/producer/freshness.ts'
import { type SymbolMoves, showTicker, showTrade } from '../../../../actors/producer/symbol-moves.ts'
import { type OpenGap, type SymbolTrack } from '../../../../actors/producer/symbol-track.ts'
import { ContinuityRig, streamBooks, wholeBooks } from '../../../support/continuity-rig.ts'

const someGap: OpenGap = {
  id: 'pod-1',
  reason: 'sequence',
  connectionId: 'connection-1',
  openedMicros: 1,
  lastFrameSeq: 1,
  lastSequence: null,
  missed: null,
  shed: null
}

/** A channel that was heard at 10 s, and whose siblings may move. */
function heard(changes: Partial<SymbolTrack> = {}): SymbolTrack {
  const { track } = new ContinuityRig('orderbook', wholeBooks)
  return Object.assign(
    track,
    { isConnected: true, confirmedMicros: 1, lastReceivedMicros: 10_000_000 },
    changes
  )
}

function moveAt(track: SymbolTrack, ...seconds: readonly number[]): void {
  for (const second of seconds) showTrade(track.moves, second * 1_000_000)
}

test('a quiet market proves nothing, however long it lasts', () => {
  assert.equal(isProvenSilent(heard()), false)
})

test('three trades of the symbol, the last long after the channel was heard, prove that it is silent', () => {
  const track = heard()
  moveAt(track, 11, 12)
  assert.equal(isProvenSilent(track), false)
  moveAt(track, 14.9)
  assert.equal(isProvenSilent(track), false, 'not long enough after it was heard')
  moveAt(track, 15)
  assert.equal(isProvenSilent(track), true)
})

test('two trades prove nothing, even when they come late', () => {
  const track = heard()
  moveAt(track, 60, 61)
  assert.equal(isProvenSilent(track), false)
})

test('a channel is not suspected while it is unconnected, unconfirmed or being healed', () => {
  const excuses: readonly Partial<SymbolTrack>[] = [
    { isConnected: false },
    { confirmedMicros: 0 },
    { isHealing: true }
  ]
  for (const excuse of excuses) {
    const track = heard(excuse)
    moveAt(track, 20, 21, 22)
    assert.equal(isProvenSilent(track), false, Object.keys(excuse)[0])
  }
})

test('a channel that was confirmed and never heard is suspected as well, and so is one whose gap is open', () => {
  const suspects: readonly Partial<SymbolTrack>[] = [
    { lastReceivedMicros: 0, confirmedMicros: 10_000_000 },
    { gap: someGap, confirmedMicros: 10_000_000 }
  ]
  for (const suspect of suspects) {
    const track = heard(suspect)
    moveAt(track, 11, 12, 14.9)
    assert.equal(isProvenSilent(track), false, 'not long enough after it was confirmed')
    moveAt(track, 15)
    assert.equal(isProvenSilent(track), true)
  }
})

test('a channel that stays silent is suspected later and later', () => {
  const track = heard({ heals: 2 })
  moveAt(track, 11, 12, 29.9)
  assert.equal(isProvenSilent(track), false)
  moveAt(track, 30)
  assert.equal(isProvenSilent(track), true)
})

test('a channel that is slow by nature is given its time', () => {
  const track = heard({ showsWithinMs: 16_500 })
  moveAt(track, 11, 12, 29.9)
  assert.equal(isProvenSilent(track), false)
  assert.equal(owesEvents(track, 27_000_000), false)
  assert.equal(owesEvents(track, 27_500_000), true)
  moveAt(track, 30)
  assert.equal(isProvenSilent(track), true)
})

test('a book that waits for the snapshot of its stream is not suspected: what is owed has a clock of its own', () => {
  const { track } = new ContinuityRig('orderbook', streamBooks())
  Object.assign(track, { isConnected: true, confirmedMicros: 1, lastReceivedMicros: 10_000_000 })
  moveAt(track, 20, 21, 22)
  assert.equal(isProvenSilent(track), false)
  track.book!.rest(1)
  assert.equal(isProvenSilent(track), true)
})

test('trades that were shown before the channel was heard do not count', () => {
  const track = heard()
  moveAt(track, 20, 21, 22)
  track.movesSeen = track.moves.count
  moveAt(track, 23, 24)
  assert.equal(isProvenSilent(track), false)
})

test('a channel that ends owes events once a trade was shown a second and a half ago and it has not followed', () => {
  const track = heard()
  assert.equal(owesEvents(track, 60_000_000), false, 'a quiet market owes nothing')
  moveAt(track, 20, 21)
  assert.equal(owesEvents(track, 21_499_999), false, 'it may still come')
  assert.equal(owesEvents(track, 21_500_000), true, 'counted from the first trade that it has not followed')
  track.movesSeen = track.moves.count
  assert.equal(owesEvents(track, 60_000_000), false, 'it was heard since')
  moveAt(track, 30)
  assert.equal(owesEvents(track, 31_000_000), false)
  assert.equal(owesEvents(track, 31_500_000), true)
})

test('a channel that was never heard, or whose loss is declared already, owes nothing more', () => {
  for (const excuse of [
    { lastReceivedMicros: 0 },
    { gap: someGap }
  ] satisfies readonly Partial<SymbolTrack>[]) {
    const track = heard(excuse)
    moveAt(track, 20)
    assert.equal(owesEvents(track, 60_000_000), false, Object.keys(excuse)[0])
  }
})

test('every channel of a symbol follows the trades that its siblings show, each from its own place', () => {
  const early = { movesSeen: 0, owesSinceMicros: 0 }
  const late = { movesSeen: 0, owesSinceMicros: 0 }
  const moves: SymbolMoves = { count: 0, lastMicros: 0, evidence: Number.NaN, followers: [early, late] }
  showTrade(moves, 10)
  late.movesSeen = moves.count
  showTrade(moves, 20)
  assert.deepEqual([early.owesSinceMicros, late.owesSinceMicros], [10, 20])
})

test('a ticker shows a trade when its evidence changes, not at its first and not without evidence', () => {
  const moves: SymbolMoves = { count: 0, lastMicros: 0, evidence: Number.NaN, followers: [] }
  const steps: readonly (readonly [number, number])[] = [
    [Number.NaN, 0],
    [100, 0],
    [100, 0],
    [101, 1],
    [Number.NaN, 1],
    [101, 1],
    [90, 2]
  ]
  steps.forEach(([evidence, count], at) => {
    showTicker(moves, evidence, at)
    assert.equal(moves.count, count, `step ${at}`)
  })
  assert.equal(moves.lastMicros, 6)
})

test('a channel whose frames we shed is not silent by its venue', () => {
  const track = heard()
  moveAt(track, 20, 21, 22)
  assert.equal(isProvenSilent(track), true)
  const gap = {
    id: '1',
    connectionId: 'c',
    openedMicros: 0,
    lastFrameSeq: 0,
    lastSequence: null,
    missed: null
  }
  track.gap = { ...gap, reason: 'shed', shed: 3 }
  assert.equal(isProvenSilent(track), false)
})
