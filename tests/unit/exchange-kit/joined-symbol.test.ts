import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitJoinedSymbol } from '../../../src/exchange-kit/joined-symbol.ts'

const quotes = ['USD', 'BTC', 'USDT', 'TRY']

const cases: readonly [joined: string, canonical: string | null][] = [
  ['btcusdt', 'BTC-USDT'],
  ['ETHBTC', 'ETH-BTC'],
  // The longest quote wins, wherever it stands in the list.
  ['XUSDT', 'X-USDT'],
  ['USDTTRY', 'USDT-TRY'],
  ['USDT', null],
  ['BTC', null],
  ['', null],
  ['NONSENSE', null]
]

for (const [joined, canonical] of cases) {
  test(`${joined === '' ? 'an empty name' : joined} is ${canonical ?? 'no pair of a known quote'}`, () => {
    assert.equal(splitJoinedSymbol(joined, quotes), canonical)
  })
}
