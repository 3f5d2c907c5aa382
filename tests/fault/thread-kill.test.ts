import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClean, FaultRun, isShort } from '../support/fault-run.ts'

/** Enough for every symbol of the demo to have had records, so that each of them has a gap when its thread dies. */
const recordsBetween = isShort ? 800 : 5_000

async function runWithCrashes(seed: number, threads: readonly string[]): Promise<void> {
  await using run = await FaultRun.start({ seed })
  await run.publishes(recordsBetween)
  for (const thread of threads) {
    const before = run.service.snapshot().gaps.opened
    await run.service.crash(thread)
    await run.until(`gaps after the end of ${thread}`, ({ gaps }) => gaps.opened > before && gaps.open === 0)
    await run.publishes(recordsBetween)
  }
  const summary = await run.stop()
  assertClean(summary, threads.join(', '))
  const restarts = run.service.snapshot().threads.map(thread => [thread.name, thread.restarts])
  const expected = ['producer', 'conn-0', 'log'].map(name => [
    name,
    threads.filter(thread => thread === name).length
  ])
  assert.deepEqual(restarts, expected)
  // Each symbol of each target has a gap for each crash: nobody knows what its thread took along.
  assert.equal(summary.gaps.opened, summary.symbols * threads.length)
  assert.equal(summary.gaps.open, 0)
}

if (!isShort) {
  test('a producer thread that dies is brought back, with declared gaps and nothing missing', () =>
    runWithCrashes(1, ['producer']))

  test('a connection thread that dies is brought back, with declared gaps and nothing missing', () =>
    runWithCrashes(2, ['conn-0']))
}

test('both threads may die in one run, and die again', () =>
  runWithCrashes(3, ['producer', 'conn-0', 'producer', 'conn-0']))
