import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RestartWindow } from '../../../src/core/restart-window.ts'

test('as many restarts as the intensity are admitted within the period, and one more is not', () => {
  const window = new RestartWindow(3, 1000)
  assert.deepEqual(
    [0, 1, 2, 3].map(second => window.admit(second * 1000)),
    [true, true, true, false]
  )
})

test('restarts older than the period no longer count', () => {
  const window = new RestartWindow(2, 1000)
  assert.equal(window.admit(0), true)
  assert.equal(window.admit(500_000), true)
  assert.equal(window.admit(1_000_000), true, 'the first is exactly one period old')
  assert.equal(window.admit(1_000_001), false)
})

test('an intensity of 0 admits no restart', () => {
  assert.equal(new RestartWindow(0, 1000).admit(0), false)
})
