import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RequestType } from '../../../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../../../src/exchange-kit/adapter.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { FrameKind } from '../../../../src/wire/frame-batch.ts'
import { type ExchangeRig, exchangeRig, gist, type Item, upbitFrame } from './rig.ts'

const creditBytes = 2_000

async function shedding(requestType: RequestType, adapter: ExchangeAdapter = upbit): Promise<ExchangeRig> {
  const rig = await exchangeRig({ adapter, requestType, symbols: ['BTC-KRW', 'ETH-KRW'], creditBytes })
  rig.socket().open()
  for (const code of ['KRW-BTC', 'KRW-ETH'])
    rig.socket().receive(upbitFrame(requestType, code, 'x'.repeat(980)))
  assert.equal(rig.socket().isPaused, true)
  rig.clock.advance(2_000)
  assert.equal(rig.socket().isPaused, false)
  rig.producer.taken()
  return rig
}

function sheds(items: readonly Item[]) {
  return items.flatMap(item => {
    if (item.type !== 'notice' || item.notice.type !== 'shed') return []
    const { subscription, frames, firstFrameSeq, lastFrameSeq } = item.notice
    return [{ subscription, frames, firstFrameSeq, lastFrameSeq }]
  })
}

/** `received` is everything that is accounted for on this side of the producer. */
function assertBalanced(rig: ExchangeRig): void {
  const account = rig.ledger.frames(0)
  const sum = ['control', 'shed', 'held', 'handedOver'] as const
  assert.equal(
    account.get('received'),
    sum.reduce((total, field) => total + account.get(field), 0)
  )
}

test('without credit the socket is paused, and read on as soon as credit is back', async () => {
  const rig = await exchangeRig({ adapter: upbit, requestType: 'trade', symbols: ['BTC-KRW'], creditBytes })
  rig.socket().open()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'x'.repeat(1_980)))
  assert.equal(rig.socket().isPaused, true)
  rig.clock.advance(5)
  rig.producer.taken()
  rig.settleAll()
  assert.equal(rig.socket().isPaused, false)
  rig.clock.advance(60_000)
  assert.deepEqual(sheds(rig.producer.taken()), [])
  rig.close()
})

test('a paused socket is not held to be silent', async () => {
  const adapter: ExchangeAdapter = { ...upbit, heartbeat: { ...upbit.heartbeat, watchdogMs: 1_500 } }
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols: ['BTC-KRW'], creditBytes })
  rig.socket().open()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'x'.repeat(1_980)))
  rig.pass(3)
  assert.equal(rig.state(), 'live')
  rig.close()
})

test('a ticker keeps the newest of each symbol, and what it replaced is counted and told', async () => {
  const rig = await shedding('ticker')
  for (let n = 1; n <= 3; n++) rig.socket().receive(upbitFrame('ticker', 'KRW-BTC', n))
  rig.socket().receive(upbitFrame('ticker', 'KRW-ETH', 4))
  assertBalanced(rig)
  assert.equal(rig.ledger.frames(0).get('shed'), 2)
  const first = rig.producer.taken()
  assert.deepEqual(sheds(first), [{ subscription: 0, frames: 1, firstFrameSeq: 3, lastFrameSeq: 3 }])
  rig.settleAll()
  rig.clock.advance(5)
  const items = rig.producer.taken()
  assert.deepEqual(gist(items), [
    'shed',
    upbitFrame('ticker', 'KRW-BTC', 3),
    upbitFrame('ticker', 'KRW-ETH', 4)
  ])
  assert.deepEqual(sheds(items), [{ subscription: 0, frames: 1, firstFrameSeq: 4, lastFrameSeq: 4 }])
  assertBalanced(rig)
  rig.close()
})

test('a book symbol is given up until credit is back', async () => {
  const rig = await shedding('orderbook')
  for (let n = 1; n <= 3; n++) rig.socket().receive(upbitFrame('orderbook', 'KRW-ETH', n))
  rig.settleAll()
  rig.socket().receive(upbitFrame('orderbook', 'KRW-ETH', 4))
  rig.clock.advance(5)
  const items = rig.producer.taken()
  assert.deepEqual(gist(items), ['shed', 'shed', upbitFrame('orderbook', 'KRW-ETH', 4)])
  assert.deepEqual(
    sheds(items).map(({ subscription, frames }) => [subscription, frames]),
    [
      [1, 1],
      [1, 2]
    ]
  )
  assertBalanced(rig)
  rig.close()
})

test('a book whose snapshots come in the stream is subscribed anew, alone, when credit is back', async () => {
  const adapter: ExchangeAdapter = {
    ...upbit,
    continuity: {
      ...upbit.continuity,
      book: {
        mode: 'delta',
        sequence: 'previous-equals-last',
        snapshot: { from: 'stream' },
        check: 'none',
        depth: null
      }
    }
  }
  const rig = await shedding('orderbook', adapter)
  rig.socket().sent.length = 0
  rig.socket().receive(upbitFrame('orderbook', 'KRW-ETH', 1))
  rig.settleAll()
  assert.equal(rig.socket().sent.length, 1)
  rig.socket().receive(upbitFrame('orderbook', 'KRW-ETH', 2))
  assert.ok(gist(rig.producer.taken()).includes('confirmed'))
  rig.close()
})

test('trades go on into a quarter of overdraft and are shed only beyond it', async () => {
  const rig = await shedding('trade')
  const frame = upbitFrame('trade', 'KRW-BTC', 'x'.repeat(150))
  for (let n = 0; n < 10; n++) rig.socket().receive(frame)
  const shed = rig.ledger.frames(0).get('shed')
  assert.ok(shed >= 7 && shed <= 9, `${shed} shed`)
  assertBalanced(rig)
  rig.settleAll()
  rig.clock.advance(5)
  rig.producer.taken()
  rig.settleAll()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'after'))
  rig.clock.advance(5)
  assert.deepEqual(gist(rig.producer.taken()), [upbitFrame('trade', 'KRW-BTC', 'after')])
  rig.close()
})

test('once a trade is shed all are, until credit is back: a gap is not closed between two losses', async () => {
  const rig = await shedding('trade')
  const frame = upbitFrame('trade', 'KRW-BTC', 'x'.repeat(150))
  for (let n = 0; n < 10; n++) rig.socket().receive(frame)
  const shed = rig.ledger.frames(0).get('shed')
  rig.batcher.settled(rig.link().plan.connection, 400, 0)
  rig.socket().receive(frame)
  rig.socket().receive(upbitFrame('trade', 'KRW-ETH', 1))
  assert.equal(rig.ledger.frames(0).get('shed'), shed + 2)
  rig.settleAll()
  rig.clock.advance(5)
  const told = sheds(rig.producer.taken()).map(({ subscription }) => subscription)
  assert.deepEqual(told, [0, 1, 0], 'the first loss of each symbol at once, the rest at the end')
  assertBalanced(rig)
  rig.close()
})

test('a socket that ends while it sheds first tells what it shed and hands over what it kept', async () => {
  const rig = await shedding('ticker')
  for (let n = 1; n <= 3; n++) rig.socket().receive(upbitFrame('ticker', 'KRW-BTC', n))
  rig.socket().end()
  assert.deepEqual(gist(rig.producer.taken()), ['shed', 'shed', upbitFrame('ticker', 'KRW-BTC', 3), 'lost'])
  assertBalanced(rig)
  rig.close()
})

test('frames that are not compressed as they should be are shed and told like others', async () => {
  const adapter: ExchangeAdapter = { ...upbit, compression: 'gzip' }
  for (const { requestType, taken } of [
    { requestType: 'ticker', taken: 1 },
    { requestType: 'orderbook', taken: 0 },
    { requestType: 'trade', taken: 1 }
  ] as const) {
    const rig = await shedding(requestType, adapter)
    for (let n = 0; n < 10; n++) rig.socket().receive(upbitFrame(requestType, 'KRW-BTC', 'x'.repeat(980)))
    assertBalanced(rig)
    rig.clock.advance(5)
    const items = rig.producer.taken()
    rig.settleAll()
    rig.clock.advance(5)
    items.push(...rig.producer.taken())
    assert.equal(rig.ledger.frames(0).get('shed'), 10 - taken)
    const told = sheds(items)
    assert.equal(
      told.reduce((sum, { frames }) => sum + frames, 0),
      10 - taken
    )
    assert.ok(told.every(({ subscription }) => subscription === null))
    const kinds = items.flatMap(item => (item.type === 'frame' ? [item.kind] : []))
    assert.deepEqual(
      kinds,
      Array.from({ length: taken }, () => FrameKind.garbled)
    )
    rig.close()
  }
})

test('a connection that begins where the one before it has used up the overdraft sheds until credit is back', async () => {
  const rig = await shedding('trade')
  for (let n = 0; n < 3; n++) rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'x'.repeat(480)))
  const account = rig.ledger.frames(0)
  const shedBefore = account.get('shed')
  for (let n = 0; n < 20; n++) {
    rig.socket().end()
    while (rig.socket().isEnded) rig.pass(1)
    rig.socket().open()
    for (const code of ['KRW-BTC', 'KRW-ETH']) {
      rig.socket().receive(upbitFrame('trade', code, 'x'.repeat(900)))
    }
    assert.equal(rig.socket().isPaused, false)
  }
  assert.equal(rig.sockets.length, 21)
  assert.equal(account.get('shed'), shedBefore + 20 * 2)
  assertBalanced(rig)
  rig.producer.taken()
  rig.settleAll()
  rig.producer.taken()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'after'))
  rig.clock.advance(5)
  assert.deepEqual(gist(rig.producer.taken()), [upbitFrame('trade', 'KRW-BTC', 'after')])
  rig.close()
})

test('tickers that were kept when their socket ends may use the overdraft, and the rest is told as lost', async () => {
  const rig = await shedding('ticker')
  for (const code of ['KRW-BTC', 'KRW-ETH']) rig.socket().receive(upbitFrame('ticker', code, 'x'.repeat(980)))
  rig.socket().end()
  const items = rig.producer.taken()
  assert.deepEqual(gist(items), [upbitFrame('ticker', 'KRW-BTC', 'x'.repeat(980)), 'shed', 'lost'])
  assert.deepEqual(sheds(items), [{ subscription: 1, frames: 1, firstFrameSeq: 4, lastFrameSeq: 4 }])
  assertBalanced(rig)
  rig.close()
})
