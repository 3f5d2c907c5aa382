import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begins, ends, type Guard, type TickerTable } from '../../../src/exchange-kit/field-table.ts'
import { always, decimal, instant, nativePart } from '../../../src/exchange-kit/rules.ts'
import { contextOf, transcodeFrames } from '../../support/codec.ts'
import { runTable } from '../../support/table-runner.ts'

const table = (match: readonly Guard[]): TickerTable => ({
  name: 'test/topics',
  requestType: 'ticker',
  match,
  fields: {
    symbol: nativePart('topic', '.', 1),
    exchange_ts: instant('cts|ts'),
    stream_type: always('REALTIME'),
    last: decimal('last'),
    price_window: always('UNKNOWN'),
    volume_window: always('UNKNOWN')
  },
  raw: { ts: 'ts', cts: 'cts' }
})

const frame = (topic: string, times = '"ts":1790000000001') => `{"topic":${topic},${times},"last":"1"}`

test('a topic is known by how its text begins', () => {
  const tickers = table([begins('topic', 'tickers.')])
  assert.equal(runTable(tickers, frame('"tickers.BTC-USD"')).length, 1)
  for (const topic of [
    '"ticker.BTC-USD"',
    '"xtickers.BTC-USD"',
    '"tickers"',
    '""',
    '7',
    'null',
    '["tickers."]'
  ]) {
    assert.equal(runTable(tickers, frame(topic)), 'noMatch', topic)
  }
})

test('a topic is known by how its text ends', () => {
  const tickers = table([ends('topic', '.ticker')])
  assert.equal(runTable(tickers, frame('"market.BTC-USD.ticker"')).length, 1)
  for (const topic of ['"market.BTC-USD.tickers"', '"market.BTC-USD.bbo"', '"ticker"', '""', '7', '{}']) {
    assert.equal(runTable(tickers, frame(topic)), 'noMatch', topic)
  }
})

test('a key can be one of two choices and a field of its own', () => {
  const tickers = table([begins('topic', 'tickers.')])
  const both = '"ts":1790000000001,"cts":1790000000002'
  const [record] = runTable(tickers, frame('"tickers.BTC-USD"', both), { projection: ['ts', 'cts'] })
  assert.ok(typeof record === 'object')
  assert.equal(record.exchange_ts, 1_790_000_000_002_000)
  assert.deepEqual(record.extras, { ts: '1790000000001', cts: '1790000000002' })
})

test('a fingerprint tells that the text of a field changed, and no more', () => {
  const context = contextOf('okx', 'ticker', [{ symbol: 'BTC-USDT', native: 'BTC-USDT' }])
  const evidenceOf = (lastSize: string): number => {
    const fields = [
      'last',
      'askPx',
      'askSz',
      'bidPx',
      'bidSz',
      'open24h',
      'high24h',
      'low24h',
      'volCcy24h',
      'vol24h'
    ]
    const data = `${fields.map(name => `"${name}":"1"`).join(',')},"lastSz":${lastSize},"ts":"1790000000000"`
    const text = `{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",${data}}]}`
    const batch = transcodeFrames(context, [text])
    assert.equal(batch.records, 1)
    return batch.evidence(0)
  }
  assert.equal(evidenceOf('"0.5"'), evidenceOf('"0.5"'))
  assert.notEqual(evidenceOf('"0.5"'), evidenceOf('"0.50"'))
  assert.equal(new Set(Array.from({ length: 1000 }, (_, n) => evidenceOf(`"0.${n + 1}1"`))).size, 1000)
  assert.ok(Number.isNaN(evidenceOf('null')), 'a market that never traded has a ticker and no evidence')
})
