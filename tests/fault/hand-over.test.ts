import { test } from 'node:test'
import { assertClean, FaultRun, isShort } from '../support/fault-run.ts'

const records = isShort ? 150_000 : 1_000_000

// A connection that breaks under load leaves large batches in the codec pool while its successor's first small ones are
// transcoded at once: they must wait for each other.
test('records keep their order over connections that break under load', async () => {
  await using run = await FaultRun.start({ rate: 50_000, seed: 1, faults: 'drop:500ms' })
  await run.publishes(records)
  assertClean(await run.stop(), 'drops at 50,000 events a second')
})
