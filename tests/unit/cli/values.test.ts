import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  formatCount,
  formatDuration,
  formatMs,
  readDuration,
  readRate,
  readSpan,
  readWhole
} from '../../../src/cli/values.ts'

const usage = { code: 'USAGE' }

suite('values of the command line', () => {
  test('a duration is a number with a unit', () => {
    const cases = { '500ms': 500, '10s': 10_000, '1.5s': 1500, '5m': 300_000, '2h': 7_200_000 }
    for (const [text, ms] of Object.entries(cases)) assert.equal(readDuration(text, '--for'), ms, text)
  })

  test('a duration without unit, below 1 ms or beyond what timers take is refused', () => {
    for (const text of ['10', 's', '-1s', '1e3s', '10 s', '10S', '', '1d', '0s', '0.1ms', '600h', '10s5m']) {
      assert.throws(() => readDuration(text, '--for'), usage, text)
    }
  })

  test('a distance in time may be nothing, and longer than a timer', () => {
    assert.deepEqual([readSpan('0s', '--from'), readSpan('600h', '--from')], [0, 2_160_000_000])
    assert.throws(() => readSpan('1d', '--from'), usage)
  })

  test('a whole number keeps to its range', () => {
    assert.equal(readWhole('0', '--seed', 0, 10), 0)
    for (const text of ['11', '-1', '1.0', '1e1', '', 'x', '0x1']) {
      assert.throws(() => readWhole(text, '--seed', 0, 10), usage, text)
    }
  })

  test('a rate is a number of events or max', () => {
    assert.equal(readRate('max'), 'max')
    assert.equal(readRate('50000'), 50_000)
    for (const text of ['0', 'fast', '1.5', '']) assert.throws(() => readRate(text), usage, text)
  })

  test('are printed as the eye wants them', () => {
    assert.deepEqual([800, 12_000, 125_000, 3_720_000].map(formatDuration), ['0.8s', '12s', '2m05s', '1h02m'])
    assert.deepEqual([0.421, 3.14, 127.6].map(formatMs), ['0.42', '3.1', '128'])
    assert.equal(formatCount(1_234_567.4), '1,234,567')
  })
})
