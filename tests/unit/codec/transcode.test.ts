import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DataRecord, recordTypes, withHeader } from '../../../src/codec/avro-types.ts'
import { createTranscoder, type Transcoder } from '../../../src/codec/transcode.ts'
import { warmUp } from '../../../src/codec/warm-up.ts'
import { FrameKind } from '../../../src/wire/frame-batch.ts'
import { FrameOutcome, RecordBatch, RecordFlag } from '../../../src/wire/record-batch.ts'
import {
  batchOf,
  contextOf,
  recordsOf,
  type TestFrame,
  transcodeFrames,
  valueOf
} from '../../support/codec.ts'

const bitcoin = { symbol: 'BTC-USDT', native: 'BTCUSDT' }
const ether = { symbol: 'ETH-USDT', native: 'ETHUSDT' }
const won = { symbol: 'BTC-KRW', native: 'KRW-BTC' }

const tradeOf = (id: number, native = 'BTCUSDT') =>
  `{"stream":"${native.toLowerCase()}@trade","data":{"e":"trade","E":1790000000136,"s":"${native}","t":${id},"p":"61234.5","q":"0.01","T":1790000000135,"m":true,"M":true}}`
const deltaOf = (first: number, last: number, bids: unknown[], asks: unknown[]) =>
  JSON.stringify({
    stream: 'btcusdt@depth@100ms',
    data: { e: 'depthUpdate', E: 1790000000472, s: 'BTCUSDT', U: first, u: last, b: bids, a: asks }
  })

// Decimals as venues print them, without an exponent: what avsc must see is the very text.
const digits = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 10n ** 24n }),
    fc.option(fc.stringMatching(/^[0-9]{1,30}$/), { nil: null })
  )
  .map(([whole, fraction]) => (fraction === null ? String(whole) : `${whole}.${fraction}`))
const levels = fc.array(fc.tuple(digits, digits), { maxLength: 90 })
const id = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)
const millis = fc.integer({ min: 1_000_000_000_000, max: 4_000_000_000_000 })

function head(
  frameSeq: number,
  instrument: { symbol: string; native: string },
  exchange: string,
  region: string
) {
  return {
    exchange,
    region,
    symbol: instrument.symbol,
    native_symbol: instrument.native,
    received_ts: 1_790_000_000_000_000 + frameSeq,
    frame_seq: frameSeq,
    frame_index: 0
  }
}

test('any Binance book update is, byte for byte, what avsc makes of the same values', () => {
  const transcoder = createTranscoder()
  fc.assert(
    fc.property(levels, levels, id, id, millis, (bids, asks, first, last, time) => {
      const frame = `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":${time},"s":"BTCUSDT","U":${first},"u":${last},"b":${JSON.stringify(bids)},"a":${JSON.stringify(asks)}}}`
      const context = contextOf('binance', 'orderbook', [bitcoin])
      const batch = transcodeFrames(context, [frame], transcoder)
      const expected = recordTypes.orderbook.toBuffer({
        ...head(1, bitcoin, 'binance', 'asia'),
        exchange_ts: time * 1000,
        connection_id: context.connection.connectionId,
        stream_type: 'REALTIME',
        kind: 'DELTA',
        bids: bids.map(([price, size]) => ({ price, size })),
        asks: asks.map(([price, size]) => ({ price, size })),
        sequence_first: first,
        sequence_last: last,
        sequence_previous: null,
        checksum: null,
        extras: null
      })
      assert.deepEqual(Buffer.from(valueOf(batch, 0)), withHeader(0x01020304, expected))
      assert.equal(batch.sequenceFirst(0), first)
      assert.equal(batch.sequenceLast(0), last)
    }),
    { seed: 3, numRuns: 200 }
  )
})

test('any Upbit trade is, byte for byte, what avsc makes of the same values', () => {
  const transcoder = createTranscoder()
  fc.assert(
    fc.property(
      digits,
      digits,
      id,
      millis,
      fc.boolean(),
      fc.boolean(),
      (price, size, tradeId, time, bid, snapshot) => {
        const frame = `{"type":"trade","code":"KRW-BTC","trade_timestamp":${time},"trade_price":${price},"trade_volume":${size},"ask_bid":"${bid ? 'BID' : 'ASK'}","sequential_id":${tradeId},"stream_type":"${snapshot ? 'SNAPSHOT' : 'REALTIME'}"}`
        const context = contextOf('upbit', 'trade', [won])
        const batch = transcodeFrames(context, [frame], transcoder)
        const expected = recordTypes.trade.toBuffer({
          ...head(1, won, 'upbit', 'korea'),
          exchange_ts: time * 1000,
          connection_id: context.connection.connectionId,
          stream_type: snapshot ? 'SNAPSHOT' : 'REALTIME',
          trade_id: tradeId,
          price,
          size,
          side: bid ? 'BUY' : 'SELL',
          sequence: null,
          extras: null
        })
        assert.deepEqual(Buffer.from(valueOf(batch, 0)), withHeader(0x01020304, expected))
        assert.equal(batch.tradeId(0), tradeId)
        assert.equal(batch.flags(0), snapshot ? RecordFlag.snapshotStream : 0)
        assert.equal(batch.exchangeMicros(0), time * 1000)
      }
    ),
    { seed: 5, numRuns: 200 }
  )
})

test('any split of the same frames into batches gives the same records and outcomes', () => {
  const frames: TestFrame[] = [
    { frame: deltaOf(1, 2, [['1', '2']], []) },
    { frame: '{"result":null,"id":1}' },
    { frame: deltaOf(3, 3, [], [['1.5', '0']]), subscription: 0 },
    { frame: '{"lastUpdateId":9,"bids":[["1","1"]],"asks":[]}', kind: FrameKind.snapshot, subscription: 0 },
    { frame: '{"stream":"btcusdt@depth' },
    { frame: tradeOf(5) },
    {
      frame: deltaOf(
        4,
        6,
        Array.from({ length: 100 }, (_, index) => [String(index), '1e2']),
        []
      )
    },
    { frame: Uint8Array.of(0x22, 0xff, 0x22) },
    { frame: '"\\u0041"' },
    { frame: deltaOf(7, 7, [['1', 'one']], []) }
  ]
  const context = contextOf('binance', 'orderbook', [bitcoin])
  const seen = (parts: readonly (readonly TestFrame[])[]) => {
    const transcoder = createTranscoder()
    const outcomes: unknown[] = []
    const values: string[] = []
    let seq = 1
    for (const part of parts) {
      const batch = new RecordBatch(transcoder.transcode(batchOf(part, seq), context))
      seq += part.length
      for (let frame = 0; frame < batch.frames; frame++) {
        outcomes.push([
          batch.frameSeqOf(frame),
          batch.outcome(frame),
          batch.reason(frame),
          batch.recordsOf(frame),
          batch.frameSubscription(frame)
        ])
      }
      for (let row = 0; row < batch.records; row++) {
        values.push(Buffer.from(valueOf(batch, row)).toString('hex'))
        outcomes.push([batch.frameSeq(row), batch.frameIndex(row), batch.sequenceLast(row), batch.flags(row)])
      }
    }
    return { values, outcomes: outcomes.map(item => JSON.stringify(item)).sort() }
  }
  const whole = seen([frames])
  assert.equal(whole.values.length, 4)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: frames.length }), { maxLength: 6 }), cuts => {
      const edges = [0, ...[...cuts].sort((a, b) => a - b), frames.length]
      const parts = edges.slice(1).map((edge, index) => frames.slice(edges[index], edge))
      assert.deepEqual(seen(parts), whole)
    }),
    { seed: 11, numRuns: 100 }
  )
})

test('accounts close: every frame has one outcome, and the records of a frame are counted', () => {
  const context = contextOf('binance', 'trade', [bitcoin, ether])
  const batch = transcodeFrames(context, [
    tradeOf(1),
    '{"result":null,"id":1}',
    tradeOf(2, 'XRPUSDT'),
    tradeOf(3, 'ETHUSDT'),
    '[',
    '{"unheard":"of"}',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    deltaOf(1, 1, [], [])
  ])
  const outcomes = Array.from({ length: batch.frames }, (_, frame) => [
    batch.outcome(frame),
    batch.reason(frame)
  ])
  assert.deepEqual(outcomes, [
    [FrameOutcome.transcoded, 'none'],
    [FrameOutcome.control, 'none'],
    [FrameOutcome.ignored, 'symbol'],
    [FrameOutcome.transcoded, 'none'],
    [FrameOutcome.dead, 'malformed json'],
    [FrameOutcome.dead, 'unknown'],
    [FrameOutcome.dead, 'nested too deep'],
    [FrameOutcome.ignored, 'kind']
  ])
  assert.equal(batch.records, 2)
  assert.deepEqual([batch.frame(0), batch.frame(1)], [0, 3])
  assert.deepEqual([batch.subscription(0), batch.subscription(1)], [0, 1])
})

test('a wrong guess of the connection does not change whose record it is', () => {
  const context = contextOf('binance', 'trade', [bitcoin, ether])
  const batch = transcodeFrames(context, [
    { frame: tradeOf(1, 'ETHUSDT'), subscription: 0 },
    { frame: tradeOf(2, 'ETHUSDT'), subscription: 99 }
  ])
  assert.deepEqual([batch.subscription(0), batch.subscription(1)], [1, 1])
  const symbols = recordsOf(batch, 'trade').map(record => record.symbol)
  assert.deepEqual(symbols, ['ETH-USDT', 'ETH-USDT'])
})

test('a REST snapshot takes the symbol of its row, and is flagged as the whole book', () => {
  const context = contextOf('binance', 'orderbook', [bitcoin, ether])
  const body = '{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}'
  const batch = transcodeFrames(context, [{ frame: body, kind: FrameKind.snapshot, subscription: 1 }])
  assert.equal(recordsOf(batch, 'orderbook')[0]?.symbol, 'ETH-USDT')
  assert.equal(batch.flags(0), RecordFlag.snapshotStream | RecordFlag.bookSnapshot)
  assert.deepEqual(
    [batch.sequenceFirst(0), batch.sequenceLast(0), batch.sequencePrevious(0)],
    [null, '160', null]
  )
  assert.ok(Number.isNaN(batch.exchangeMicros(0)))
})

test('tickers carry evidence that their symbol traded', () => {
  const ticker = (last: number) =>
    `{"e":"24hrTicker","E":1790000000321,"s":"BTCUSDT","p":"1","P":"1","x":"1","c":"1","b":"1","B":"1","a":"1","A":"1","o":"1","h":"1","l":"1","v":"1","q":"1","L":${last}}`
  const batch = transcodeFrames(contextOf('binance', 'ticker', [bitcoin]), [ticker(41), ticker(42)])
  assert.deepEqual([batch.evidence(0), batch.evidence(1)], [41, 42])
  const trades = transcodeFrames(contextOf('binance', 'trade', [bitcoin]), [tradeOf(1)])
  assert.ok(Number.isNaN(trades.evidence(0)))
})

test('exponents that blow a frame up are written whole, and those beyond reason kill it', () => {
  const context = contextOf('binance', 'orderbook', [bitcoin])
  const level = '[1e100,1e-100]'
  const frame = (levels: string) =>
    `{"e":"depthUpdate","E":1790000000472,"s":"BTCUSDT","U":1,"u":2,"b":[${levels}],"a":[]}`
  const batch = transcodeFrames(context, [
    frame(Array(5000).fill(level).join()),
    frame(level),
    frame('[1e999999999,1]')
  ])
  assert.equal(batch.outcome(0), FrameOutcome.transcoded)
  assert.equal(batch.outcome(1), FrameOutcome.transcoded)
  assert.deepEqual([batch.outcome(2), batch.reason(2)], [FrameOutcome.dead, 'field invalid'])
  const [big, small] = recordsOf(batch, 'orderbook') as unknown as {
    bids: { price: string; size: string }[]
  }[]
  assert.equal(big?.bids.length, 5000)
  assert.deepEqual({ ...big?.bids[4999] }, { price: `1${'0'.repeat(100)}`, size: `0.${'0'.repeat(99)}1` })
  assert.equal(small?.bids.length, 1)
})

test('a new version of a context is taken up, and an old one does not linger', () => {
  const transcoder = createTranscoder()
  const first = contextOf('binance', 'trade', [bitcoin])
  const second = { ...first, connection: { ...first.connection, version: 2, instruments: [bitcoin, ether] } }
  assert.equal(transcodeFrames(first, [tradeOf(1, 'ETHUSDT')], transcoder).reason(0), 'symbol')
  assert.equal(transcodeFrames(second, [tradeOf(1, 'ETHUSDT')], transcoder).records, 1)
  assert.equal(transcodeFrames(first, [tradeOf(1, 'ETHUSDT')], transcoder).reason(0), 'symbol')
})

test('a projection reaches the records', () => {
  const context = contextOf('binance', 'trade', [bitcoin], { projection: ['M', 'q', 'E'] })
  const [record] = recordsOf(transcodeFrames(context, [tradeOf(1)]), 'trade')
  assert.deepEqual(record?.extras, { M: 'true', q: '0.01', E: '1790000000136' })
})

test('JSON values have the shape of the Avro record, and the facts point into them', () => {
  const avro = contextOf('binance', 'orderbook', [bitcoin])
  const json = { ...avro, encoding: { ...avro.encoding, format: 'json' as const } }
  const frames = [
    deltaOf(10, 12, [['1', '2']], []),
    '{"result":null,"id":1}',
    deltaOf(13, 13, [], [['3', '4']])
  ]
  const expected = recordsOf(transcodeFrames(avro, frames), 'orderbook')
  const batch = transcodeFrames(json, frames)
  const actual = expected.map(
    (_, row) => JSON.parse(Buffer.from(valueOf(batch, row)).toString()) as DataRecord
  )
  assert.deepEqual(actual, JSON.parse(JSON.stringify(expected)))
  assert.deepEqual([batch.sequenceFirst(1), batch.sequenceLast(1)], ['13', '13'])
  assert.deepEqual([batch.outcome(1), batch.recordsOf(2)], [FrameOutcome.control, 1])
  const trades = transcodeFrames(contextOf('binance', 'trade', [bitcoin], { format: 'json' }), [tradeOf(77)])
  assert.equal(trades.tradeId(0), '77')
})

test('what is read in place is what would be copied out, batch after batch', () => {
  const inPlace = createTranscoder()
  const context = contextOf('binance', 'orderbook', [bitcoin])
  const facts = (batch: RecordBatch) => ({
    head: [batch.connection, batch.batchNumber, batch.frames, batch.records],
    frames: Array.from({ length: batch.frames }, (_, frame) => [
      batch.outcome(frame),
      batch.reason(frame),
      batch.recordsOf(frame),
      batch.frameSeqOf(frame),
      batch.frameReceivedMicros(frame)
    ]),
    rows: Array.from({ length: batch.records }, (_, row) => [
      Buffer.from(valueOf(batch, row)).toString('hex'),
      batch.exchangeMicros(row),
      batch.receivedMicros(row),
      batch.frameSeq(row),
      batch.frame(row),
      batch.frameIndex(row),
      batch.subscription(row),
      batch.flags(row),
      batch.sequenceFirst(row),
      batch.sequenceLast(row),
      batch.sequencePrevious(row),
      batch.tradeId(row)
    ])
  })
  const batches = [
    [deltaOf(1, 2, [['1.5', '2']], []), '{"e":', deltaOf(3, 3, [], [['9', '0.1']])],
    [],
    Array.from({ length: 200 }, (_, i) => deltaOf(i, i, [['1.5', '2']], [['3', '4']]))
  ]
  batches.forEach((frames, at) => {
    const buffer = batchOf(
      frames.map(frame => ({ frame })),
      1000 * at
    )
    const copied = new RecordBatch(createTranscoder().transcode(buffer.slice(0), context))
    assert.deepEqual(facts(inPlace.transcodeInPlace(buffer, context)), facts(copied))
  })
  const json = contextOf('binance', 'trade', [bitcoin], { format: 'json' })
  const batch = inPlace.transcodeInPlace(batchOf([{ frame: tradeOf(5) }]), json)
  assert.match(Buffer.from(valueOf(batch, 0)).toString(), /^\{"exchange":"binance"/)
})

test('the progress cell names the frame at hand', () => {
  const progress = new Int32Array(2)
  const transcoder = createTranscoder()
  const watched: Transcoder = {
    transcode: (batch, context) => transcoder.transcode(batch, context, progress),
    transcodeInPlace: (batch, context) => transcoder.transcodeInPlace(batch, context)
  }
  transcodeFrames(contextOf('binance', 'trade', [bitcoin]), [tradeOf(1), tradeOf(2), tradeOf(3)], watched)
  assert.deepEqual([...progress], [0, 2])
})

test('an empty batch is answered with an empty batch', () => {
  const batch = transcodeFrames(contextOf('upbit', 'trade', [won]), [])
  assert.deepEqual([batch.frames, batch.records], [0, 0])
})

test('a transcoder that was warmed up answers as a fresh one does', () => {
  const warm = createTranscoder()
  warmUp(warm, ['upbit', 'binance'])
  const context = contextOf('binance', 'trade', [bitcoin])
  const value = (transcoder: ReturnType<typeof createTranscoder>) =>
    Buffer.from(valueOf(transcodeFrames(context, [tradeOf(1)], transcoder), 0)).toString('hex')
  assert.equal(value(warm), value(createTranscoder()))
})
