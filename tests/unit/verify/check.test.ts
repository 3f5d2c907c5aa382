import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import ids from '../../../schemas/ids.json' with { type: 'json' }
import { type Truth, truthFaults } from '../../../src/domain/truth.ts'
import { CheckBench, startMs } from '../../support/check-bench.ts'

const tradeTarget = { region: 'asia', exchange: 'binance', request_type: 'trade' } as const

/** Every fault that is named has its count, every other one is zero. */
function assertTruth(truth: Truth, expected: Partial<Truth>): void {
  const faultless = Object.fromEntries(truthFaults.map(fault => [fault, 0]))
  const wanted = { ...faultless, ...expected }
  const found = Object.fromEntries(Object.keys(wanted).map(name => [name, truth[name as keyof Truth]]))
  assert.deepEqual(found, wanted)
  assert.equal(truth.sent, truth.delivered + truth.superseded + truth.missing + truth.declared_missing)
}

suite('the check of trades', () => {
  test('finds nothing when all trades come in their order', () => {
    const bench = new CheckBench()
    bench.makeTrades(3000)
    for (let ordinal = 0; ordinal < 3000; ordinal++) bench.deliverTrade(ordinal)
    assertTruth(bench.truth(), { sent: 3000, delivered: 3000 })
    assert.deepEqual(bench.check.explain(), [])
  })

  test('counts a trade that never came and that no gap declares as missing, and says where', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (const ordinal of [0, 1, 2, 5, 6, 7, 8, 9]) bench.deliverTrade(ordinal)
    assertTruth(bench.truth(), { delivered: 8, missing: 2 })
    assert.match(bench.check.explain().join('\n'), /missing: .*ordinals 3 to 4 .*frame 3 .*frame 6/)
  })

  test('counts trades behind the last delivered one as missing at the end, but not while the run goes on', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (let ordinal = 0; ordinal < 7; ordinal++) bench.deliverTrade(ordinal)
    assertTruth(bench.check.interim(), { sent: 7, delivered: 7 })
    assertTruth(bench.truth(), { delivered: 7, missing: 3 })
  })

  test('counts a channel that was confirmed and delivered nothing as missing', () => {
    const bench = new CheckBench()
    bench.makeTrades(4)
    assertTruth(bench.truth(), { delivered: 0, missing: 4 })
  })

  test('takes what lies strictly inside a declared gap as declared', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (const ordinal of [0, 1, 2]) bench.deliverTrade(ordinal)
    for (const ordinal of [6, 7, 8, 9]) bench.deliverTrade(ordinal, { connection: 1, frame: ordinal - 5 })
    bench.declareTradeGap('g1', { frame: 3 }, { connection: 1, frame: 1 })
    assertTruth(bench.truth(), { delivered: 7, declared_missing: 3 })
  })

  test('does not let a gap declare what was lost outside of it', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (const ordinal of [0, 2, 6, 7, 9]) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 3 }, { frame: 7 })
    assertTruth(bench.truth(), { delivered: 5, declared_missing: 3, missing: 2 })
  })

  test('judges a gap by frame numbers, since several frames share one receive time', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    const received_ts = startMs * 1000
    for (const ordinal of [0, 1, 3, 5]) {
      bench.deliverTrade(ordinal, { frame: ordinal + 1 }, { received_ts })
    }
    bench.declareTradeGap(
      'g1',
      { frame: 2 },
      { frame: 4 },
      { opened_ts: received_ts, closed_ts: received_ts }
    )
    assertTruth(bench.truth(), { delivered: 4, declared_missing: 1, missing: 1 })
  })

  test('falls back on receive times where a gap has no frame numbers', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (const ordinal of [0, 1, 2, 5, 6, 8, 9]) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 3 }, { frame: 6 }, { last_frame_seq: null, first_frame_seq: null })
    assertTruth(bench.truth(), { delivered: 7, declared_missing: 2, missing: 1 })
  })

  test('lets a gap that is still open reach to the end of the run', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (let ordinal = 0; ordinal < 4; ordinal++) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 4 }, null)
    assertTruth(bench.truth(), { delivered: 4, declared_missing: 6 })
  })

  test('lets a closed gap declare only what was made before its end was read', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (let ordinal = 0; ordinal < 4; ordinal++) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 4 }, { frame: 5 })
    bench.makeTrades(4)
    assertTruth(bench.truth(), { delivered: 4, declared_missing: 2, missing: 4 })
  })

  test('counts the last event of a gap, not the one that opened it', () => {
    const bench = new CheckBench()
    bench.makeTrades(10)
    for (const ordinal of [0, 1, 4, 5, 6]) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 2 }, null)
    bench.declareTradeGap('g1', { frame: 2 }, { frame: 5 })
    assertTruth(bench.truth(), { delivered: 5, declared_missing: 2, missing: 3 })
  })

  test('applies a gap of a whole connection to the symbols that its shard carries', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (const ordinal of [0, 1, 3, 4, 5]) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 2 }, { frame: 4 }, { symbol: null, reason: 'decode' })
    assertTruth(bench.truth(), { declared_missing: 1 })
  })

  test('does not apply a gap of another shard', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (const ordinal of [0, 1, 3, 4, 5]) bench.deliverTrade(ordinal)
    const connection_id = `pod-0/binance/trade/1/${startMs}`
    bench.declareTradeGap('g1', { frame: 2 }, { frame: 4 }, { symbol: null, reason: 'decode', connection_id })
    bench.fault({ kind: 'corrupt', atMs: startMs + 3 })
    assertTruth(bench.truth(), { missing: 1 })
  })

  test('counts a gap in which nothing was lost and nothing happened as overdeclared', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (let ordinal = 0; ordinal < 6; ordinal++) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 2 }, { frame: 3 })
    assertTruth(bench.truth(), { overdeclared: 1 })
    assert.match(bench.check.explain().join('\n'), /overdeclared: gap g1 of binance\/trade/)
  })

  test('holds no gap against the service when its connection was cut', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (let ordinal = 0; ordinal < 6; ordinal++) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 2 }, { frame: 3 })
    bench.fault({
      kind: 'drop',
      atMs: startMs + 2,
      channels: ['trade:BTC-USDT'],
      connectionOpenedMs: startMs + 1
    })
    assertTruth(bench.truth(), { overdeclared: 0 })
  })

  test('does not excuse a gap by a fault of another channel, exchange, connection or time', () => {
    for (const fault of [
      { channels: ['trade:ETH-USDT'] },
      { channels: ['orderbook:BTC-USDT'] },
      { exchange: 'upbit' as const },
      { connectionOpenedMs: startMs + 60_000 },
      { atMs: startMs + 60_000, untilMs: startMs + 60_000 }
    ]) {
      const bench = new CheckBench()
      bench.makeTrades(6)
      for (let ordinal = 0; ordinal < 6; ordinal++) bench.deliverTrade(ordinal)
      bench.declareTradeGap('g1', { frame: 2 }, { frame: 3 })
      bench.fault({ kind: 'drop', atMs: startMs + 2, ...fault })
      assertTruth(bench.truth(), { overdeclared: 1 })
    }
  })

  test('excuses every gap of the time in which the process was killed', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    for (let ordinal = 0; ordinal < 6; ordinal++) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 2 }, { connection: 1, frame: 3 }, { reason: 'restart' })
    bench.fault({ kind: 'kill', exchange: null, atMs: startMs + 3 })
    assertTruth(bench.truth(), { overdeclared: 0 })
  })

  test('counts a trade that comes twice as duplicated', () => {
    const bench = new CheckBench()
    bench.makeTrades(3)
    for (let ordinal = 0; ordinal < 3; ordinal++) bench.deliverTrade(ordinal)
    bench.deliverTrade(2, { connection: 1, frame: 1 })
    assertTruth(bench.truth(), { delivered: 3, duplicated: 1 })
  })

  test('counts an event behind a later one as misordered, even when frame numbers rise', () => {
    const bench = new CheckBench()
    bench.makeTrades(4)
    bench.deliverTrade(0, { frame: 1 })
    bench.deliverTrade(2, { frame: 2 })
    bench.deliverTrade(1, { frame: 3 })
    bench.deliverTrade(3, { frame: 4 })
    assertTruth(bench.truth(), { delivered: 4, misordered: 1 })
  })

  test('counts a frame behind a later one of its connection as misordered', () => {
    const bench = new CheckBench()
    bench.makeTrades(3)
    bench.deliverTrade(0, { frame: 1 })
    bench.deliverTrade(1, { frame: 3 })
    bench.deliverTrade(2, { frame: 2 })
    assertTruth(bench.truth(), { delivered: 3, misordered: 1 })
  })

  test('holds the ledger order across a hand-over', () => {
    const bench = new CheckBench()
    bench.makeTrades(4)
    bench.deliverTrade(0, { frame: 1 })
    bench.deliverTrade(2, { connection: 1, frame: 1 })
    bench.deliverTrade(1, { frame: 2 })
    bench.deliverTrade(3, { connection: 1, frame: 2 })
    assertTruth(bench.truth(), { delivered: 4, misordered: 1 })
  })

  test('takes two connections in turns as in order when the ledger says so', () => {
    const bench = new CheckBench()
    bench.makeTrades(4)
    bench.deliverTrade(0, { frame: 1 })
    bench.deliverTrade(1, { connection: 1, frame: 1 })
    bench.deliverTrade(2, { frame: 2 })
    bench.deliverTrade(3, { connection: 1, frame: 2 })
    assertTruth(bench.truth(), { delivered: 4 })
  })

  test('expects the order of the wire where the simulator was told to swap', () => {
    const bench = new CheckBench()
    bench.makeTrades(4)
    bench.trades.swapped.add(1)
    bench.deliverTrade(0, { frame: 1 })
    bench.deliverTrade(2, { frame: 2 })
    bench.deliverTrade(1, { frame: 3 })
    bench.deliverTrade(3, { frame: 4 })
    assertTruth(bench.truth(), { delivered: 4 })
  })

  test('finds what was lost of a swapped pair where the wire had it', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    bench.trades.swapped.add(1)
    // On the wire: 0, 2 (lost), 1, 3, 4, 5.
    bench.deliverTrade(0)
    bench.deliverTrade(1, { frame: 3 })
    for (const ordinal of [3, 4, 5]) bench.deliverTrade(ordinal)
    bench.declareTradeGap('g1', { frame: 1 }, { frame: 3 })
    assertTruth(bench.truth(), { delivered: 5, declared_missing: 1 })
  })

  test('takes an event that is shown again to a new subscription as standing behind all that was before', () => {
    const bench = new CheckBench()
    bench.makeTrades(6)
    bench.trades.swapped.add(2)
    // On the wire: 0, 1, then 3 and 2 while nobody listened; the next connection is shown 3, the newest.
    bench.deliverTrade(0)
    bench.deliverTrade(1)
    bench.deliverTrade(3, { connection: 1, frame: 1 }, { stream_type: 'SNAPSHOT' })
    for (const ordinal of [4, 5]) bench.deliverTrade(ordinal, { connection: 1, frame: ordinal - 2 })
    bench.declareTradeGap('g1', { frame: 2 }, { connection: 1, frame: 1 })
    assertTruth(bench.truth(), { delivered: 5, declared_missing: 1 })
  })

  test('counts a single changed digit as altered', () => {
    const bench = new CheckBench()
    bench.makeTrades(3)
    bench.deliverTrade(0)
    bench.deliverTrade(1, { frame: 2 }, { size: '0.50' })
    bench.deliverTrade(2)
    assertTruth(bench.truth(), { delivered: 3, altered: 1 })
    assert.match(bench.check.explain().join('\n'), /altered: .*ordinal 1 .*"size":"0.50"/)
  })

  test('counts a record that no market made, or that says it is of another symbol, as altered', () => {
    const bench = new CheckBench()
    bench.makeTrades(2)
    bench.deliverTrade(0)
    bench.deliverTrade(1)
    bench.deliverTrade(1, { frame: 3 }, { trade_id: '77' })
    bench.deliverTrade(1, { frame: 4 }, { symbol: 'ETH-USDT' })
    assertTruth(bench.truth(), { delivered: 2, altered: 2 })
  })

  test('counts a value that is not exactly one record of its schema as altered', () => {
    const bench = new CheckBench()
    bench.makeTrades(1)
    bench.deliverTrade(0)
    bench.deliver(tradeTarget, Buffer.from([2, 0x61]), ids.Trade)
    bench.deliver(tradeTarget, Buffer.alloc(200), ids.Trade)
    bench.deliver(tradeTarget, Buffer.alloc(200), ids.Ticker)
    assertTruth(bench.truth(), { delivered: 1, altered: 3 })
  })

  test('counts a record of a symbol that no market lists as altered', () => {
    const bench = new CheckBench()
    bench.check.accept('trade-data.asia', 'asia|binance|trade|XXX-USDT', Buffer.from('{}'), 0, 2)
    assertTruth(bench.truth(), { altered: 1 })
  })

  test('passes over other topics that use the keys of the data', () => {
    const bench = new CheckBench()
    bench.makeTrades(1)
    bench.deliverTrade(0)
    const value = Buffer.alloc(40)
    bench.check.accept('ws.connect_success.asia', 'asia|binance|trade|BTC-USDT', value, 0, value.length)
    assertTruth(bench.truth(), { delivered: 1 })
  })

  test('counts a record in the topic of another channel as altered', () => {
    const bench = new CheckBench()
    bench.check.accept('ticker-data.asia', 'asia|binance|trade|BTC-USDT', Buffer.from('{}'), 0, 2)
    assertTruth(bench.truth(), { altered: 1 })
  })

  test('reads records in JSON as well', () => {
    const bench = new CheckBench()
    bench.makeTrades(1)
    const record = {
      exchange: 'binance',
      region: 'asia',
      symbol: 'BTC-USDT',
      native_symbol: 'BTCUSDT',
      exchange_ts: (startMs + 1) * 1000,
      received_ts: (startMs + 1) * 1000,
      connection_id: `pod-0/binance/trade/0/${startMs}`,
      frame_seq: 1,
      frame_index: 0,
      stream_type: 'REALTIME',
      trade_id: '1000',
      price: '100.0',
      size: '0.5',
      side: 'BUY',
      sequence: null,
      extras: null
    }
    const bytes = Buffer.from(JSON.stringify(record))
    bench.check.accept('trade-data.asia', 'asia|binance|trade|BTC-USDT', bytes, 0, bytes.length)
    assertTruth(bench.truth(), { sent: 1, delivered: 1 })
  })
})

suite('the check of books', () => {
  test('rebuilds a book from a snapshot and its deltas and compares it after each', () => {
    const bench = new CheckBench()
    bench.makeDeltas(20)
    bench.deliverSnapshot(-1, { frame: 1 })
    for (let ordinal = 0; ordinal < 20; ordinal++) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    assertTruth(bench.truth(), { sent: 20, delivered: 20, books_compared: 21 })
  })

  test('takes updates that a delivered snapshot covers as superseded, and only those', () => {
    const bench = new CheckBench()
    bench.makeDeltas(10)
    bench.deliverSnapshot(4, { frame: 6 })
    for (let ordinal = 6; ordinal < 10; ordinal++) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    const truth = bench.truth()
    assert.equal(truth.superseded, 5)
    assert.equal(truth.missing, 1)
    assert.equal(truth.delivered, 4)
  })

  test('finds a book different when an update is left out, once until the next snapshot', () => {
    const bench = new CheckBench()
    bench.makeDeltas(12)
    bench.deliverSnapshot(-1, { frame: 1 })
    for (const ordinal of [0, 1, 3, 4, 5]) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    bench.deliverSnapshot(6, { frame: 9 })
    for (const ordinal of [7, 8, 9, 10, 11]) bench.deliverDelta(ordinal, { frame: ordinal + 3 })
    assertTruth(bench.truth(), { superseded: 2, books_different: 1 })
  })

  test('lets an update overtake one that was swapped with it when the book is right all the same', () => {
    // Ordinal 2 takes away a level that is not there, ordinal 4 sets one.
    for (const [late, booksDifferent] of [
      [2, 0],
      [4, 1]
    ] as const) {
      const bench = new CheckBench()
      bench.makeDeltas(8)
      bench.book.swapped.add(late)
      bench.deliverSnapshot(-1, { frame: 1 })
      for (let ordinal = 0; ordinal <= late + 1; ordinal++) {
        if (ordinal !== late) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
      }
      bench.deliverSnapshot(6, { frame: 9 })
      bench.deliverDelta(7, { frame: 10 })
      assert.equal(bench.truth().books_different, booksDifferent)
    }
  })

  test('finds a book different whose update has another content than the market made', () => {
    const bench = new CheckBench()
    bench.makeDeltas(3)
    bench.deliverSnapshot(-1, { frame: 1 })
    bench.deliverDelta(0, { frame: 2 }, { bids: [{ price: '90.0', size: '7' }] })
    assertTruth(bench.truth(), { missing: 2, altered: 1, books_different: 1 })
  })

  test('does not apply a repeated update to the book', () => {
    const bench = new CheckBench()
    bench.makeDeltas(3)
    bench.deliverSnapshot(-1, { frame: 1 })
    for (const ordinal of [0, 1, 1, 2]) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    assertTruth(bench.truth(), { duplicated: 1 })
  })

  test('finds a snapshot different when a level is left out', () => {
    const bench = new CheckBench()
    bench.makeDeltas(5)
    bench.deliverSnapshot(3, { frame: 1 }, { bids: [{ price: '99.0', size: '1.0' }] })
    bench.deliverDelta(4, { frame: 2 })
    assertTruth(bench.truth(), { books_different: 1 })
    assert.match(bench.check.explain().join('\n'), /books_different: .*after ordinal 3 \(SNAPSHOT/)
  })

  test('finds a book different that has updates and no snapshot', () => {
    const bench = new CheckBench()
    bench.makeDeltas(3)
    for (let ordinal = 0; ordinal < 3; ordinal++) bench.deliverDelta(ordinal)
    assertTruth(bench.truth(), { delivered: 3, books_different: 1 })
  })

  test('takes updates that waited for their snapshot, and carry older frames, as in order', () => {
    const bench = new CheckBench()
    bench.makeDeltas(6)
    bench.deliverSnapshot(1, { frame: 9 })
    for (const ordinal of [2, 3, 4, 5]) bench.deliverDelta(ordinal, { frame: ordinal + 1 })
    assertTruth(bench.truth(), { superseded: 2, delivered: 4 })
  })

  test('counts a snapshot that is older than the book it replaces as misordered', () => {
    const bench = new CheckBench()
    bench.makeDeltas(6)
    bench.deliverSnapshot(-1, { frame: 1 })
    for (let ordinal = 0; ordinal < 4; ordinal++) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    bench.deliverSnapshot(1, { frame: 7 })
    bench.deliverSnapshot(5, { frame: 8 })
    assertTruth(bench.truth(), { misordered: 1 })
  })

  test('counts a snapshot of a sequence that the market never had as altered', () => {
    const bench = new CheckBench()
    bench.makeDeltas(2)
    bench.deliverSnapshot(1, { frame: 1 }, { sequence_last: '5001' })
    bench.deliverSnapshot(1, { frame: 2 })
    assertTruth(bench.truth(), { superseded: 2, altered: 1 })
  })

  test('takes a gap that ends in a snapshot as a loss although the snapshot covers what was lost', () => {
    const bench = new CheckBench()
    bench.makeDeltas(10)
    bench.deliverSnapshot(-1, { frame: 1 })
    for (const ordinal of [0, 1, 2]) bench.deliverDelta(ordinal, { frame: ordinal + 2 })
    bench.deliverSnapshot(6, { connection: 1, frame: 3 })
    for (const ordinal of [7, 8, 9]) bench.deliverDelta(ordinal, { connection: 1, frame: ordinal })
    bench.declareBookGap('g1', { frame: 4 }, { connection: 1, frame: 3 })
    assertTruth(bench.truth(), { superseded: 4, delivered: 6 })
  })
})
