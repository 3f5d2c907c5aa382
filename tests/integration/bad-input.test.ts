import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type ErrorCode } from '../../src/core/errors.ts'
import { MixedVenues } from '../support/mixed-venues.ts'
import { assertSettled, type Tail, TestService } from '../support/run-service.ts'

const frameBytesMax = 3 * 1024 * 1024
const deadLetterBytesMax = 512 * 1024
const nesting = 1_000_000

const trade = (fields: Readonly<Record<string, unknown>>) =>
  JSON.stringify({
    stream: 'btcusdt@trade',
    data: { e: 'trade', E: 1, s: 'BTCUSDT', t: 1, p: '1.0', q: '1.0', T: 1, m: true, M: true, ...fields }
  })

interface DeadFrame {
  readonly name: string
  readonly frame: string | Buffer
  readonly isBinary?: true
  readonly code: ErrorCode
  readonly reason: RegExp
}

const deadFrames: readonly DeadFrame[] = [
  {
    name: 'malformed JSON',
    frame: '{"stream":"btcusdt@trade","data":{"e":"trade",}}',
    code: 'FRAME_MALFORMED',
    reason: /^malformed json$/
  },
  {
    name: 'a truncated frame',
    frame: trade({}).slice(0, -30),
    code: 'FRAME_MALFORMED',
    reason: /^malformed json$/
  },
  {
    name: 'binary garbage',
    frame: Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 73 + 7) & 0xff)),
    isBinary: true,
    code: 'FRAME_MALFORMED',
    reason: /^(malformed json|invalid utf-8)$/
  },
  {
    name: 'a decompression bomb where nothing is compressed',
    frame: gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    isBinary: true,
    code: 'FRAME_MALFORMED',
    reason: /^(malformed json|invalid utf-8)$/
  },
  {
    name: 'a frame nested a million deep',
    frame: '['.repeat(nesting) + ']'.repeat(nesting),
    code: 'FRAME_MALFORMED',
    reason: /^nested too deep$/
  },
  {
    name: 'data nested a million deep',
    frame: `{"stream":"btcusdt@trade","data":${'['.repeat(nesting)}${']'.repeat(nesting)}}`,
    code: 'FRAME_MALFORMED',
    reason: /^nested too deep$/
  },
  {
    name: 'invalid UTF-8',
    frame: Buffer.concat([
      Buffer.from('{"stream":"btcusdt@trade","data":{"e":"'),
      Buffer.of(0xc3, 0x28),
      Buffer.from('"}}')
    ]),
    code: 'FRAME_MALFORMED',
    reason: /^invalid utf-8$/
  },
  {
    name: 'a trade without a price',
    frame: trade({ p: undefined }),
    code: 'FRAME_UNEXPECTED',
    reason: /^field missing$/
  },
  {
    name: 'a trade whose price is no number',
    frame: trade({ p: '1,000' }),
    code: 'FRAME_UNEXPECTED',
    reason: /^field invalid$/
  },
  {
    name: 'a frame of a kind that nobody knows',
    frame: trade({ e: 'novelty' }),
    code: 'FRAME_UNKNOWN',
    reason: /^unknown$/
  }
]

suite('bad input costs its own connection something, and no other anything', () => {
  let venues: MixedVenues
  let service: TestService
  let deadLetters: Tail
  let gaps: Tail
  let trades: Tail
  let others: readonly { readonly topic: string; readonly tail: Tail }[]

  before(async () => {
    venues = await MixedVenues.start()
    service = await TestService.start({
      targets: [
        'binance/trade:BTC-USDT,BTX-USDT',
        'binance/ticker:BTC-USDT',
        'binance/orderbook:BTC-USDT',
        'upbit/ticker:BTC-KRW',
        'upbit/trade:BTC-KRW',
        'upbit/orderbook:BTC-KRW'
      ],
      endpoints: venues.endpoints,
      settings: { 'limits.frameBytesMax': String(frameBytesMax) }
    })
    deadLetters = service.tail('ws.dlq')
    gaps = service.tail('ws.gap.events')
    trades = service.tail('trade-data.asia')
    others = ['orderbook-data.asia', 'trade-data.korea', 'orderbook-data.korea'].map(topic => ({
      topic,
      tail: service.tail(topic)
    }))
    await venues.areSubscribed()
    await tradeArrives()
    await othersGoOn()
  })

  after(async () => {
    await service[Symbol.asyncDispose]()
    await venues[Symbol.asyncDispose]()
  })

  /** The next trade of the connection that misbehaves. */
  async function tradeArrives(): Promise<Readonly<Record<string, unknown>>> {
    const id = venues.sendTrade()
    const { value } = await trades.first(record => record.value['trade_id'] === id, `trade ${id}`)
    return value
  }

  /** One more event on each of the other connections comes through. */
  async function othersGoOn(): Promise<void> {
    const marks = venues.sendOnOthers()
    await Promise.all(
      others.map(({ topic, tail }, i) => {
        const { field, text } = marks[i]!
        return tail.first(({ value }) => String(value[field]) === text, `${field} ${text} of ${topic}`)
      })
    )
  }

  const counted = (code: ErrorCode, times = 1) =>
    service.until(({ errors }) => (errors[code] ?? 0) >= times, `${times} × ${code}`)

  for (const { name, frame, isBinary, code, reason } of deadFrames) {
    test(`${name} becomes a dead letter inside a gap, and the next frame is taken`, async () => {
      const known = deadLetters.records.length
      venues.sendBad(frame, isBinary ?? false)
      const published = await tradeArrives()

      const letter = await deadLetters.first(record => deadLetters.records.indexOf(record) >= known, name)
      assert.equal(letter.key, 'asia|binance|trade')
      const { kind, source, value_base64, truncated, ...said } = letter.value
      assert.deepEqual([kind, said['code']], ['frame', code])
      assert.match(String(said['reason']), reason)
      const bytes = Buffer.from(frame)
      assert.equal(truncated, bytes.length > deadLetterBytesMax)
      assert.ok(Buffer.from(String(value_base64), 'base64').equals(bytes.subarray(0, deadLetterBytesMax)))

      const { connection_id, frame_seq } = source as { connection_id: string; frame_seq: number }
      assert.equal(connection_id, published['connection_id'])
      const gap = await gaps.first(
        ({ value }) => value['status'] === 'closed' && value['last_frame_seq'] === frame_seq - 1,
        `the gap of frame ${frame_seq}`
      )
      assert.deepEqual(
        [gap.value['reason'], gap.value['symbol'], gap.value['connection_id'], gap.value['first_frame_seq']],
        ['decode', null, connection_id, frame_seq + 1]
      )
      await othersGoOn()
    })
  }

  test('every dead frame is counted under its code', async () => {
    for (const code of ['FRAME_MALFORMED', 'FRAME_UNEXPECTED', 'FRAME_UNKNOWN'] as const) {
      const times = deadFrames.filter(dead => dead.code === code).length
      const { errors } = await counted(code, times)
      assert.equal(errors[code], times)
    }
  })

  test('data of a symbol that nobody asked for is ignored, and is no loss', async () => {
    const { frames, gaps: before } = await service.until(() => true, 'a snapshot')
    venues.sendBad(trade({ s: 'DOGEUSDT' }).replace('btcusdt', 'dogeusdt'))
    await tradeArrives()
    const status = await service.until(now => now.frames.ignored > frames.ignored, 'one more ignored frame')
    assert.equal(status.frames.ignored, frames.ignored + 1)
    assert.equal(status.gaps.opened, before.opened)
    assert.ok(trades.records.every(({ key }) => key === 'asia|binance|trade|BTC-USDT'))
    await othersGoOn()
  })

  test('an error of the venue that names no request is told, and nothing ends', async () => {
    venues.sendBad('{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}')
    await counted('VENUE_ERROR')
    await tradeArrives()
    await othersGoOn()
  })

  test('a symbol that the venue does not list is named, and its target goes on without it', async () => {
    const { errors } = await service.until(() => true, 'a snapshot')
    assert.equal(errors['SYMBOL_UNKNOWN'], 1)
    await tradeArrives()
  })

  test('a refused subscription ends its own target only', async () => {
    const { targets } = await counted('SYMBOL_REJECTED')
    assert.equal(targets.find(({ target }) => target === 'binance/ticker')?.state, 'stopped')
    await othersGoOn()
  })

  test('an oversized frame ends its connection; the next one goes on, with a gap between', async () => {
    const first = await tradeArrives()
    const redialled = venues.tradesAreSubscribed()
    venues.sendBad(trade({ p: '1'.repeat(frameBytesMax) }))
    await counted('FRAME_OVERSIZED')
    await redialled
    const next = await tradeArrives()
    assert.notEqual(next['connection_id'], first['connection_id'])
    const { value: gap } = await gaps.first(
      ({ value }) => value['status'] === 'closed' && value['reason'] === 'disconnect',
      'the gap of the lost connection'
    )
    assert.deepEqual(
      [gap['symbol'], gap['connection_id'], gap['next_connection_id'], gap['last_frame_seq'], gap['missed']],
      ['BTC-USDT', first['connection_id'], next['connection_id'], first['frame_seq'], 0]
    )
    await othersGoOn()
  })

  test('a subscription that is never confirmed is told, and its connection stays', async () => {
    await counted('SYMBOL_UNCONFIRMED')
    // The error may be counted a moment before the state is shown.
    await service.until(
      ({ targets }) => targets.some(({ target, state }) => target === 'upbit/ticker' && state === 'live'),
      'a connection that stays'
    )
    await othersGoOn()
  })

  test('a handshake refused with 429 opens the circuit, and open connections of that venue live on', async () => {
    venues.refuseBinance(429)
    venues.cutTrades()
    await counted('HANDSHAKE_REFUSED')
    await counted('BREAKER_OPEN')
    const { targets } = await service.until(
      now => now.targets.some(({ target, state }) => target === 'binance/trade' && state === 'open'),
      'an open circuit'
    )
    assert.equal(targets.find(({ target }) => target === 'binance/orderbook')?.state, 'live')
    await othersGoOn()
  })

  test('at the end every account is closed, and the other connections never noticed', async () => {
    const summary = await service.stop()
    assertSettled(summary)
    assert.equal(summary.frames.dead, deadFrames.length)
    assert.equal(summary.records.failed, 0)
    const touched = gaps.records.filter(
      ({ key }) => !key.startsWith('asia|binance|trade|') && !key.startsWith('korea|upbit|ticker|')
    )
    assert.deepEqual(touched, [])
    for (const { topic, tail } of others) {
      assert.equal(new Set(tail.records.map(({ value }) => value['connection_id'])).size, 1, topic)
    }
    // One dial each, and two of the connection that misbehaved; the third was refused.
    assert.equal(venues.handshakes, 6 + 1 + 1)
  })
})

test('a book snapshot that cannot be read is a dead letter, and is fetched again', async () => {
  let depths = 0
  await using venues = await MixedVenues.start({
    depth: id =>
      depths++ === 0 ? '{"lastUpdateId":' : `{"lastUpdateId":${id},"bids":[["1.0","2.0"]],"asks":[]}`
  })
  await using service = await TestService.start({
    targets: ['binance/orderbook:BTC-USDT'],
    endpoints: venues.endpoints
  })
  const books = service.tail('orderbook-data.asia')
  const letter = await service.tail('ws.dlq').first(() => true, 'a dead letter')
  assert.equal(letter.value['code'], 'FRAME_MALFORMED')
  // It is fetched again for the update that needs it.
  venues.sendOnOthers()
  await books.first(({ value }) => value['kind'] === 'SNAPSHOT', 'a snapshot')
  await books.first(({ value }) => value['kind'] === 'DELTA', 'the update that waited')
  assert.equal(depths, 2)
  assertSettled(await service.stop())
})
