import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaSize } from '../../../src/simulator/venues/huobi-channels.ts'

const cases: readonly [whole: number, decimals: number, wire: string, expanded: string][] = [
  [12, 3_400_000, '12.034', '12.034'],
  [12, 0, '12.0', '12.0'],
  [0, 100_000, '0.001', '0.001'],
  [0, 99_999, '9.9999E-4', '0.00099999'],
  [0, 50_000, '5.0E-4', '0.00050'],
  [0, 50, '5.0E-7', '0.00000050'],
  [0, 12, '1.2E-7', '0.00000012'],
  // Nine decimals would be needed.
  [0, 5, '1.00000005', '1.00000005']
]

for (const [whole, decimals, wire, expanded] of cases) {
  test(`a size of ${whole} and ${decimals} hundred-millionths is printed as ${wire}`, () => {
    assert.deepEqual(javaSize(whole, decimals), { wire, expanded })
  })
}
