import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SystemClock } from '../../../src/core/clock.ts'

const wallMs = 1_790_000_000_000

/** Puts the two sources of time under the test's hand. */
function sources(t: TestContext): { wallMs: number; monotonicMs: number } {
  const at = { wallMs, monotonicMs: 5000 }
  t.mock.method(Date, 'now', () => at.wallMs)
  t.mock.method(performance, 'now', () => at.monotonicMs)
  return at
}

test('the clock gives microseconds since the epoch, finer than the wall clock', t => {
  const at = sources(t)
  const clock = new SystemClock()
  assert.equal(clock.nowMicros(), wallMs * 1000)
  at.monotonicMs += 0.25
  assert.equal(clock.nowMicros(), wallMs * 1000 + 250)
})

test('a wall clock that was set forward is followed at the next anchoring, and counted as a jump', t => {
  const at = sources(t)
  const clock = new SystemClock()
  at.wallMs += 60_000
  at.monotonicMs += 500
  assert.equal(clock.nowMicros(), wallMs * 1000 + 500_000)
  at.wallMs += 1000
  at.monotonicMs += 1000
  assert.equal(clock.nowMicros(), at.wallMs * 1000)
  assert.equal(clock.jumps, 1)
})

test('a wall clock that was set back never makes time run backwards', t => {
  const at = sources(t)
  const clock = new SystemClock()
  const before = clock.nowMicros()
  at.wallMs -= 3000
  let last = before
  for (let step = 0; step < 10; step++) {
    at.wallMs += 500
    at.monotonicMs += 500
    const now = clock.nowMicros()
    assert.ok(now >= last, `${now} is before ${last}`)
    last = now
  }
  assert.equal(last, at.wallMs * 1000, 'it follows again once the wall clock has caught up')
  assert.equal(clock.jumps, 1)
})

test('the rounding of the wall clock is neither a jump nor followed', t => {
  const at = sources(t)
  const clock = new SystemClock()
  at.wallMs += 1999
  at.monotonicMs += 2000
  assert.equal(clock.nowMicros(), wallMs * 1000 + 2_000_000)
  assert.equal(clock.jumps, 0)
})

test('a timer fires, and a cleared one does not', async () => {
  const clock = new SystemClock()
  const fired = await new Promise<string>(resolve => {
    const cleared = clock.setTimeout(() => resolve('cleared'), 0)
    clock.clearTimeout(cleared)
    clock.setTimeout(() => resolve('kept'), 1)
  })
  assert.equal(fired, 'kept')
})
