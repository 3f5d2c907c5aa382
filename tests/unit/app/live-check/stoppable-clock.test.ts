import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoppableClock } from '../../../../src/app/live-check/stoppable-clock.ts'

test('timers fire, are called off one by one, and all together when the clock stops', context => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = new StoppableClock()
  const fired: string[] = []
  clock.setTimeout(() => fired.push('in time'), 1)
  clock.clearTimeout(clock.setTimeout(() => fired.push('called off'), 1))
  context.mock.timers.tick(5)
  clock.setTimeout(() => fired.push('after the stop'), 1)
  clock.stop()
  clock.clearTimeout(clock.setTimeout(() => fired.push('set after the stop'), 1))
  context.mock.timers.tick(5)
  assert.deepEqual(fired, ['in time'])
})
