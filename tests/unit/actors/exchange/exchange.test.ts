import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { exchangeRig } from './rig.ts'

test('an exchange tells how many connections the symbols need that it lists', async () => {
  const listing = Buffer.from('[{"market":"KRW-BTC"}]')
  for (const [symbols, connections] of [
    [['NO-KRW', 'NONE-KRW'], 0],
    [['NO-KRW', 'BTC-KRW'], 1]
  ] as const) {
    const rig = await exchangeRig({
      adapter: upbit,
      requestType: 'trade',
      symbols,
      rest: () => ({ type: 'body', bytes: listing })
    })
    assert.deepEqual(
      rig.reports.filter(({ type }) => type === 'lookedUp'),
      [{ type: 'lookedUp', exchange: 'upbit', connections }]
    )
    assert.equal(rig.sockets.length, connections)
    rig.close()
  }
})
