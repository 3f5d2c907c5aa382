import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import fc from 'fast-check'
import { BookLevels } from '../../../../actors/producer/book-levels.ts'
import { orderBookSchema } from '../../../../schemas/generated/order-book.ts'
import { type BookLevel, type DeltaBookRules } from '../../../../src/exchange-kit/adapter.ts'

type Pair = readonly [price: string, size: string]

const type = avsc.Type.forSchema(JSON.parse(orderBookSchema) as avsc.Schema)
const encoder = new TextEncoder()

/** What the checksum of the rules was asked about, as text. */
let asked = ''
const rules: DeltaBookRules = {
  mode: 'delta',
  sequence: 'none',
  snapshot: { from: 'stream' },
  check: {
    levels: 3,
    sum: (bids, asks) => {
      asked = `${shown(bids)} | ${shown(asks)}`
      return 17
    }
  },
  depth: null
}

function shown(levels: readonly BookLevel[]): string {
  return levels.map(({ price, size }) => `${price}:${size}`).join(' ')
}

function valueOf(bids: readonly Pair[], asks: readonly Pair[], isSnapshot: boolean) {
  const levelsOf = (pairs: readonly Pair[]) => pairs.map(([price, size]) => ({ price, size }))
  return {
    exchange: 'kraken',
    region: 'na',
    symbol: 'BTC-USD',
    native_symbol: 'BTC/USD',
    exchange_ts: 1_790_000_000_000_000,
    received_ts: 1_790_000_000_000_100,
    connection_id: 'pod/kraken/orderbook/0/1790000000000',
    frame_seq: 7,
    frame_index: 0,
    stream_type: isSnapshot ? 'SNAPSHOT' : 'REALTIME',
    kind: isSnapshot ? 'SNAPSHOT' : 'DELTA',
    bids: levelsOf(bids),
    asks: levelsOf(asks),
    sequence_first: null,
    sequence_last: null,
    sequence_previous: null,
    checksum: null,
    extras: null
  }
}

/** A record somewhere in a larger buffer. */
function apply(
  levels: BookLevels,
  bids: readonly Pair[],
  asks: readonly Pair[],
  isSnapshot: boolean,
  format: 'avro' | 'json' = 'avro'
): void {
  const value = valueOf(bids, asks, isSnapshot)
  const body =
    format === 'json'
      ? encoder.encode(JSON.stringify(value))
      : Buffer.concat([Buffer.from([0, 0x40, 0, 0, 1]), type.toBuffer(value)])
  const bytes = new Uint8Array(body.length + 6)
  bytes.set(body, 3)
  levels.apply(bytes, 3, 3 + body.length, isSnapshot)
}

function bookOf(change: Partial<DeltaBookRules> = {}, levelsMax = 1_000): BookLevels {
  return new BookLevels({ ...rules, ...change }, levelsMax)
}

function bestOf(levels: BookLevels): string {
  assert.equal(levels.sum(), 17)
  return asked
}

test('a checksum is asked about the best levels of both sides, best first, with the digits sent', () => {
  for (const format of ['avro', 'json'] as const) {
    const levels = bookOf()
    apply(
      levels,
      [
        ['10.0', '1'],
        ['9.50', '2.00'],
        ['9', '3'],
        ['8', '4']
      ],
      [['10.1', '5']],
      true,
      format
    )
    assert.equal(bestOf(levels), '10.0:1 9.50:2.00 9:3 | 10.1:5')
    apply(
      levels,
      [
        ['9.5', '0.000'],
        ['10', '7']
      ],
      [
        ['11', '6'],
        ['10.05', '1']
      ],
      false,
      format
    )
    assert.equal(bestOf(levels), '10.0:7 9:3 8:4 | 10.05:1 10.1:5 11:6')
    apply(levels, [], [], true, format)
    assert.equal(bestOf(levels), ' | ')
  }
})

test('a snapshot that does not begin with its best level is sorted, and a price that comes twice counts once', () => {
  const levels = bookOf()
  apply(
    levels,
    [
      ['8', '1'],
      ['10', '2'],
      ['9', '3'],
      ['10', '4']
    ],
    [
      ['12', '1'],
      ['11', '2']
    ],
    true
  )
  assert.equal(bestOf(levels), '10:4 9:3 8:1 | 11:2 12:1')
})

test('a book is crossed when its best bid reaches its best ask, and never while a side is empty', () => {
  const levels = bookOf({ check: 'crossed' })
  assert.equal(levels.isCrossed, false)
  apply(levels, [['10', '1']], [], true)
  assert.equal(levels.isCrossed, false)
  apply(levels, [], [['10.5', '1']], false)
  assert.equal(levels.isCrossed, false)
  apply(levels, [['10.50', '1']], [], false)
  assert.equal(levels.isCrossed, true)
  apply(levels, [['10.5', '0']], [], false)
  assert.equal(levels.isCrossed, false)
  assert.ok(Number.isNaN(levels.sum()), 'there is no checksum')
})

test('beyond the depth of the venue and beyond the limit the worst levels go', () => {
  const levels = bookOf({ depth: 2 })
  const steps = Array.from({ length: 5 }, (_, n): Pair => [String(10 - n), '1'])
  apply(levels, steps, steps.toReversed(), true)
  assert.equal(bestOf(levels), '10:1 9:1 | 6:1 7:1')
  assert.equal(levels.forgotten, 0)
  const many = bookOf({}, 128)
  apply(
    many,
    Array.from({ length: 128 }, (_, n): Pair => [String(1000 - n), '1']),
    [],
    true
  )
  assert.deepEqual([many.bids.count, many.forgotten], [128, 0])
  apply(many, [['1001', '1']], [], false)
  assert.deepEqual([many.bids.count, many.forgotten, many.bids.bestPrice], [126, 3, 1001])
})

test('the walk follows an array in several blocks, with and without their lengths', () => {
  const value = type.toBuffer(valueOf([], [], false))
  const empty = value.indexOf(Buffer.from('/1790000000000')) + '/1790000000000'.length
  // frame_seq, frame_index, stream_type and kind are one byte each; then come the two empty arrays.
  const head = value.subarray(0, empty + 4)
  const level = (price: string, size: string) =>
    Buffer.concat([
      Buffer.from([price.length * 2]),
      Buffer.from(price),
      Buffer.from([size.length * 2]),
      Buffer.from(size)
    ])
  const [one, two] = [level('10', '1'), level('9.5', '22')]
  const blocks = [Buffer.from([2]), one, Buffer.from([1, two.length * 2]), two, Buffer.from([0])]
  const bytes = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 1]),
    head,
    ...blocks,
    Buffer.from([0, 0, 0, 0, 0, 0])
  ])
  const levels = bookOf()
  levels.apply(bytes, 0, bytes.length, false)
  assert.equal(bestOf(levels), '10:1 9.5:22 | ')
})

test('whatever comes, the levels are those of a plain map', () => {
  const price = fc.integer({ min: 1, max: 40 }).map(n => (n / 4).toFixed(n % 3 === 0 ? 4 : 2))
  const size = fc.constantFrom('0', '0.00', '1', '2.5', '300')
  const changes = fc.array(fc.tuple(price, size), { maxLength: 8 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), changes, changes), { maxLength: 30 }), records => {
      const levels = bookOf()
      const sides = [new Map<number, string>(), new Map<number, string>()] as const
      records.forEach(([isSnapshot, bids, asks], at) => {
        const isFirst = at === 0
        apply(levels, bids, asks, isSnapshot || isFirst)
        sides.forEach((side, index) => {
          if (isSnapshot || isFirst) side.clear()
          for (const [one, many] of index === 0 ? bids : asks) {
            if (Number(many) !== 0) side.set(Number(one), many)
            else if (!isSnapshot && !isFirst) side.delete(Number(one))
          }
        })
        const [bidPrices, askPrices] = sides.map(side => [...side.keys()].sort((a, b) => a - b)) as [
          number[],
          number[]
        ]
        assert.deepEqual([levels.bids.count, levels.asks.count], [bidPrices.length, askPrices.length])
        levels.sum()
        const best = [bidPrices.toReversed(), askPrices].map((prices, index) =>
          prices.slice(0, 3).map(one => `${one}:${sides[index]!.get(one)}`)
        )
        const expected = best.map(side => side.join(' ')).join(' | ')
        const actual = asked.replaceAll(/[\d.]+:/g, text => `${Number(text.slice(0, -1))}:`)
        assert.equal(actual, expected)
      })
    }),
    { numRuns: 300 }
  )
})
