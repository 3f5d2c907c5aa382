import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IngestError } from '../../../src/core/errors.ts'
import { defaultFaults, faultsHelp, noFaults, parseFaults } from '../../../src/simulator/faults.ts'

test('a list of faults is read part by part', () => {
  const plan = parseFaults(
    'drop:2s, corrupt:0.001,reorder:0.01,stall:500ms,mute:upbit/trade:BTC-KRW,lose:binance/orderbook:BTC-USDT,' +
      'reject:binance/trade:ETH-USDT,flood:binance/trade:BTC-USDT*500,accept-close:upbit'
  )
  assert.deepEqual(plan, {
    dropEveryMs: 2000,
    corruptRate: 0.001,
    reorderRate: 0.01,
    stallMs: 500,
    mutes: [{ exchange: 'upbit', requestType: 'trade', symbol: 'BTC-KRW' }],
    loses: [{ exchange: 'binance', requestType: 'orderbook', symbol: 'BTC-USDT' }],
    rejects: [{ exchange: 'binance', requestType: 'trade', symbol: 'ETH-USDT' }],
    floods: [{ exchange: 'binance', requestType: 'trade', symbol: 'BTC-USDT', events: 500 }],
    acceptClose: ['upbit']
  })
})

test('an empty list means no faults, and reading one list does not leak into the next', () => {
  parseFaults('mute:upbit/trade:BTC-KRW,accept-close')
  assert.deepEqual(parseFaults(''), noFaults)
  assert.deepEqual(noFaults.mutes, [])
})

test('the default list is a valid one and the help explains every fault', () => {
  assert.equal(parseFaults(defaultFaults).dropEveryMs, 2000)
  for (const name of 'drop corrupt reorder stall mute lose reject flood accept-close'.split(' ')) {
    assert.match(faultsHelp, new RegExp(`^  ${name}[: ]`, 'm'))
  }
})

const wrong: readonly [list: string, part: RegExp][] = [
  ['drop', /"drop".*duration/],
  ['drop:2', /"drop:2".*duration/],
  ['drop:0s', /"drop:0s".*duration/],
  ['corrupt:2', /"corrupt:2".*share/],
  ['corrupt:x', /"corrupt:x".*share/],
  ['drop:2s,explode:1', /"explode:1".*"explode" is no fault/],
  ['mute:upbit/trade', /"mute:upbit\/trade".*channel/],
  ['mute:upbit/candle:BTC-KRW', /channel/],
  ['mute:nowhere/trade:BTC-KRW', /"nowhere" is no exchange/],
  ['flood:binance/trade:BTC-USDT*0', /number behind \*/],
  ['accept-close:nowhere', /"nowhere" is no exchange/],
  ['drop:2s,,corrupt:0.1', /"" is no fault/]
]
for (const [list, expected] of wrong) {
  test(`the list "${list}" is refused in one sentence that names the part`, () => {
    assert.throws(
      () => parseFaults(list),
      (error: unknown) =>
        error instanceof IngestError && error.code === 'USAGE' && expected.test(error.message)
    )
  })
}
