import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Offsets } from '../../../../src/app/live-check/offsets.ts'

test('nothing gives no report, and events without a time count for nothing', () => {
  const offsets = new Offsets()
  offsets.add(Number.NaN)
  assert.equal(offsets.report, null)
})

test('median and range are in milliseconds with one decimal', () => {
  const offsets = new Offsets()
  for (const micros of [-1_250, 40_000, 2_000]) offsets.add(micros)
  assert.deepEqual(offsets.report, { median: 2, min: -1.2, max: 40, events: 3 })
})

test('of very many an even sample is kept, with the extremes of all', () => {
  const offsets = new Offsets()
  for (let i = 0; i < 100_000; i++) offsets.add(i * 1000)
  const { median, min, max, events } = offsets.report!
  assert.deepEqual([min, max, events], [0, 99_999, 100_000])
  assert.ok(Math.abs(median - 50_000) < 1_000, `${median}`)
})
