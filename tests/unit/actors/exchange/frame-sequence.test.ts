import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameSequence } from '../../../../actors/exchange/frame-sequence.ts'

const none = Number.NaN

function verdicts(...numbers: readonly number[]): boolean[] {
  const sequence = new FrameSequence()
  return numbers.map(number => sequence.follows(number))
}

test('the first number may be any, and the next ones must rise by one', () => {
  assert.deepEqual(verdicts(none, 7, 8, 9, 11, 12), [true, true, true, true, false, true])
})

test('a frame without a readable number stands for one, or for none', () => {
  assert.deepEqual(verdicts(7, none, 9), [true, true, true])
  assert.deepEqual(verdicts(7, none, 8, 9), [true, true, true, true])
  assert.deepEqual(verdicts(7, none, none, 11), [true, true, true, false])
  assert.deepEqual(verdicts(7, none, 9, 11), [true, true, true, false], 'it counts once')
})

test('numbers that begin anew tell of no loss', () => {
  assert.deepEqual(verdicts(7, 8, 8, 1, 2, 4), [true, true, true, true, true, false])
})
