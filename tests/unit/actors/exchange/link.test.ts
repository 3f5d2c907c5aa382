import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { requestsWaitingMax } from '../../../../actors/exchange/message-pacer.ts'
import {
  type ContinuityRules,
  type DeltaBookRules,
  type ExchangeAdapter,
  FrameClass
} from '../../../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../../../src/exchange-kit/json.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { FrameKind } from '../../../../src/wire/frame-batch.ts'
import {
  acknowledge,
  binanceFrame,
  type ExchangeRig,
  exchangeRig,
  FakeProducer,
  gist,
  upbitFrame
} from './rig.ts'

const text = new TextDecoder()

function withBook(adapter: ExchangeAdapter, change: Partial<DeltaBookRules>): ExchangeAdapter {
  const book: DeltaBookRules = {
    mode: 'delta',
    sequence: 'previous-equals-last',
    snapshot: { from: 'stream' },
    check: 'none',
    depth: null,
    ...change
  }
  return { ...adapter, continuity: { ...adapter.continuity, book } }
}

/** Upbit frames with a number in front, as a venue sends that counts all frames of a connection: `7{"type":…}`. */
const numbered: ExchangeAdapter = {
  ...upbit,
  continuity: {
    ...upbit.continuity,
    frameSequence: (bytes, start, end) => Number.parseInt(text.decode(bytes.subarray(start, end)), 10)
  } satisfies ContinuityRules,
  peek(bytes, start, end, found) {
    const at = bytes.indexOf(0x7b, start)
    upbit.peek(bytes, at, end, found)
  }
}

function lossesOf(rig: ExchangeRig): string[] {
  return rig.producer
    .taken()
    .flatMap(item => (item.type === 'notice' && item.notice.type === 'lost' ? [item.notice.reason] : []))
}

test('a heartbeat is counted as control and proves that the socket lives; it is neither parsed nor passed on', async () => {
  let parsed = 0
  const adapter: ExchangeAdapter = {
    ...upbit,
    peek: (_bytes, _start, _end, found) => {
      found.frameClass = FrameClass.alive
    },
    control: () => {
      parsed++
      return [{ type: 'reconnect', reason: 'never' }]
    }
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  rig.socket().receive('pong', 'pong')
  rig.clock.advance(5)
  assert.deepEqual(gist(rig.producer.taken()), ['context', 'opened'])
  assert.deepEqual(
    [rig.ledger.frames(0).get('control'), rig.ledger.frames(0).get('received'), parsed],
    [2, 2, 0]
  )
  assert.equal(rig.link().silentMs(rig.clock.nowMicros()), 5)
  assert.equal(rig.link().firstDataMicros, 0, 'it confirms nothing and is no data')
  rig.close()
})

test('frames that name the number of their channel find their subscription', async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    peek: (bytes, start, end, found) => {
      const isAck = bytes[start] === 0x7b
      found.frameClass = isAck ? FrameClass.control : FrameClass.data
      found.symbolStart = isAck ? 0 : start + 1
      found.symbolEnd = isAck ? 0 : bytes.indexOf(0x2c, start) < 0 ? end : bytes.indexOf(0x2c, start)
    },
    control: message => {
      const { native, channel } = message as Record<string, string>
      return [{ type: 'confirmed', id: null, natives: [native!], channelId: channel! }]
    }
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  rig.socket().open()
  rig.socket().receive('{"native":"ETHUSDT","channel":"17"}', '[17,1]', '[99,1]')
  rig.socket().receive('{"native":"ETHUSDT","channel":"5"}', '[17,2]', '[5,3]')
  rig.clock.advance(5)
  const subscriptions = rig.producer
    .taken()
    .flatMap(item => (item.type === 'frame' ? [[item.text, item.subscription]] : []))
  assert.deepEqual(subscriptions, [
    ['[17,1]', 1],
    ['[99,1]', -1],
    ['[17,2]', 1],
    ['[5,3]', 1]
  ])
  rig.close()
})

test('a channel number that is given again leads to its new subscription', async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    peek: (bytes, start, end, found) => {
      const isAck = bytes[start] === 0x7b
      found.frameClass = isAck ? FrameClass.control : FrameClass.data
      found.symbolStart = isAck ? 0 : start
      found.symbolEnd = isAck ? 0 : end
    },
    control: message => {
      const { native, channel } = message as Record<string, string>
      return [{ type: 'confirmed', id: null, natives: [native!], channelId: channel! }]
    }
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  rig.socket().open()
  rig
    .socket()
    .receive('{"native":"BTCUSDT","channel":"17"}', '17', '{"native":"ETHUSDT","channel":"17"}', '17')
  for (let n = 0; n < 8; n++) rig.socket().receive(`{"native":"BTCUSDT","channel":"${n}"}`)
  rig.socket().receive('0', '{"native":"BTCUSDT","channel":"8"}', '0', '8', '17')
  rig.clock.advance(5)
  const subscriptions = rig.producer
    .taken()
    .flatMap(item => (item.type === 'frame' ? [[item.text, item.subscription]] : []))
  assert.deepEqual(subscriptions, [
    ['17', 0],
    ['17', 1],
    ['0', 0],
    ['0', -1],
    ['8', 0],
    ['17', 1]
  ])
  rig.close()
})

test('a new producer is told the latest version of what a connection knows, and no older one', async () => {
  let channel = 0
  const adapter: ExchangeAdapter = {
    ...binance,
    control: () => [{ type: 'confirmed', id: null, natives: ['BTCUSDT'], channelId: String(++channel) }]
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT'] })
  rig.socket().open()
  for (let i = 0; i < 5; i++) rig.socket().receive('{"result":null,"id":1}')
  const second = new FakeProducer()
  rig.batcher.attach(second.port)
  const contexts = second.taken().flatMap(item => (item.type === 'context' ? [item.context] : []))
  assert.deepEqual(
    contexts.map(({ version, channelIds }) => [version, channelIds]),
    [[6, { '1': 0, '2': 0, '3': 0, '4': 0, '5': 0 }]]
  )
  second.port.close()
  second.close()
  rig.close()
})

test('a hole in the numbers of the frames ends the connection before what follows it, and another is dialled', async () => {
  const rig = await exchangeRig({ adapter: numbered, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  const frame = upbitFrame('trade', 'KRW-BTC')
  rig.socket().receive(`7${frame}`, `8${frame}`, `10${frame}`, `11${frame}`)
  rig.clock.advance(5)
  assert.equal(rig.sockets[0]!.isEnded, true)
  const items = rig.producer.taken()
  assert.deepEqual(gist(items).slice(3), [`7${frame}`, `8${frame}`, 'lost'])
  const lost = items.at(-1)!
  assert.ok(lost.type === 'notice' && lost.notice.type === 'lost' && lost.notice.reason === 'sequence')
  assert.equal(rig.ledger.frames(0).get('received'), 2, 'what comes after a hole is not taken in')
  const fault = rig.reports.find(report => report.type === 'fault' && report.error.code === 'FRAMES_LOST')
  assert.ok(fault?.type === 'fault')
  assert.match(fault.error.message, /frame 10 came where 9 should have/)
  rig.pass(2)
  assert.equal(rig.sockets.length, 2)
  rig.socket().open()
  rig.socket().receive(`1${frame}`, `2${frame}`)
  assert.deepEqual(lossesOf(rig), [], 'a new connection counts anew')
  rig.close()
})

test('a frame whose number cannot be read is no hole', async () => {
  const rig = await exchangeRig({ adapter: numbered, requestType: 'trade', symbols: ['BTC-KRW'] })
  rig.socket().open()
  const frame = upbitFrame('trade', 'KRW-BTC')
  rig.socket().receive(`7${frame}`, 'x{corrupt', `9${frame}`)
  assert.equal(rig.sockets[0]!.isEnded, false)
  rig.close()
})

test('compression that is missing, and compression that is not meant to be, leave dead frames and nothing worse', async () => {
  const plain = upbitFrame('trade', 'KRW-BTC')
  const kindsOf = (rig: ExchangeRig) =>
    rig.producer.taken().flatMap(item => (item.type === 'frame' ? [item.kind] : []))
  const zipped = await exchangeRig({
    adapter: { ...upbit, compression: 'gzip' },
    requestType: 'trade',
    symbols: ['BTC-KRW']
  })
  zipped.socket().open()
  zipped.socket().receive(plain)
  zipped.socket().receiveBytes(gzipSync(plain).subarray(0, 20))
  zipped.socket().receiveBytes(gzipSync(plain))
  zipped.clock.advance(5)
  assert.deepEqual(kindsOf(zipped), [FrameKind.garbled, FrameKind.garbled, FrameKind.stream])
  zipped.close()
  const unzipped = await exchangeRig({ adapter: upbit, requestType: 'trade', symbols: ['BTC-KRW'] })
  unzipped.socket().open()
  unzipped.socket().receiveBytes(gzipSync(plain))
  unzipped.socket().receive(plain)
  unzipped.clock.advance(5)
  assert.deepEqual(kindsOf(unzipped), [FrameKind.stream, FrameKind.stream])
  unzipped.close()
})

const asking = withBook(binance, {
  snapshot: { from: 'request', frame: (native, id) => JSON.stringify({ req: native, id }) }
})

test('a snapshot by request is asked for on the socket, within the limits of the venue and once at a time', async () => {
  const symbols = Array.from({ length: 10 }, (_, n) => `A${n}-USDT`)
  const rig = await exchangeRig({ adapter: asking, requestType: 'orderbook', symbols })
  acknowledge(rig.socket())
  for (let subscription = 0; subscription < 10; subscription++) {
    rig.exchange.resnapshot(rig.link(), subscription, 1)
  }
  // They are still waiting for their turn.
  for (let subscription = 5; subscription < 10; subscription++) {
    rig.exchange.resnapshot(rig.link(), subscription, 2)
  }
  const asked = () => rig.socket().sent.flatMap(frame => (frame.includes('"req"') ? [frame] : []))
  assert.equal(asked().length, 3, 'four messages a second, the first was the subscription')
  rig.clock.advance(2_000)
  const requests = asked().map(frame => JSON.parse(frame) as { req: string; id: number })
  assert.deepEqual(
    requests.map(({ req }) => req),
    symbols.map(symbol => symbol.replace('-', ''))
  )
  assert.equal(new Set(requests.map(({ id }) => id)).size, 10)
  assert.deepEqual(rig.faults(), ['LISTING_FAILED'])
  rig.close()
})

test('a snapshot that had to be asked for again is reported once, until another is wanted', async () => {
  const rig = await exchangeRig({ adapter: asking, requestType: 'orderbook', symbols: ['BTC-USDT'] })
  acknowledge(rig.socket())
  const want = (requests: number): void => {
    rig.exchange.resnapshot(rig.link(), 0, requests)
    rig.clock.advance(10_000)
  }
  for (const requests of [1, 2, 3]) want(requests)
  assert.deepEqual(rig.faults(), ['LISTING_FAILED', 'SNAPSHOT_FAILED'])
  for (const requests of [1, 2]) want(requests)
  assert.deepEqual(rig.faults(), ['LISTING_FAILED', 'SNAPSHOT_FAILED', 'SNAPSHOT_FAILED'])
  assert.equal(rig.socket().sent.length, 6)
  rig.close()
})

test('a refusal that names nothing takes the symbol acknowledged last from the connection', async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    control: message => {
      const { confirmed } = message as Record<string, string>
      return confirmed === undefined
        ? [{ type: 'rejectedLast', reason: 'Invalid Topic' }]
        : [{ type: 'confirmed', id: null, natives: [confirmed], channelId: null }]
    },
    peek: (_bytes, _start, _end, found) => {
      found.frameClass = FrameClass.control
    }
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  rig.socket().open()
  rig.socket().receive('{"refused":1}')
  assert.equal(rig.faults().at(-1), 'VENUE_ERROR', 'nothing was acknowledged yet')
  rig.socket().receive('{"confirmed":"BTCUSDT"}', '{"confirmed":"ETHUSDT"}')
  assert.equal(rig.ledger.frames(0).get('subscribed'), 2)
  rig.socket().receive('{"refused":1}')
  assert.equal(rig.faults().at(-1), 'SYMBOL_REJECTED')
  assert.equal(rig.ledger.frames(0).get('subscribed'), 1)
  assert.deepEqual(gist(rig.producer.taken()).slice(2), ['confirmed', 'confirmed', 'rejected'])
  rig.close()
})

test('a producer that takes over gets new snapshots of the books whose snapshots come in the stream', async () => {
  for (const { adapter, resubscribed } of [
    { adapter: withBook(binance, {}), resubscribed: 2 },
    { adapter: asking, resubscribed: 0 }
  ]) {
    const rig = await exchangeRig({ adapter, requestType: 'orderbook', symbols: ['BTC-USDT', 'ETH-USDT'] })
    acknowledge(rig.socket())
    rig.clock.advance(5_000)
    rig.socket().sent.length = 0
    const second = new FakeProducer()
    rig.batcher.attach(second.port)
    rig.clock.advance(5_000)
    assert.equal(rig.socket().sent.length, resubscribed)
    second.port.close()
    second.close()
    rig.close()
  }
})

test('frames of unknown symbols that were shed may have been of any book: all are subscribed anew', async () => {
  const rig = await exchangeRig({
    adapter: withBook(binance, {}),
    requestType: 'orderbook',
    symbols: ['BTC-USDT', 'ETH-USDT'],
    creditBytes: 400
  })
  acknowledge(rig.socket())
  rig.clock.advance(5_000)
  rig.socket().receive(binanceFrame('BTCUSDT', 'depth@100ms', 1), ' '.repeat(500))
  rig.clock.advance(3_000)
  rig.socket().receive(binanceFrame('XYZUSDT', 'depth@100ms', 2))
  rig.socket().sent.length = 0
  rig.producer.taken()
  rig.settleAll()
  rig.clock.advance(5_000)
  const asked = rig.socket().sent.map(frame => parseJson(Buffer.from(frame), 0, frame.length))
  assert.equal(asked.length, 2, JSON.stringify(asked))
  rig.close()
})

test('a connection that can never send all its requests is given up for a new one, and says which limit it met', async () => {
  const rig = await exchangeRig({
    adapter: withBook(binance, {}),
    requestType: 'orderbook',
    symbols: ['BTC-USDT']
  })
  acknowledge(rig.socket())
  for (let n = 0; n < requestsWaitingMax; n++) rig.exchange.resnapshot(rig.link(), 0, 1)
  rig.pass(1)
  assert.equal(rig.sockets[0]!.isEnded, true)
  assert.equal(rig.faults().at(-1), 'LIMIT_HIT')
  assert.ok(rig.ledger.frames(0).get('requestsDropped') > 0)
  rig.pass(5)
  acknowledge(rig.socket())
  assert.equal(rig.sockets.length, 2)
  assert.equal(rig.state(), 'live')
  rig.close()
})

test('of many pings that wait for their answer only the newest gets one', async () => {
  const adapter: ExchangeAdapter = {
    ...binance,
    peek: (_bytes, _start, _end, found) => {
      found.frameClass = FrameClass.control
    },
    control: message => [{ type: 'reply', frame: `pong ${(message as Record<string, string>)['ping']}` }]
  }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-USDT'] })
  rig.socket().open()
  rig.socket().sent.length = 0
  for (let n = 0; n < 10_000; n++) rig.socket().receive(`{"ping":"${n}"}`)
  rig.clock.advance(5_000)
  assert.deepEqual(rig.socket().sent, ['pong 0', 'pong 1', 'pong 2', 'pong 9999'])
  assert.equal(rig.ledger.frames(0).get('keepAlivesReplaced'), 9_996)
  rig.close()
})
