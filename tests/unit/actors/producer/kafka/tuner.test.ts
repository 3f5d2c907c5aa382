import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Tuner } from '../../../../../actors/producer/kafka/tuner.ts'

const bounds = { lingerMinMs: 5, lingerMaxMs: 50, batchBytes: 100_000, latencyTargetMs: 200 }

/** Batches of a steady stream, one each `everyMs`, for two seconds. */
function feed(tuner: Tuner, bytes: number, everyMs: number, fromMs = 0): number {
  let nowMs = fromMs
  while (nowMs < fromMs + 2_000) {
    nowMs += everyMs
    tuner.left(bytes / 100, bytes, nowMs - everyMs, nowMs)
  }
  return nowMs
}

suite('the linger of a partition', () => {
  test('is the bound for a cold one', () => {
    const tuner = new Tuner(bounds)
    assert.equal(tuner.lingerMs, 50)
    feed(tuner, 1_000, 50)
    assert.equal(tuner.lingerMs, 50)
  })

  test('is the time that a batch takes to fill for a hot one', () => {
    const tuner = new Tuner(bounds)
    // 5 MB a second fill a batch in 20 ms.
    feed(tuner, 50_000, 10)
    assert.ok(Math.abs(tuner.lingerMs - 20) < 4, `${tuner.lingerMs} ms`)
  })

  test('is never below the minimum', () => {
    const tuner = new Tuner(bounds)
    feed(tuner, 100_000, 1)
    assert.equal(tuner.lingerMs, 5)
  })

  test('is never above a quarter of the latency target', () => {
    assert.equal(new Tuner({ ...bounds, latencyTargetMs: 80 }).lingerMs, 20)
    const tight = new Tuner({ ...bounds, latencyTargetMs: 8 })
    feed(tight, 100_000, 1)
    assert.equal(tight.lingerMs, 2)
  })

  test('comes back when a stream cools down', () => {
    const tuner = new Tuner(bounds)
    const endMs = feed(tuner, 50_000, 10)
    feed(tuner, 500, 50, endMs + 2_000)
    assert.equal(tuner.lingerMs, 50)
  })
})

test('rate and fill follow the stream, and the rate falls while nothing leaves', () => {
  const tuner = new Tuner(bounds)
  assert.equal(tuner.recordsPerSecond(0), 0)
  const endMs = feed(tuner, 50_000, 10)
  assert.ok(Math.abs(tuner.recordsPerSecond(endMs) - 50_000) < 8_000, `${tuner.recordsPerSecond(endMs)}/s`)
  assert.ok(Math.abs(tuner.fill - 0.5) < 0.01, String(tuner.fill))
  assert.ok(tuner.recordsPerSecond(endMs + 5_000) < 1_000)
})
