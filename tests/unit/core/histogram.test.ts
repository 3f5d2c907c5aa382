import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram } from '../../../src/core/histogram.ts'

test('an empty histogram has quantiles of 0', () => {
  assert.equal(new Histogram().quantile(0.5), 0)
})

test('a quantile is an upper bound of the value, at most a sixteenth above it', () => {
  const value = fc.integer({ min: 0, max: 0x7fffffff })
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 200, size: 'max' }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const histogram = new Histogram()
        for (const one of values) histogram.record(one)
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil(q * values.length)) - 1]!
        const found = histogram.quantile(q)
        assert.ok(found >= exact, `${found} is below ${exact}`)
        assert.ok(found <= exact + exact / 16, `${found} is too far above ${exact}`)
      }
    )
  )
})

test('what lies outside the range is counted at its ends', () => {
  const histogram = new Histogram()
  histogram.record(-5)
  assert.equal(histogram.quantile(1), 0)
  histogram.record(1e15)
  histogram.record(Number.POSITIVE_INFINITY)
  assert.equal(histogram.quantile(1), 0x7fffffff)
})

test('histograms add up as if all values had been recorded in one', () => {
  const values = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 50, size: 'max' })
  fc.assert(
    fc.property(values, values, (left, right) => {
      const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()]
      for (const value of left) a.record(value)
      for (const value of right) b.record(value)
      for (const value of [...left, ...right]) both.record(value)
      a.add(b)
      assert.deepEqual(a.counts, both.counts)
    })
  )
})

test('two threads may share one histogram: a reader sees what the writer recorded', () => {
  const memory = new SharedArrayBuffer(8 * Histogram.length)
  const writer = new Histogram(new Float64Array(memory))
  const reader = new Histogram(new Float64Array(memory))
  writer.record(12)
  assert.equal(reader.quantile(0.5), 12)
})
