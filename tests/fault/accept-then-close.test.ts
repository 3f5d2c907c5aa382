import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulatedExchanges } from '../../src/simulator/simulations.ts'
import { FaultRun, isShort, passes } from '../support/fault-run.ts'

/**
 * At most ten connects in a minute. Most of them come at once: each of a host's three connections tries, and the circuit
 * opens at the fifth failure, which leaves little for the first seconds to do less than the whole minute.
 */
const [seconds, connectsMax] = isShort ? [5, 7] : [60, 10]

test(`a host that accepts and closes at once sees at most ${connectsMax} connects in ${seconds} s`, async t => {
  await using run = await FaultRun.start({ faults: 'accept-close' })
  await run.until('every circuit open', ({ targets }) => targets.every(({ state }) => state === 'open'))
  await passes(seconds * 1000)
  const { handshakes } = await run.simulation.stats()
  assert.deepEqual(Object.keys(handshakes), simulatedExchanges)
  for (const [exchange, connects] of Object.entries(handshakes)) {
    t.diagnostic(`${exchange}: ${connects} connects in ${seconds} s`)
    assert.ok(
      connects >= 1 && connects <= connectsMax,
      `${exchange} saw ${connects} connects in ${seconds} s`
    )
  }
  const { records, errors } = run.service.snapshot()
  assert.equal(records.made, 0)
  assert.ok(
    (errors['BREAKER_OPEN'] ?? 0) >= simulatedExchanges.length,
    'each host says that its circuit is open'
  )
})
