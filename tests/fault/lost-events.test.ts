import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestTypes } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { simulatedExchanges, simulations } from '../../src/simulator/simulations.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'

/** Every channel whose losses a client can notice, at its venue's second market. */
const channels = simulatedExchanges.flatMap(exchange => {
  const { markets, ledgers } = simulations[exchange]
  const { continuity }: ExchangeAdapter = adapters[exchange]
  return requestTypes
    .filter(requestType => ledgers[requestType].lossIsNoticed === true)
    .map(requestType => ({
      name: `${exchange}/${requestType}:${markets[1]!.symbol}`,
      isCountedByConnection: continuity.frameSequence !== undefined
    }))
})
/** An event is lost three seconds after its channel was confirmed. */
const runMs = 9_000

test('an event that is lost opens one gap, of its symbol alone, and no connection is dialled anew', async () => {
  const lost = channels.filter(channel => !channel.isCountedByConnection)
  const faults = lost.map(({ name }) => `lose:${name}`).join(',')
  await using run = await FaultRun.start({ faults, rate: 1500 })
  await passes(runMs)
  const summary = await run.stop()
  assertClean(summary)
  assert.deepEqual(summary.gaps, { opened: lost.length, closed: lost.length, open: 0 })
  assert.equal(summary.reconnects, 0)
})

test('where frames are counted by connection, a lost one has its connection dialled anew', async () => {
  const lost = channels.filter(channel => channel.isCountedByConnection)
  const faults = lost.map(({ name }) => `lose:${name}`).join(',')
  await using run = await FaultRun.start({ faults, rate: 1500 })
  await passes(runMs)
  const summary = await run.stop()
  assertClean(summary)
  assert.equal(summary.reconnects, lost.length)
  assert.equal(summary.gaps.open, 0)
})
