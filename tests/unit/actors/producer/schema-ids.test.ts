import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Codec } from '../../../../actors/producer/codec.ts'
import { encodeConnectSuccess } from '../../../../actors/producer/connect-success.ts'
import { type Target } from '../../../../src/domain/target.ts'

const trade: Target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }

test('records carry the id that belongs to their topic', () => {
  const ids = { 'trade-data.korea': 7, 'trade-data.asia': 8 }
  const codec = new Codec('avro', ids, null, null, [])
  assert.deepEqual(codec.encodingOf(trade), { format: 'avro', schemaId: 7 })
  assert.deepEqual(codec.encodingOf({ ...trade, region: 'asia', exchange: 'binance' }).schemaId, 8)
  assert.throws(
    () => codec.encodingOf({ ...trade, request_type: 'ticker' }),
    /ticker-data\.korea has no schema id/
  )
})

test('a confirmation carries the id that it is given', () => {
  const event = { correlation_id: null, exchange: 'upbit', region: 'korea', request_type: 'trade' }
  const value = encodeConnectSuccess(300, { ...event, symbol: 'BTC-KRW', connection_id: 'a/b', ts: 1 })
  assert.deepEqual([...value.subarray(0, 5)], [0, 0, 0, 1, 44])
})
