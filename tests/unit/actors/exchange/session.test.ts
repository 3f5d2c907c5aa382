import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { IngestError } from '../../../../src/core/errors.ts'
import { type ExchangeAdapter, FrameClass } from '../../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { kraken } from '../../../../src/exchanges/kraken.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { acknowledge, binanceFrame, exchangeRig, gist, settledPromises, upbitFrame } from './rig.ts'

const gone = new IngestError('SOCKET_FAILED', 'gone')

test('a symbol stays on its shard, and each shard has a connection of its own', async () => {
  const adapter: ExchangeAdapter = { ...upbit, limits: { ...upbit.limits, symbolsPerConnection: 2 } }
  const listing = JSON.stringify(['KRW-A', 'KRW-B', 'KRW-D', 'KRW-E'].map(market => ({ market })))
  const rig = await exchangeRig({
    adapter,
    requestType: 'trade',
    symbols: ['A-KRW', 'B-KRW', 'C-KRW', 'D-KRW', 'E-KRW'],
    shards: 3,
    rest: () => ({ type: 'body', bytes: Buffer.from(listing) })
  })
  for (const socket of rig.sockets) socket.open()
  assert.deepEqual(
    rig.sockets.map(socket => /"codes":(\[[^\]]*\])/.exec(socket.sent[0]!)![1]),
    ['["KRW-A","KRW-B"]', '["KRW-D"]', '["KRW-E"]']
  )
  assert.deepEqual(rig.faults(), ['SYMBOL_UNKNOWN'])
  rig.close()
})

test('frames are paced by the limits that the venue sets on messages', async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    subscriptions: {
      confirmedBy: 'ack',
      requests: ({ added }) => added.map(native => ({ frame: native, id: native, natives: [native] }))
    }
  }
  const symbols = Array.from({ length: 10 }, (_, n) => `A${n}-USDT`)
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols })
  rig.socket().open()
  assert.equal(rig.socket().sent.length, 4)
  rig.clock.advance(999)
  assert.equal(rig.socket().sent.length, 4)
  rig.clock.advance(1)
  assert.equal(rig.socket().sent.length, 8)
  rig.close()
})

test('what is not confirmed within 10 s is reported once, and the rest goes on', async () => {
  const rig = await exchangeRig({ adapter: upbit, requestType: 'trade', symbols: ['BTC-KRW', 'XYZ-KRW'] })
  rig.reports.length = 0
  const session = () => {
    rig.socket().open()
    rig.socket().receive(upbitFrame('trade', 'KRW-BTC'))
    assert.equal(rig.state(), 'subscribing')
    rig.clock.advance(10_000)
    assert.equal(rig.state(), 'live')
  }
  session()
  const report = rig.reports.find(({ type }) => type === 'fault')
  assert.ok(report?.type === 'fault' && report.error.code === 'SYMBOL_UNCONFIRMED')
  assert.match(report.error.message, /did not confirm XYZ-KRW within 10 s/)
  rig.socket().end()
  rig.clock.advance(600)
  session()
  assert.deepEqual(rig.faults(), ['SYMBOL_UNCONFIRMED'])
  rig.close()
})

test('the first data of a symbol confirm it where the acknowledgement is late, and only once', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  rig.socket().open()
  rig.socket().receive(binanceFrame('BTCUSDT', 'trade'), '{"result":null,"id":1}')
  const confirmed = rig.producer
    .taken()
    .flatMap(item =>
      item.type === 'notice' && item.notice.type === 'confirmed' ? [item.notice.subscriptions] : []
    )
  assert.deepEqual(confirmed, [[0], [1]])
  rig.close()
})

test('a refusal that passes ends no connection, however often it comes, and its symbols show as not subscribed', async () => {
  const rig = await exchangeRig({ adapter: kraken, requestType: 'trade', symbols: ['BTC-USD'] })
  const answer = (id: number, isGranted: boolean) => {
    const symbol = 'BTC/USD'
    const rest = isGranted
      ? { success: true, result: { channel: 'trade', symbol } }
      : { success: false, symbol, error: 'Exceeded msg rate' }
    rig.socket().receive(JSON.stringify({ method: 'subscribe', req_id: id, ...rest }))
  }
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      rig.socket().receive('{"channel":"heartbeat"}')
      rig.pass(1)
    }
  }
  rig.socket().open()
  rig.reports.length = 0
  for (let id = 1; id <= 5; id++) {
    answer(id, false)
    pass(300)
  }
  assert.deepEqual([rig.state(), rig.sockets.length], ['live', 1])
  assert.deepEqual(new Set(rig.faults()), new Set(['VENUE_ERROR', 'SYMBOL_UNCONFIRMED']))
  const report = rig.reports.find(({ type }) => type === 'fault')
  assert.ok(report?.type === 'fault')
  assert.match(report.error.message, /Exceeded msg rate \(BTC-USD: to be asked for again\)/)
  answer(rig.link().subscriptions.lastId, true)
  assert.equal(rig.ledger.frames(0).get('subscribed'), 1)
  // Subscribed anew for whatever reason, and then the venue does not take it back at once.
  rig.link().subscriptions.resubscribe([0])
  answer(rig.link().subscriptions.lastId, false)
  pass(12)
  assert.equal(rig.ledger.frames(0).get('subscribed'), 0)
  answer(rig.link().subscriptions.lastId, true)
  assert.deepEqual([rig.ledger.frames(0).get('subscribed'), rig.sockets.length], [1, 1])
  rig.close()
})

test('a symbol that is subscribed anew and never answered is reported as well, and asked for again', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  acknowledge(rig.socket())
  rig.link().subscriptions.resubscribe([1])
  rig.reports.length = 0
  rig.socket().sent.length = 0
  rig.pass(11)
  assert.deepEqual(rig.faults(), ['SYMBOL_UNCONFIRMED'])
  assert.deepEqual(rig.socket().sent, ['{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":4}'])
  rig.close()
})

test('the client pings as often as the venue wants', async () => {
  const rig = await exchangeRig({ adapter: upbit, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  rig.pass(45)
  assert.equal(rig.socket().pings, 3)
  rig.close()
})

test('a silent socket is probed and lives on when it answers, whatever the answer', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'trade', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.pass(61)
  assert.equal(rig.state(), 'stale')
  assert.equal(rig.socket().pings, 1)
  // A pong makes no frame, only a read.
  rig.socket().readMicros = rig.clock.nowMicros()
  rig.pass(1)
  assert.equal(rig.state(), 'live')
  rig.close()
})

test('a dead socket is terminated, and its gap has the reason stale', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'trade', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.pass(67)
  assert.equal(rig.sockets[0]!.isEnded, true)
  assert.deepEqual(rig.faults(), ['LISTING_FAILED', 'SOCKET_STALE'])
  const lost = rig.producer.taken().find(item => item.type === 'notice' && item.notice.type === 'lost')
  assert.ok(lost?.type === 'notice' && lost.notice.type === 'lost' && lost.notice.reason === 'stale')
  rig.close()
})

test('accept-then-close for 60 s is met by at most 10 connects, whatever the number of connections', async () => {
  const adapter: ExchangeAdapter = { ...upbit, limits: { ...upbit.limits, symbolsPerConnection: 1 } }
  const symbols = Array.from({ length: 40 }, (_, n) => `A${n}-KRW`)
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols, shards: 40 })
  let ended = 0
  for (let ms = 0; ms < 60_000; ms += 10) {
    for (; ended < rig.sockets.length; ended++) {
      rig.sockets[ended]!.open()
      rig.sockets[ended]!.end()
    }
    rig.clock.advance(10)
  }
  assert.ok(rig.sockets.length >= 6 && rig.sockets.length <= 10, `${rig.sockets.length} connects`)
  assert.ok(rig.faults().includes('BREAKER_OPEN'))
  assert.equal(rig.state(39), 'open')
  rig.close()
})

test('an answer that the venue waits for is sent at once', async () => {
  const adapter: ExchangeAdapter = {
    ...upbit,
    peek: (_bytes, _start, _end, found) => {
      found.frameClass = FrameClass.control
    },
    control: () => [{ type: 'reply', frame: '{"pong":1}' }]
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  rig.socket().receive('{"ping":1}')
  assert.equal(rig.socket().sent.at(-1), '{"pong":1}')
  assert.equal(rig.ledger.frames(0).get('control'), 1)
  rig.close()
})

test('compressed frames are inflated, and what does not inflate goes on to be judged', async () => {
  const rig = await exchangeRig({
    adapter: { ...upbit, compression: 'gzip' },
    requestType: 'trade',
    symbols: ['BTC-KRW']
  })
  rig.socket().open()
  const frame = upbitFrame('trade', 'KRW-BTC')
  rig.socket().receiveBytes(gzipSync(frame))
  rig.socket().receiveBytes(gzipSync(Buffer.alloc(1_000_000)))
  rig.socket().receive('no gzip')
  rig.clock.advance(5)
  const texts = gist(rig.producer.taken()).slice(3)
  assert.deepEqual([texts[0], texts.length, texts[2]], [frame, 3, 'no gzip'])
  assert.deepEqual(rig.faults().slice(1), ['FRAME_OVERSIZED', 'FRAME_MALFORMED'])
  rig.close()
})

test("channel ids of the venue make a new version of the connection's context", async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    control: () => [{ type: 'confirmed', id: null, natives: ['ETHUSDT'], channelId: '17' }]
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  rig.socket().open()
  rig.socket().receive('{"result":null,"id":1}')
  const contexts = rig.producer.taken().flatMap(item => (item.type === 'context' ? [item.context] : []))
  assert.deepEqual(
    contexts.map(({ version, channelIds }) => [version, channelIds]),
    [
      [1, {}],
      [2, { '17': 1 }]
    ]
  )
  rig.close()
})

test('before its maximum age a connection is replaced: the new one is subscribed first, then the old one closes', async () => {
  const adapter: ExchangeAdapter = { ...binance, limits: { ...binance.limits, connectionAgeMaxMs: 20_000 } }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.socket().receive(binanceFrame('BTCUSDT', 'trade', 1))
  rig.pass(19)
  assert.equal(rig.sockets.length, 2)
  const [old, fresh] = rig.sockets as [(typeof rig.sockets)[0], (typeof rig.sockets)[0]]
  rig.producer.taken()
  fresh.open()
  assert.equal(old.isClosing, false)
  fresh.receive('{"result":null,"id":1}')
  assert.equal(old.isClosing, true)
  assert.equal(rig.state(), 'live')
  // What still comes on the old socket before its close frame counts as well.
  old.receive(binanceFrame('BTCUSDT', 'trade', 2))
  old.end()
  fresh.receive(binanceFrame('BTCUSDT', 'trade', 3))
  rig.clock.advance(5)
  const items = rig.producer.taken()
  assert.deepEqual(gist(items), [
    'context',
    'opened',
    'confirmed',
    binanceFrame('BTCUSDT', 'trade', 2),
    'closed',
    binanceFrame('BTCUSDT', 'trade', 3)
  ])
  const opened = items.find(item => item.type === 'notice' && item.notice.type === 'opened')
  assert.ok(opened?.type === 'notice' && opened.notice.type === 'opened' && opened.notice.previous === 1)
  assert.equal(rig.state(), 'live')
  assert.deepEqual(rig.faults(), ['LISTING_FAILED'])
  rig.close()
})

test('when the old socket goes before its replacement is ready, the loss is told and the replacement carries on', async () => {
  const adapter: ExchangeAdapter = { ...binance, limits: { ...binance.limits, connectionAgeMaxMs: 20_000 } }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.pass(19)
  rig.sockets[0]!.end(gone)
  assert.equal(rig.state(), 'connecting')
  acknowledge(rig.sockets[1]!)
  assert.equal(rig.state(), 'live')
  rig.clock.advance(60_000)
  assert.equal(rig.sockets.length, 2)
  assert.deepEqual(gist(rig.producer.taken()), [
    'context',
    'opened',
    'confirmed',
    'lost',
    'context',
    'opened',
    'confirmed'
  ])
  rig.close()
})

test('a venue that announces its end is left at once for a new connection', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'trade', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.clock.advance(2_000)
  rig.socket().receive('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')
  assert.equal(rig.sockets.length, 2)
  rig.close()
})

test('snapshots of many books keep to the weight budget', async () => {
  const symbols = Array.from({ length: 40 }, (_, n) => `A${n}-USDT`)
  const book = {
    mode: 'delta',
    sequence: 'first-follows-last',
    snapshot: { from: 'rest', path: (native: string) => `/depth/${native}`, weight: 250 },
    check: 'none',
    depth: null
  } as const
  const rig = await exchangeRig({
    adapter: { ...binance, continuity: { ...binance.continuity, book } },
    requestType: 'orderbook',
    symbols,
    rest: url =>
      url.includes('/depth')
        ? { type: 'body', bytes: Buffer.from('{}') }
        : { type: 'failed', message: 'HTTP status 404', status: 404, retryAfterMs: null }
  })
  acknowledge(rig.socket())
  for (let subscription = 0; subscription < 40; subscription++)
    rig.exchange.resnapshot(rig.link(), subscription, 1)
  await settledPromises()
  const depths = () => rig.restUrls.filter(url => url.includes('/depth')).length
  // 80 % of 6,000 a minute, 20 of them for the listing, 250 for a book.
  assert.equal(depths(), 19)
  rig.clock.advance(60_000)
  await settledPromises()
  assert.equal(depths(), 38)
  rig.close()
})

test('a second wish for the same book joins the first', async () => {
  const rig = await exchangeRig({ adapter: binance, requestType: 'orderbook', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  rig.restUrls.length = 0
  rig.exchange.resnapshot(rig.link(), 0, 1)
  rig.exchange.resnapshot(rig.link(), 0, 1)
  await settledPromises()
  assert.equal(rig.restUrls.length, 1)
  rig.close()
})

test('a refusal of the REST API blocks it for as long as the venue says', async () => {
  let status = 429
  const rig = await exchangeRig({
    adapter: binance,
    requestType: 'orderbook',
    symbols: ['BTC-USDT', 'ETH-USDT'],
    rest: url => {
      if (!url.includes('/depth'))
        return { type: 'failed', message: 'HTTP status 404', status: 404, retryAfterMs: null }
      return status === 200
        ? { type: 'body', bytes: Buffer.from('{}') }
        : { type: 'failed', message: `HTTP status ${status}`, status, retryAfterMs: 30_000 }
    }
  })
  acknowledge(rig.socket())
  rig.restUrls.length = 0
  rig.exchange.resnapshot(rig.link(), 0, 1)
  await settledPromises()
  assert.equal(rig.restUrls.length, 1)
  status = 200
  rig.exchange.resnapshot(rig.link(), 1, 1)
  rig.clock.advance(29_000)
  await settledPromises()
  assert.equal(rig.restUrls.length, 1)
  rig.clock.advance(1_000)
  await settledPromises()
  assert.equal(rig.restUrls.length, 3)
  assert.ok(rig.faults().includes('SNAPSHOT_FAILED'))
  rig.close()
})

test('stopping withdraws what still waits to dial and leaves no timer behind', async () => {
  const rig = await exchangeRig({ adapter: upbit, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC'))
  const stopped = rig.exchange.stop()
  assert.equal(rig.socket().isClosing, true)
  rig.socket().end()
  await stopped
  rig.clock.advance(5)
  assert.equal(rig.state(), 'stopped')
  assert.equal(rig.clock.pendingTimers, 0)
  assert.equal(gist(rig.producer.taken()).at(-1), 'closed')
  rig.close()
})
