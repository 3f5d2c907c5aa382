import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTables } from '../../../src/exchange-kit/compile.ts'
import { type ChecksumTable, is, isList, type TradeTable } from '../../../src/exchange-kit/field-table.ts'
import { FrameFault } from '../../../src/exchange-kit/frame-fault.ts'
import {
  absolute,
  always,
  channel,
  decimal,
  instant,
  integer,
  native,
  signOf,
  text
} from '../../../src/exchange-kit/rules.ts'
import { SymbolTable } from '../../../src/exchange-kit/symbol-table.ts'
import { tokenize } from '../../../src/exchange-kit/tape.ts'
import { Workspace } from '../../../src/exchange-kit/workspace.ts'
import { runTable } from '../../support/table-runner.ts'

const newestFirst: TradeTable = {
  name: 'test/newest-first',
  requestType: 'trade',
  match: [isList('1')],
  each: '1',
  newestFirst: true,
  fields: {
    symbol: channel('/0'),
    exchange_ts: instant('1'),
    stream_type: always('SNAPSHOT'),
    trade_id: text('0'),
    price: decimal('3'),
    size: absolute('2'),
    side: signOf('2', 'BUY', 'SELL')
  }
}

const checksum: ChecksumTable = {
  name: 'test/checksum',
  requestType: null,
  match: [is('1', 'cs')],
  symbol: channel('0'),
  checksum: integer('2')
}

const trade = (id: number) => `[${id},17900000000${id},-0.5,61000.10]`

test('a list whose newest event stands first is read from its end', () => {
  const frame = `[17,[${[14, 13, 12].map(trade).join(',')}]]`
  const records = runTable(newestFirst, frame, { channels: ['17'] })
  assert.ok(Array.isArray(records))
  assert.deepEqual(
    records.map(record => [record.frame_index, 'trade_id' in record ? record.trade_id : null]),
    [
      [0, '12'],
      [1, '13'],
      [2, '14']
    ]
  )
  assert.equal(runTable(newestFirst, '[17,[]]', { channels: ['17'] }), 'empty')
  assert.equal(runTable(newestFirst, frame, { channels: ['18'] }), 'symbol')
  assert.equal(runTable(newestFirst, frame.replace(',-0.5,', ',"-",'), { channels: ['17'] }), 'invalid')
  assert.equal(runTable(newestFirst, `[17,[${trade(14)},[13]]]`, { channels: ['17'] }), 'missing')
})

test('of several names the first wins wherever it stands, and of equal ones the last', () => {
  const table: TradeTable = {
    name: 'test/names',
    requestType: 'trade',
    match: [],
    fields: {
      symbol: native('s'),
      exchange_ts: instant('cts|ts'),
      stream_type: always('REALTIME'),
      trade_id: text('ts'),
      price: decimal('price|p'),
      size: decimal('size|q|z'),
      side: always('UNKNOWN')
    }
  }
  const read = (members: string) => {
    const records = runTable(table, `{"s":"BTC-USD",${members}}`)
    assert.ok(Array.isArray(records), members)
    const [record] = records as unknown as Record<string, unknown>[]
    return [record?.['exchange_ts'], record?.['trade_id'], record?.['price'], record?.['size']]
  }
  const [early, late] = [1_790_000_000_001, 1_790_000_000_002]
  assert.deepEqual(read(`"ts":${early},"cts":${late},"p":1,"q":2`), [late * 1000, String(early), '1', '2'])
  assert.deepEqual(read(`"cts":${late},"ts":${early},"p":1,"q":2`), [late * 1000, String(early), '1', '2'])
  assert.deepEqual(read(`"ts":${early},"p":1,"q":2`), [early * 1000, String(early), '1', '2'])
  assert.deepEqual(read(`"ts":${early},"ts":${late},"p":1,"price":3,"p":2,"price":4,"p":5,"q":1,"q":2`), [
    late * 1000,
    String(late),
    '4',
    '2'
  ])
  assert.deepEqual(read(`"ts":${early},"p":1,"p":2,"z":1,"z":7`), [early * 1000, String(early), '2', '7'])
})

test('a list of thousands is read from its end as well', () => {
  const ids = Array.from({ length: 5000 }, (_, index) => 99 - (index % 90))
  const records = runTable(newestFirst, `[17,[${ids.map(trade).join(',')}]]`, { channels: ['17'] })
  assert.ok(Array.isArray(records))
  assert.deepEqual(
    records.map(record => ('trade_id' in record ? Number(record.trade_id) : null)),
    ids.toReversed()
  )
})

/** What a frame that carries a checksum says to a book: subscription and checksum, or what is wrong with it. */
function readChecksum(frame: string): readonly [number, number] | number {
  const compiled = compileTables([checksum], 'orderbook', [])
  const workspace = new Workspace()
  const channels = new SymbolTable()
  channels.add('17', 3)
  workspace.context = { ...workspace.context, channels }
  const bytes = new TextEncoder().encode(frame)
  workspace.fitFrames(bytes.length, bytes.length)
  workspace.bytes.set(bytes)
  tokenize(workspace.bytes, 0, bytes.length, bytes.length, workspace.tape)
  const status = compiled.checksums[0]?.(workspace, 0) ?? FrameFault.noMatch
  return status === 0 ? [workspace.found, workspace.checksum] : status
}

test('a checksum frame names its book and a signed sum', () => {
  assert.deepEqual(readChecksum('[17,"cs",-1216592379,4]'), [3, -1216592379])
  assert.deepEqual(readChecksum('[17,"cs",3078374917]'), [3, 3078374917 | 0])
  assert.deepEqual(readChecksum('[17,"cs",0]'), [3, 0])
  assert.equal(readChecksum('[18,"cs",1]'), FrameFault.symbol)
  assert.equal(readChecksum('["17","cs",1]'), FrameFault.invalid)
  assert.equal(readChecksum('[17,"cs",1.5]'), FrameFault.invalid)
  assert.equal(readChecksum('[17,"cs",null]'), FrameFault.invalid)
  assert.equal(readChecksum('[17,"cs"]'), FrameFault.missing)
  assert.equal(readChecksum('[17,"hb"]'), FrameFault.noMatch)
  assert.equal(readChecksum('{"0":17,"1":"cs","2":1}'), FrameFault.noMatch)
})

test('to every other target a checksum frame is a kind without content', () => {
  for (const requestType of ['ticker', 'trade'] as const) {
    const compiled = compileTables([checksum], requestType, [])
    assert.equal(compiled.checksums.length, 0)
    assert.deepEqual(
      compiled.others.map(({ reason }) => reason),
      ['kind']
    )
  }
  assert.equal(compileTables([checksum], 'orderbook', []).others.length, 0)
})
