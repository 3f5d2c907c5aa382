import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DataRecord } from '../../../src/codec/avro-types.ts'
import { compileMatcher, compileTable } from '../../../src/exchange-kit/compile.ts'
import {
  type BookTable,
  is,
  isAbsent,
  isList,
  isNoList,
  isPresent,
  raw,
  type TickerTable,
  type TradeTable,
  unknownProjection
} from '../../../src/exchange-kit/field-table.ts'
import { FrameFault } from '../../../src/exchange-kit/frame-fault.ts'
import {
  absolute,
  always,
  channel,
  decimal,
  instant,
  integer,
  levels,
  makerIsSeller,
  mark,
  native,
  nativePair,
  nativePart,
  nullable,
  optional,
  percent,
  rfc3339,
  seconds,
  signOf,
  text,
  words
} from '../../../src/exchange-kit/rules.ts'
import { tokenize } from '../../../src/exchange-kit/tape.ts'
import { Workspace } from '../../../src/exchange-kit/workspace.ts'
import { runTable } from '../../support/table-runner.ts'

// Shapes of venues that have no adapter yet: the vocabulary must be able to say them.

const trade: TradeTable = {
  name: 'test/trade',
  requestType: 'trade',
  match: [is('type', 'match')],
  fields: {
    symbol: native('product_id'),
    exchange_ts: rfc3339('time'),
    stream_type: always('REALTIME'),
    trade_id: text('trade_id'),
    price: decimal('price'),
    size: decimal('size'),
    side: words('side', { buy: 'SELL', sell: 'BUY' }),
    sequence: optional(text('sequence'))
  },
  raw: raw('type', 'maker', 'flag', 'nothing', 'price')
}

const tradeFrame =
  '{"type":"match","product_id":"BTC-USD","time":"2026-09-21T14:13:20.123456789Z","trade_id":77,"price":"1.50","size":2e-3,"side":"sell","sequence":9007199254740993}'

function one(records: DataRecord[] | string): Record<string, unknown> {
  assert.ok(typeof records !== 'string', `the frame gave ${JSON.stringify(records)}`)
  assert.equal(records.length, 1)
  return { ...records[0] }
}

function pick(record: Record<string, unknown>, ...names: string[]): unknown[] {
  return names.map(name => record[name])
}

test('a record is made of the fields that the table names', () => {
  const record = one(runTable(trade, tradeFrame))
  assert.deepEqual(pick(record, 'symbol', 'native_symbol', 'exchange_ts'), [
    'of BTC-USD',
    'BTC-USD',
    1_790_000_000_123_456
  ])
  assert.deepEqual(pick(record, 'trade_id', 'price', 'size', 'side'), ['77', '1.50', '0.002', 'BUY'])
  assert.equal(record['sequence'], '9007199254740993')
})

test('a field that is optional may be absent, null or an empty text, any other may not', () => {
  assert.equal(one(runTable(trade, tradeFrame.replace(',"sequence":9007199254740993', '')))['sequence'], null)
  assert.equal(one(runTable(trade, tradeFrame.replace('9007199254740993', 'null')))['sequence'], null)
  assert.equal(one(runTable(trade, tradeFrame.replace('9007199254740993', '""')))['sequence'], null)
  assert.equal(runTable(trade, tradeFrame.replace('"price"', '"Price"')), 'missing')
  assert.equal(runTable(trade, tradeFrame.replace('"1.50"', 'null')), 'invalid')
})

test('a field that is nullable may be null or an empty text, but must be there', () => {
  const table: TradeTable = { ...trade, fields: { ...trade.fields, sequence: nullable(text('sequence')) } }
  assert.equal(one(runTable(table, tradeFrame))['sequence'], '9007199254740993')
  for (const none of ['null', '""']) {
    assert.equal(one(runTable(table, tradeFrame.replace('9007199254740993', none)))['sequence'], null)
  }
  assert.equal(runTable(table, tradeFrame.replace('"sequence"', '"number"')), 'missing')
  for (const wrong of ['true', '{}', '[]']) {
    assert.equal(runTable(table, tradeFrame.replace('9007199254740993', wrong)), 'invalid', wrong)
  }
})

test('an event whose time says that there is none has none', () => {
  for (const time of ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z']) {
    const record = one(runTable(trade, tradeFrame.replace('2026-09-21T14:13:20.123456789Z', time)))
    assert.equal(record['exchange_ts'], null)
  }
  assert.equal(runTable(trade, tradeFrame.replace('2026-09-21', '2026-09-31')), 'invalid')
})

test('values of the wrong type or grammar make the frame invalid', () => {
  for (const wrong of ['"1,5"', '""', '"NaN"', 'true', '{}', '[1]', '"1."', '"+1"']) {
    assert.equal(runTable(trade, tradeFrame.replace('"1.50"', wrong)), 'invalid', wrong)
  }
  for (const wrong of ['true', '{}', 'null', '7e2']) {
    assert.equal(
      runTable(trade, tradeFrame.replace('"trade_id":77', `"trade_id":${wrong}`)),
      'invalid',
      wrong
    )
  }
  assert.equal(runTable(trade, tradeFrame.replace('"sell"', '"SELL"')), 'invalid')
  assert.equal(runTable(trade, tradeFrame.replace('2026-09', '2026-13')), 'invalid')
  assert.equal(runTable(trade, tradeFrame.replace('"BTC-USD"', '7')), 'invalid')
})

test('of equal keys the last one wins', () => {
  const record = one(runTable(trade, tradeFrame.replace('"price":"1.50"', '"price":"9","price":"1.75"')))
  assert.equal(record['price'], '1.75')
})

test('keys, words and symbols may be written with escapes', () => {
  const escaped = tradeFrame
    .replace('"side":"sell"', '"s\\u0069de":"s\\u0065ll"')
    .replace('"BTC-USD"', '"BTC\\u002dUSD"')
  assert.equal(one(runTable(trade, escaped))['side'], 'BUY')
})

test('keys that only resemble a wanted one are passed over', () => {
  const noise = '"tipe":1,"typ":2,"typee":3,"pricf":4,"qrice":"5","":6,"sequencf":[7,{"price":"8"}],'
  const record = one(runTable(trade, tradeFrame.replace('{', `{${noise}`)))
  assert.equal(record['price'], '1.50')
})

test('a symbol that is not subscribed is told from a broken frame', () => {
  assert.equal(runTable(trade, tradeFrame, { natives: ['ETH-USD'] }), 'symbol')
})

test('a frame of another kind is no match', () => {
  assert.equal(runTable(trade, tradeFrame.replace('"match"', '"last_match"')), 'noMatch')
  assert.equal(runTable(trade, '{"type":5}'), 'noMatch')
  assert.equal(runTable(trade, '[]'), 'noMatch')
  assert.equal(runTable(trade, '7'), 'noMatch')
  assert.equal(runTable(trade, '"match"'), 'noMatch')
})

test('a projection carries raw scalars; what is absent, null or no scalar is left out', () => {
  const frame = tradeFrame.replace('{', '{"maker":{"id":1},"flag":true,"nothing":null,')
  const record = one(runTable(trade, frame, { projection: ['type', 'maker', 'flag', 'nothing', 'price'] }))
  assert.deepEqual(record['extras'], { type: 'match', flag: 'true', price: '1.50' })
  assert.equal(one(runTable(trade, frame))['extras'], null)
  assert.deepEqual(one(runTable(trade, tradeFrame, { projection: ['maker'] }))['extras'], {})
})

test('names outside the closed list of a projection are told', () => {
  assert.deepEqual(unknownProjection([trade], 'trade', ['price', 'flag']), [])
  assert.deepEqual(unknownProjection([trade], 'trade', ['price', 'nonsense', 'toString']), [
    'nonsense',
    'toString'
  ])
  assert.deepEqual(unknownProjection([trade], 'ticker', ['price']), ['price'])
})

const bitfinexTrade: TradeTable = {
  name: 'test/te',
  requestType: 'trade',
  match: [is('1', 'te')],
  fields: {
    symbol: channel('0'),
    exchange_ts: instant('2.1'),
    stream_type: always('REALTIME'),
    trade_id: text('2.0'),
    price: decimal('2.3'),
    size: absolute('2.2'),
    side: signOf('2.2', 'BUY', 'SELL')
  }
}

test('positions of arrays, channel numbers and signs are understood', () => {
  const frame = '[89,"te",[382489563,1564617600709,-0.00705845,10087.98969503],18,1564617600784]'
  const record = one(runTable(bitfinexTrade, frame, { natives: ['tBTCUSD'], channels: ['89'] }))
  assert.deepEqual(pick(record, 'trade_id', 'price', 'size', 'side', 'exchange_ts', 'native_symbol'), [
    '382489563',
    '10087.98969503',
    '0.00705845',
    'SELL',
    1_564_617_600_709_000,
    'tBTCUSD'
  ])
  assert.equal(runTable(bitfinexTrade, frame.replace('89', '90'), { channels: ['89'] }), 'symbol')
  assert.equal(runTable(bitfinexTrade, frame.replace('"te"', '"hb"'), { channels: ['89'] }), 'noMatch')
  assert.equal(runTable(bitfinexTrade, '[89,"te",[1,2]]', { channels: ['89'] }), 'missing')
})

const bitfinexSides = { zeroWhen: '1', single: true } as const
const bitfinexBook: BookTable = {
  name: 'test/bitfinex-book',
  requestType: 'orderbook',
  match: [isList('1'), isNoList('1.0')],
  fields: {
    symbol: channel('0'),
    stream_type: always('REALTIME'),
    kind: always('DELTA'),
    bids: levels('1', 0, 2, { ...bitfinexSides, sign: 'positive' }),
    asks: levels('1', 0, 2, { ...bitfinexSides, sign: 'negative' })
  }
}

test('a level may stand alone, tell its side by its sign and its end by a count', () => {
  const book = (frame: string) => one(runTable(bitfinexBook, frame, { channels: ['6959'] }))
  const set = book('[6959,[219.11,3,-18.10913638],45,1564617601214]')
  assert.deepEqual(pick(set, 'bids', 'asks'), [[], [{ price: '219.11', size: '18.10913638' }]])
  const removed = book('[6959,[218.03,0,1],430]')
  assert.deepEqual(pick(removed, 'bids', 'asks'), [[{ price: '218.03', size: '0' }], []])
  assert.equal(runTable(bitfinexBook, '[6959,[[1,1,1]]]', { channels: ['6959'] }), 'noMatch')
})

test('a snapshot in the same shape is a kind of its own', () => {
  const snapshot: BookTable = {
    ...bitfinexBook,
    match: [isList('1'), isList('1.0')],
    fields: { ...bitfinexBook.fields, kind: always('SNAPSHOT') }
  }
  const record = one(
    runTable(snapshot, '[6959,[[216,2,31.52],[218.75,1,-13.33333333],[218.76,1,-2]],10]', {
      channels: ['6959']
    })
  )
  assert.deepEqual(pick(record, 'kind', 'bids', 'asks'), [
    'SNAPSHOT',
    [{ price: '216', size: '31.52' }],
    [
      { price: '218.75', size: '13.33333333' },
      { price: '218.76', size: '2' }
    ]
  ])
})

test('levels of both sides in one list are told apart by a word', () => {
  const table: BookTable = {
    name: 'test/l2update',
    requestType: 'orderbook',
    match: [is('type', 'l2update')],
    fields: {
      symbol: native('product_id'),
      exchange_ts: rfc3339('time'),
      stream_type: always('REALTIME'),
      kind: always('DELTA'),
      bids: levels('changes', 1, 2, { only: { path: '0', word: 'buy' } }),
      asks: levels('changes', 1, 2, { only: { path: '0', word: 'sell' } })
    }
  }
  const frame =
    '{"type":"l2update","product_id":"BTC-USD","changes":[["sell","1.06","660.5"],["buy","1.05","0.00"]],"time":"2021-04-17T16:43:37.075687Z"}'
  assert.deepEqual(pick(one(runTable(table, frame)), 'bids', 'asks'), [
    [{ price: '1.05', size: '0.00' }],
    [{ price: '1.06', size: '660.5' }]
  ])
  assert.equal(runTable(table, frame.replace('["sell",', '[')), 'missing')
  assert.equal(runTable(table, frame.replace('"sell"', '"sold"')), 'invalid', 'a level of neither side')
  assert.equal(runTable(table, frame.replace('"sell"', 'null')), 'invalid')
  assert.equal(runTable(table, frame.replace('["buy","1.05","0.00"]', '"buy"')), 'invalid')
})

test('a list in the frame makes one record for each element, and fields beside it are shared', () => {
  const table: TradeTable = {
    name: 'test/kraken-trade',
    requestType: 'trade',
    match: [is('channel', 'trade')],
    each: 'data',
    fields: {
      symbol: native('symbol'),
      exchange_ts: rfc3339('timestamp'),
      stream_type: words('/type', { snapshot: 'SNAPSHOT', update: 'REALTIME' }),
      trade_id: text('trade_id'),
      price: decimal('price'),
      size: decimal('qty'),
      side: words('side', { buy: 'BUY', sell: 'SELL' })
    }
  }
  const item = (id: number, symbol: string) =>
    `{"symbol":"${symbol}","side":"buy","price":105944.20,"qty":0.00027625,"trade_id":${id},"timestamp":"2023-10-06T17:35:55.440295Z"}`
  const frame = (items: string[]) => `{"channel":"trade","type":"update","data":[${items.join(',')}]}`
  const records = runTable(table, frame([item(1, 'BTC/USD'), item(2, 'BTC/USD'), item(3, 'BTC/USD')]), {
    natives: ['BTC/USD']
  })
  assert.ok(Array.isArray(records))
  assert.deepEqual(
    records.map(record => [record.frame_index, 'trade_id' in record ? record.trade_id : null]),
    [
      [0, '1'],
      [1, '2'],
      [2, '3']
    ]
  )
  const mixed = runTable(table, frame([item(1, 'BTC/USD'), item(2, 'OLD/USD')]), { natives: ['BTC/USD'] })
  assert.ok(Array.isArray(mixed) && mixed.length === 1, 'an event of another symbol is left out')
  assert.equal(runTable(table, frame([]), { natives: ['BTC/USD'] }), 'empty')
  assert.equal(runTable(table, '{"channel":"trade","type":"update"}', { natives: ['BTC/USD'] }), 'missing')
  const broken = frame([item(1, 'BTC/USD'), item(2, 'BTC/USD').replace('"qty"', '"quantity"')])
  assert.equal(runTable(table, broken, { natives: ['BTC/USD'] }), 'missing')
})

test('a symbol may be a part of a channel name, or two fields together; asks may come worst first', () => {
  const part: TickerTable = {
    name: 'test/huobi-ticker',
    requestType: 'ticker',
    match: [isPresent('tick.lastPrice'), isAbsent('status')],
    fields: {
      symbol: nativePart('ch', '.', 1),
      exchange_ts: seconds('ts'),
      stream_type: mark('snapshot', 'SNAPSHOT', 'REALTIME'),
      last: decimal('tick.lastPrice'),
      change_rate: percent('tick.rate'),
      price_window: always('ROLLING_24H'),
      volume_window: always('UNKNOWN')
    },
    evidence: integer('tick.count')
  }
  const ticker = one(
    runTable(
      part,
      '{"ch":"market.btcusdt.ticker","ts":"1790000000.25","snapshot":true,"tick":{"lastPrice":1.13E5,"rate":"12.5","count":7}}',
      {
        natives: ['btcusdt']
      }
    )
  )
  assert.deepEqual(
    pick(ticker, 'native_symbol', 'exchange_ts', 'stream_type', 'last', 'change_rate', 'open'),
    ['btcusdt', 1_790_000_000_250_000, 'SNAPSHOT', '113000', '0.125', null]
  )

  const pair: BookTable = {
    name: 'test/coinone-book',
    requestType: 'orderbook',
    match: [is('channel', 'ORDERBOOK')],
    fields: {
      symbol: nativePair('data.target_currency', '/', 'data.quote_currency'),
      exchange_ts: instant('data.timestamp'),
      stream_type: always('REALTIME'),
      kind: always('SNAPSHOT'),
      bids: optional(levels('data.bids', 'price', 'qty')),
      asks: levels('data.asks', 'price', 'qty', { reverse: true }),
      sequence_last: text('data.id')
    }
  }
  const book = one(
    runTable(
      pair,
      '{"channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"BTC","timestamp":1790134177753,"id":"17901","asks":[{"price":"3","qty":"1"},{"price":"2","qty":"1"}]}}',
      { natives: ['BTC/KRW'] }
    )
  )
  assert.deepEqual(pick(book, 'bids', 'asks', 'sequence_last', 'native_symbol'), [
    [],
    [
      { price: '2', size: '1' },
      { price: '3', size: '1' }
    ],
    '17901',
    'BTC/KRW'
  ])
})

test('flags give a side, and a flag of another type is invalid', () => {
  const table: TradeTable = { ...trade, fields: { ...trade.fields, side: makerIsSeller('maker_sold') } }
  const frame = (flag: string) => tradeFrame.replace('"side":"sell"', `"maker_sold":${flag}`)
  assert.equal(one(runTable(table, frame('true')))['side'], 'BUY')
  assert.equal(one(runTable(table, frame('false')))['side'], 'SELL')
  assert.equal(runTable(table, frame('"true"')), 'invalid')
  assert.equal(runTable(table, tradeFrame), 'missing')
})

test('books of more than 63 levels have the array counts of Avro', () => {
  const table: BookTable = {
    name: 'test/book',
    requestType: 'orderbook',
    match: [],
    fields: {
      symbol: native('s'),
      stream_type: always('SNAPSHOT'),
      kind: always('SNAPSHOT'),
      bids: levels('b', 0, 1),
      asks: levels('a', 0, 1),
      checksum: integer('c')
    }
  }
  for (const count of [0, 1, 63, 64, 65, 1000, 9000]) {
    const side = Array.from({ length: count }, (_, index) => [String(index + 1), '1.0'])
    const record = one(runTable(table, JSON.stringify({ s: 'BTC-USD', b: side, a: [], c: -855196043 })))
    assert.equal((record['bids'] as unknown[]).length, count)
    assert.equal(record['checksum'], -855196043)
  }
})

test('a table that lacks a field which is never null is refused when it is compiled', () => {
  const fields = Object.fromEntries(Object.entries(trade.fields).filter(([name]) => name !== 'price'))
  assert.throws(
    () => compileTable({ ...trade, fields: fields as unknown as TradeTable['fields'] }, []),
    /price/
  )
  const misspelt = { ...trade.fields, prize: decimal('prize') }
  assert.throws(() => compileTable({ ...trade, fields: misspelt }, []), /prize/)
})

test('nothing in a table can become code', () => {
  const hostile = '"];throw 9;//\n\u2028`${1}'
  const table: TradeTable = {
    ...trade,
    name: hostile,
    match: [is(hostile, hostile)],
    raw: { [hostile]: hostile }
  }
  const frame = tradeFrame.replace('{', `{${JSON.stringify(hostile)}:${JSON.stringify(hostile)},`)
  const record = one(runTable(table, frame, { projection: [hostile] }))
  assert.deepEqual(record['extras'], { [hostile]: hostile })
})

test('a matcher only tells the kind', () => {
  const match = compileMatcher({
    name: 'test/kline',
    requestType: null,
    envelope: 'data',
    match: [is('e', 'kline'), isPresent('/stream')],
    ignore: 'kind'
  })
  const run = (frame: string) => {
    const workspace = new Workspace()
    const bytes = new TextEncoder().encode(frame)
    workspace.fitFrames(bytes.length, bytes.length)
    workspace.bytes.set(bytes)
    tokenize(workspace.bytes, 0, bytes.length, bytes.length, workspace.tape)
    return match(workspace, 0)
  }
  assert.equal(run('{"stream":"x","data":{"e":"kline"}}'), 0)
  assert.equal(run('{"data":{"e":"kline"}}'), FrameFault.noMatch)
  assert.equal(run('{"stream":"x","data":{"e":"trade"}}'), FrameFault.noMatch)
})
