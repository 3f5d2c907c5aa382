import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../../src/simulator/pace.ts'
import { RateWindow } from '../../../src/simulator/rate-window.ts'

/** Runs a pace against readers that manage `capacity` events a second; what is more waits in the sockets. */
function run(pace: Pace, capacity: number, seconds: number): { rate: number; worstBytes: number } {
  let made = 0
  let bytesWaiting = 0
  let worstBytes = 0
  for (let ms = 10; ms <= seconds * 1000; ms += 10) {
    made += pace.rate / 100
    bytesWaiting = Math.max(0, bytesWaiting + ((pace.rate - capacity) / 100) * 500)
    // The second half shows what the rate settles at.
    if (ms > seconds * 500) worstBytes = Math.max(worstBytes, bytesWaiting)
    pace.adapt(ms, { bytesWaiting, lagMs: 0, made })
  }
  return { rate: pace.rate, worstBytes }
}

test('a fixed rate stays, whatever the load', () => {
  const pace = new Pace(1000)
  pace.adapt(1000, { bytesWaiting: 1e9, lagMs: 1e6, made: 0 })
  assert.equal(pace.rate, 1000)
})

test('max finds a rate near what the readers manage and settles there', () => {
  const { rate, worstBytes } = run(new Pace('max'), 60_000, 120)
  assert.ok(rate > 40_000 && rate <= 75_000, `settled at ${rate}`)
  assert.ok(worstBytes < 16 * 1024 * 1024, `${worstBytes} bytes waited`)
})

test('max goes down when the check falls behind and up again when it has caught up', () => {
  const pace = new Pace('max')
  let made = 0
  const look = (ms: number, lagMs: number): number => {
    made += pace.rate * 2
    pace.adapt(ms, { bytesWaiting: 0, lagMs, made })
    return pace.rate
  }
  look(2000, 0)
  const before = pace.rate
  const reduced = look(4000, 2000)
  assert.ok(reduced < before)
  let last = reduced
  for (let ms = 6000; ms < 60_000; ms += 2000) last = look(ms, 0)
  assert.ok(last > reduced)
})

test('a window allows its count and forgets what is older', () => {
  const window = new RateWindow(2, 1000)
  assert.deepEqual(
    [0, 10, 20, 1000, 1005, 1010].map(ms => window.take(ms)),
    [true, true, false, true, false, true]
  )
})
