import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldWatch } from '../../../../src/app/live-check/field-watch.ts'
import { requestTypes } from '../../../../src/domain/target.ts'
import { sampleFrame } from '../../../../src/exchange-kit/sample-frame.ts'
import { adapters } from '../../../../src/exchanges/registry.ts'

const atMicros = 1_790_000_000_000_000

for (const adapter of Object.values(adapters)) {
  test(`frames with exactly what the tables of ${adapter.name} read have no unknown field`, () => {
    for (const requestType of requestTypes) {
      const watch = new FieldWatch(adapter, requestType)
      for (const table of adapter.frames) {
        if (table.requestType !== requestType) continue
        const frame = sampleFrame(table, adapter.instruments.nativeOf('BTC-USD'))
        watch.look(Buffer.from(frame), table.source === 'snapshot', atMicros)
      }
      assert.ok(watch.examined > 0)
      assert.deepEqual(watch.unknown, [])
    }
  })
}

function binanceTrade(more: string): Buffer {
  return Buffer.from(
    `{"stream":"btcusdt@trade","data":{"e":"trade","E":1790000000000,"s":"BTCUSDT","t":1,"p":"2","q":"3",` +
      `"T":1790000000000,"m":true,"M":true${more}}}`
  )
}

test('an unknown field is counted once a frame, with its first value as example', () => {
  const watch = new FieldWatch(adapters.binance, 'trade')
  for (const value of ['{"a":1}', '2']) watch.look(binanceTrade(`,"new":${value}`), false, atMicros)
  assert.deepEqual(watch.unknown, [
    { path: 'data.new', table: 'binance/trade', count: 2, example: '{"a":"1"}' }
  ])
})

test('of a busy second only some frames are looked at', () => {
  const watch = new FieldWatch(adapters.binance, 'trade')
  for (let i = 0; i < 1000; i++) watch.look(binanceTrade(''), false, atMicros)
  assert.equal(watch.examined, 100)
  watch.look(binanceTrade(''), false, atMicros + 1_000_000)
  assert.equal(watch.examined, 101)
})

test('a venue whose keys are data fills the list only so far', () => {
  const watch = new FieldWatch(adapters.binance, 'trade')
  const many = Array.from({ length: 300 }, (_, i) => `,"k${i}":${i}`).join('')
  watch.look(binanceTrade(many), false, atMicros)
  assert.equal(watch.unknown.length, 100)
})
