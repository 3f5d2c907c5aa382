import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownFields } from '../../../../src/app/live-check/known-fields.ts'
import { is, type RecordTable, raw } from '../../../../src/exchange-kit/field-table.ts'
import { type JsonValue } from '../../../../src/exchange-kit/json-value.ts'
import {
  always,
  decimal,
  instant,
  levels,
  native,
  optional,
  text
} from '../../../../src/exchange-kit/rules.ts'

const trade = {
  name: 'venue/trade',
  requestType: 'trade',
  match: [is('/topic|t', 'trade')],
  each: 'data|d',
  fields: {
    symbol: native('/symbol'),
    exchange_ts: instant('ts'),
    stream_type: always('REALTIME'),
    trade_id: text('id'),
    price: decimal('price.amount'),
    size: decimal('size'),
    side: always('UNKNOWN'),
    sequence: optional(text('seq'))
  },
  raw: raw('kind')
} as const satisfies RecordTable

const book = {
  name: 'venue/book',
  requestType: 'orderbook',
  envelope: 'data|d',
  match: [is('/topic', 'book')],
  fields: {
    symbol: native('symbol'),
    stream_type: always('REALTIME'),
    kind: always('SNAPSHOT'),
    bids: levels('units', 'bp', 'bs'),
    asks: levels('units', 'ap', 'as')
  }
} as const satisfies RecordTable

const positional = {
  name: 'venue/positions',
  requestType: 'orderbook',
  match: [],
  fields: {
    symbol: native('0'),
    stream_type: always('REALTIME'),
    kind: always('DELTA'),
    bids: levels('1', 0, 2, { single: true, zeroWhen: '1', sign: 'positive' }),
    asks: levels('1', 0, 2, { single: true, zeroWhen: '1', sign: 'negative' })
  }
} as const satisfies RecordTable

function unknownOf(table: RecordTable, frame: JsonValue): string[] {
  const found: string[] = []
  new KnownFields(table).look(frame, path => found.push(path))
  return found
}

test('fields, guards, raw names and alternative names are known wherever they stand', () => {
  const event = { ts: '1', id: '2', price: { amount: '3' }, size: '4', kind: 'x', seq: '5' }
  assert.deepEqual(unknownOf(trade, { topic: 'trade', symbol: 'A', data: [event] }), [])
  assert.deepEqual(unknownOf(trade, { t: 'trade', symbol: 'A', d: [event, event] }), [])
})

test('every other key is told with its path, at the frame, in the events and inside objects', () => {
  const event = { ts: '1', id: '2', price: { amount: '3', unit: 'KRW' }, size: '4', extra: true }
  const frame = { topic: 'trade', symbol: 'A', version: '2', data: [event] }
  assert.deepEqual(unknownOf(trade, frame), ['version', 'data[].price.unit', 'data[].extra'])
})

test('an event is held against its table with its envelope and without', () => {
  const event = { symbol: 'A', units: [{ bp: '1', bs: '1', ap: '2', as: '1', n: '3' }] }
  assert.deepEqual(unknownOf(book, { topic: 'book', d: event }), ['d.units[].n'])
  assert.deepEqual(unknownOf(book, event), ['units[].n'])
})

test('of positions those behind the known ones are told, in single levels and in lists of levels', () => {
  assert.deepEqual(unknownOf(positional, ['1', ['100', '2', '-3']]), [])
  assert.deepEqual(unknownOf(positional, ['1', [['100', '2', '-3']]]), [])
  assert.deepEqual(unknownOf(positional, ['1', [['100', '2', '-3', 'new']], 'more']), ['1[].3', '2'])
})

test('padding of levels that have a price and a size only is no news', () => {
  const pairs = {
    ...positional,
    fields: { ...positional.fields, bids: levels('1', 0, 1), asks: levels('2', 0, 1) }
  } as const satisfies RecordTable
  assert.deepEqual(unknownOf(pairs, ['1', [['100', '2', '0', '4']], []]), [])
})

test('an optional field is missed until one event has it', () => {
  const fields = new KnownFields(trade)
  const look = (seq: JsonValue): void =>
    fields.look({ topic: 'trade', symbol: 'A', data: [{ id: '1', seq }] }, () => undefined)
  look(null)
  assert.deepEqual(fields.unseen, ['sequence (seq)'])
  look('7')
  assert.deepEqual(fields.unseen, [])
})
