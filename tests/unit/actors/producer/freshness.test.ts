import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProvenSilent, owesEvents } from '../../../../actors/producer/freshness.ts'
import { type SymbolMoves, showTicker, showTrade } from '../../../../actors/producer/symbol-moves.ts'
import { type OpenGap, type SymbolTrack } from '../../../../actors/producer/symbol-track.ts'
import { ContinuityRig, wholeBooks } from '../../../support/continuity-rig.ts'

const healAfterMicros = 5_000_000

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
  return Object.assign(track, { isConnected: true, lastReceivedMicros: 10_000_000 }, changes)
}

function moveAt(track: SymbolTrack, ...seconds: readonly number[]): void {
  for (const second of seconds) showTrade(track.moves, second * 1_000_000)
}

test('a quiet market proves nothing, however long it lasts', () => {
  assert.equal(isProvenSilent(heard(), healAfterMicros), false)
})

test('three trades of the symbol, the last long after the channel was heard, prove that it is silent', () => {
  const track = heard()
  moveAt(track, 11, 12)
  assert.equal(isProvenSilent(track, healAfterMicros), false)
  moveAt(track, 14.9)
  assert.equal(isProvenSilent(track, healAfterMicros), false, 'not long enough after it was heard')
  moveAt(track, 15)
  assert.equal(isProvenSilent(track, healAfterMicros), true)
})

test('two trades prove nothing, even when they come late', () => {
  const track = heard()
  moveAt(track, 60, 61)
  assert.equal(isProvenSilent(track, healAfterMicros), false)
})

test('a channel is not suspected while it is unconnected, never heard, being healed or in a declared gap', () => {
  const excuses: readonly Partial<SymbolTrack>[] = [
    { isConnected: false },
    { lastReceivedMicros: 0 },
    { isHealing: true },
    { gap: someGap }
  ]
  for (const excuse of excuses) {
    const track = heard(excuse)
    moveAt(track, 20, 21, 22)
    assert.equal(isProvenSilent(track, healAfterMicros), false, Object.keys(excuse)[0])
  }
})

test('trades that were shown before the channel was heard do not count', () => {
  const track = heard()
  moveAt(track, 20, 21, 22)
  track.movesSeen = track.moves.count
  moveAt(track, 23, 24)
  assert.equal(isProvenSilent(track, healAfterMicros), false)
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
