import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../../src/core/backoff.ts'

const policy = { baseMs: 1_000, capMs: 60_000, floorMs: 0 }

test('the bound doubles with every failure until the cap', () => {
  const almostOne = () => 0.999999
  const bounds = [0, 1, 2, 5, 6, 100].map(failures => Math.ceil(backoffMs(policy, failures, almostOne)))
  assert.deepEqual(bounds, [1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
})

test('every delay lies between the floor and the cap', () => {
  fc.assert(
    fc.property(
      fc.nat(5_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(1_000),
      (failures, draw, floorMs) => {
        const delay = backoffMs({ ...policy, floorMs }, failures, () => draw)
        return delay >= floorMs && delay <= policy.capMs
      }
    )
  )
})
