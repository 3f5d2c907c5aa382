import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StatusSnapshot } from '../../src/app/service.ts'
import { assertClean, FaultRun, isShort } from '../support/fault-run.ts'
import { startKafka } from '../support/kafka.ts'

/** Enough for every symbol of the demo to have had records, so that each of them has a gap when its thread dies. */
const recordsBetween = isShort ? 3_000 : 8_000

async function runWithCrashes(
  seed: number,
  threads: readonly string[],
  settings: Readonly<Record<string, string>> = {}
): Promise<void> {
  await using run = await FaultRun.start({ seed, settings, rate: 1500 })
  // Venues let connections come one after another: the last of them may take seconds.
  const allLive = ({ targets }: StatusSnapshot): boolean => targets.every(({ state }) => state === 'live')
  await run.until('every target live', allLive)
  await run.publishes(recordsBetween)
  for (const thread of threads) {
    const before = run.service.snapshot().gaps.opened
    await run.service.crash(thread)
    const everywhere = before + run.service.snapshot().targets.reduce((sum, { symbols }) => sum + symbols, 0)
    await run.until(
      `gaps after the end of ${thread}`,
      status => status.gaps.opened >= everywhere && status.gaps.open === 0 && allLive(status)
    )
    await run.publishes(recordsBetween)
  }
  const summary = await run.stop()
  assertClean(summary, threads.join(', '))
  for (const { name, restarts } of run.service.snapshot().threads) {
    assert.equal(restarts, threads.filter(thread => thread === name).length, `restarts of ${name}`)
  }
  // Each symbol of each target has a gap for each crash: nobody knows what its thread took along.
  assert.equal(summary.gaps.opened, summary.symbols * threads.length)
  assert.equal(summary.gaps.open, 0)
}

if (!isShort) {
  test('a producer thread that dies is brought back, with declared gaps and nothing missing', () =>
    runWithCrashes(1, ['producer']))

  test('a connection thread that dies is brought back, with declared gaps and nothing missing', () =>
    runWithCrashes(2, ['conn-0']))

  test('a producer thread that dies with requests to Kafka on their way is no different', async () => {
    await using kafka = await startKafka()
    const settings = { 'kafka.brokers': kafka.brokers, 'registry.url': 'none' }
    await runWithCrashes(4, ['producer', 'producer', 'conn-0', 'producer'], settings)
  })
}

test('both threads may die in one run, and die again', () =>
  runWithCrashes(3, ['producer', 'conn-0', 'producer', 'conn-0']))
