import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Monitor } from '../../../src/app/monitor.ts'
import { SharedLedger } from '../../../src/wire/shared-ledger.ts'

test('limits of connections are counted over all their shards', () => {
  const ledger = new SharedLedger(2, 1)
  const target = { region: 'korea', exchange: 'upbit', request_type: 'trade' } as const
  const plan = { target, symbols: ['BTC-KRW', 'ETH-KRW'], projection: [] }
  const monitor = new Monitor(ledger, [{ plan, targetIndex: 0, firstShard: 0, shards: 2 }])
  assert.deepEqual(monitor.limitHits(), { keepAlivesWaiting: 0, requestsWaiting: 0, messagesWaiting: 0 })
  for (const shard of [0, 1]) {
    ledger.frames(shard).add('keepAlivesReplaced', 1)
    ledger.frames(shard).add('requestsDropped', 2)
    ledger.frames(shard).add('messagesGivenUp', 3)
  }
  assert.deepEqual(monitor.limitHits(), { keepAlivesWaiting: 2, requestsWaiting: 4, messagesWaiting: 6 })
})
