import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseSymbols, namedSymbols } from '../../../../src/app/live-check/choose-symbols.ts'
import { adapters } from '../../../../src/exchanges/registry.ts'

const { upbit, binance } = adapters
const listed = (...symbols: string[]) => symbols.map(symbol => ({ symbol, native: `native ${symbol}` }))

test('the usual coins are taken against the first usual currency of the region that lists them', () => {
  const all = listed('DOGE-BTC', 'ETH-USDT', 'BTC-USDT', 'BTC-KRW', 'XRP-KRW')
  assert.deepEqual(
    chooseSymbols(upbit, all).map(({ symbol }) => symbol),
    ['BTC-KRW', 'ETH-USDT', 'XRP-KRW']
  )
  assert.deepEqual(
    chooseSymbols(binance, all).map(({ native }) => native),
    ['native BTC-USDT', 'native ETH-USDT', 'native XRP-KRW']
  )
})

test('a venue with none of them is checked with the first of its listing', () => {
  assert.deepEqual(
    chooseSymbols(upbit, listed('A-B', 'C-D', 'E-F', 'G-H')).map(({ symbol }) => symbol),
    ['A-B', 'C-D', 'E-F']
  )
})

test('without a listing the naming rule decides', () => {
  assert.deepEqual(chooseSymbols(binance, null)[0], { symbol: 'BTC-USDT', native: 'BTCUSDT' })
})

test('named symbols are taken as they are, by the listing where it has them', () => {
  assert.deepEqual(namedSymbols(binance, listed('BTC-USDT'), ['BTC-USDT', 'NO-USDT']), [
    { symbol: 'BTC-USDT', native: 'native BTC-USDT' },
    { symbol: 'NO-USDT', native: 'NOUSDT' }
  ])
})
