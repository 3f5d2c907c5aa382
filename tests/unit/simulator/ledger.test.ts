import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChannelLedger } from '../../../src/simulator/ledger.ts'
import { eightDecimals, gatherOrdinal, scatterOrdinal } from '../../../src/simulator/ordinal-digits.ts'

const trade = { exchange_ts: '1', price: '1', side: 'BUY', sequence: null }

test('an ordinal comes back from the eight digits it was scattered over', () => {
  const seen = new Set<number>()
  for (let n = 0; n < 50_000; n++) seen.add(scatterOrdinal(n))
  assert.equal(seen.size, 50_000)
  for (const ordinal of [0, 1, 9, 4711, 1_000_000, 54_321_098, 99_999_998, 99_999_999]) {
    assert.equal(gatherOrdinal(scatterOrdinal(ordinal)), ordinal)
  }
})

test('decimals that a venue left out are zeros, and more than eight are nobody’s', () => {
  assert.equal(eightDecimals('12.00000034'), 34)
  assert.equal(eightDecimals('12.0034'), 340_000)
  assert.equal(eightDecimals('12'), 0)
  for (const text of ['', '.00000001', '1.0000000x', '1.000000000']) {
    assert.equal(eightDecimals(text), -1, text)
  }
})

test('trades are found by contiguous ids', () => {
  const ledger = new ChannelLedger('binance', 'trade', 'BTC-USDT', 'BTCUSDT', { place: 'trade-id' })
  ledger.firstTradeId = 1000
  for (let n = 0; n < 3; n++) ledger.append(n)
  const find = (id: string): number => ledger.findTrade({ ...trade, trade_id: id, size: '1.00000000' })
  assert.deepEqual([find('1000'), find('1002'), find('1003'), find('999'), find('x')], [0, 2, -1, -1, -1])
})

test('trades are found by the decimals of their size', () => {
  const ledger = new ChannelLedger('upbit', 'trade', 'BTC-KRW', 'KRW-BTC', { place: 'size' })
  for (let n = 0; n < 3; n++) ledger.append(n)
  const sizeOf = (n: number): string => `4.${String(scatterOrdinal(n)).padStart(8, '0')}`
  const find = (size: string): number => ledger.findTrade({ ...trade, trade_id: 'any', size })
  assert.deepEqual([find(sizeOf(0)), find(sizeOf(2)), find(sizeOf(3)), find('4')], [0, 2, -1, -1])
})

test('deltas are found by their last sequence number, the base of the ledger apart from unknown ones', () => {
  const ledger = new ChannelLedger('binance', 'orderbook', 'BTC-USDT', 'BTCUSDT', {
    place: 'sequence',
    isDeltaBook: true
  })
  ledger.baseKey = 100
  ledger.baseHash = 7
  for (let n = 0; n < 5000; n++) ledger.appendDelta(n, 100 + (n + 1) * 3, n * 2)
  assert.equal(ledger.ordinalOfKey(103), 0)
  assert.equal(ledger.ordinalOfKey(100 + 5000 * 3), 4999)
  assert.equal(ledger.ordinalOfKey(100), -1)
  assert.equal(ledger.ordinalOfKey(104), -2)
  assert.equal(ledger.keyAt(4000), 100 + 4001 * 3)
  assert.equal(ledger.bookHashAt(4000), 8000)
  assert.equal(ledger.bookHashAt(-1), 7)
  assert.equal(ledger.fingerprint(4999), 4999)
})

test('a swapped pair changes places on the wire and nothing else does', () => {
  const ledger = new ChannelLedger('upbit', 'ticker', 'BTC-KRW', 'KRW-BTC', { place: 'volume' })
  ledger.swapped.add(3)
  assert.deepEqual(
    [2, 3, 4, 5].map(ordinal => ledger.wirePosition(ordinal)),
    [2, 4, 3, 5]
  )
})
