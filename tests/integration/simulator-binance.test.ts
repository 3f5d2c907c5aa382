import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import {
  bookFingerprint,
  bookHash,
  type LevelFacts,
  tickerFingerprint,
  tradeFingerprint
} from '../../src/simulator/fingerprint.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { binanceDelta, binanceTicker, binanceTrade, SimulatorClient } from '../support/simulator-client.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['binance'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function subscribe(params: readonly string[], id: number | string | null = 1): unknown {
  return { method: 'SUBSCRIBE', params, id }
}

test('every frame after the acknowledgement is the next event of its ledger with its exact digits', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  const streams = ['btcusdt', 'adausdt', 'vetusdt'].flatMap(s => [
    `${s}@ticker`,
    `${s}@trade`,
    `${s}@depth@100ms`
  ])
  client.send(subscribe(streams))
  assert.equal(await client.next(''), '{"result":null,"id":1}')
  await client.take(1000, '"stream"')
  const next = new Map<string, number>()
  for (const frame of client.frames.slice(1)) {
    const { stream } = JSON.parse(frame) as { stream: string }
    const symbol = `${stream.split('@')[0]!.slice(0, -4).toUpperCase()}-USDT`
    const [ordinal, fingerprint, expected] = locate(simulators, symbol, frame)
    assert.equal(ordinal, next.get(stream) ?? 0, frame)
    assert.equal(fingerprint, expected, frame)
    next.set(stream, ordinal + 1)
  }
  assert.equal(next.size, streams.length)
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  client.close()
})

function locate(simulators: Simulators, symbol: string, frame: string): [number, number, number] {
  const of = (type: string) => simulators.ledger.get('binance', type, symbol)!
  if (frame.includes('@ticker')) {
    const record = binanceTicker(frame)
    const ordinal = of('ticker').findTicker(record)
    return [ordinal, tickerFingerprint(record), of('ticker').fingerprint(ordinal)]
  }
  if (frame.includes('@trade')) {
    const record = binanceTrade(frame)
    const ordinal = of('trade').findTrade(record)
    return [ordinal, tradeFingerprint(record), of('trade').fingerprint(ordinal)]
  }
  const record = binanceDelta(frame)
  const ordinal = of('orderbook').findBook(record)
  return [ordinal, bookFingerprint(record), of('orderbook').fingerprint(ordinal)]
}

test("a book rebuilt by the documented procedure is the ledger's after every update", async () => {
  const { simulators, url, rest } = await start({ rate: 3000 })
  const client = await SimulatorClient.open(url)
  client.send(subscribe(['btcusdt@depth@100ms']))
  await client.take(50, 'depthUpdate')
  const body = await (await fetch(`${rest}/api/v3/depth?symbol=BTCUSDT&limit=5000`)).json()
  const snapshot = body as { lastUpdateId: number; bids: [string, string][]; asks: [string, string][] }
  await client.take(3000, 'depthUpdate')
  const ledger = simulators.ledger.get('binance', 'orderbook', 'BTC-USDT')!
  const bids = new Map(snapshot.bids)
  const asks = new Map(snapshot.asks)
  const levels = (side: Map<string, string>): LevelFacts[] =>
    [...side].map(([price, size]) => ({ price, size }))
  let last = snapshot.lastUpdateId
  assert.equal(bookHash(levels(bids), levels(asks)), ledger.bookHashAt(ledger.ordinalOfKey(last)))
  let applied = 0
  for (const frame of client.frames.filter(text => text.includes('depthUpdate'))) {
    const delta = binanceDelta(frame)
    if (Number(delta.sequence_last) <= last) continue
    if (applied++ === 0) assert.ok(Number(delta.sequence_first) <= last + 1)
    else assert.equal(Number(delta.sequence_first), last + 1)
    for (const [side, changes] of [
      [bids, delta.bids],
      [asks, delta.asks]
    ] as const) {
      for (const { price, size } of changes) {
        if (size === '0.00000000') side.delete(price)
        else side.set(price, size)
      }
    }
    last = Number(delta.sequence_last)
    assert.equal(bookHash(levels(bids), levels(asks)), ledger.bookHashAt(ledger.findBook(delta)))
  }
  assert.ok(applied > 2000)
  const best = (side: Map<string, string>, of: (...all: number[]) => number): number =>
    of(...[...side.keys()].map(Number))
  assert.ok(best(bids, Math.max) < best(asks, Math.min))
  assert.ok(bids.size < 5000 && asks.size < 5000)
  client.close()
})

test('requests are answered by id; wrong ones get a nested error', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  const ask = async (message: unknown): Promise<unknown> => {
    client.send(message)
    return JSON.parse(await client.next('"id"'))
  }
  const error = async (message: unknown): Promise<unknown> =>
    ((await ask(message)) as { error: { code: number } }).error.code
  assert.deepEqual(await ask(subscribe(['nopenope@trade', 'BTCUSDT@trade', 'btcusdt@kline_1m'], 'a')), {
    result: null,
    id: 'a'
  })
  assert.deepEqual(await ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 }), {
    result: ['nopenope@trade', 'BTCUSDT@trade', 'btcusdt@kline_1m'],
    id: 3
  })
  assert.deepEqual(await ask({ method: 'UNSUBSCRIBE', params: ['nopenope@trade'], id: null }), {
    result: null,
    id: null
  })
  assert.equal(await error('{'), 3)
  client.close()
  const other = await start()
  const second = await SimulatorClient.open(other.url)
  for (const request of [
    { method: 'DANCE', id: 1 },
    subscribe(['btcusdt']),
    subscribe([]),
    { ...Object(subscribe(['a@b'])), id: 1.5 }
  ]) {
    second.send(request)
    assert.match(await second.next('"id"'), /^\{"error":\{"code":2,"msg":"Invalid request: /)
  }
  second.close()
})

test('streams of unknown symbols are acknowledged and silent, a rejected one voids its request', async () => {
  const { url } = await start({ faults: parseFaults('reject:binance/trade:ETH-USDT') })
  const client = await SimulatorClient.open(url)
  client.send(subscribe(['ethusdt@trade', 'xrpusdt@trade'], 1))
  assert.match(await client.next('"id":1'), /invalid stream/)
  client.send(subscribe(['nopeusdt@trade', 'btcusdt@trade'], 2))
  await client.next('"result":null')
  const frames = await client.take(20, '"stream"')
  assert.ok(frames.every(frame => frame.includes('btcusdt@trade')))
  client.close()
})

test('streams can be named in the address, and unsubscribing ends them', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(`${url}?streams=btcusdt@trade/ethusdt@trade`)
  await client.next('ethusdt@trade')
  client.send({ method: 'UNSUBSCRIBE', params: ['ethusdt@trade'], id: 9 })
  await client.next('"id":9')
  const frames = await client.take(30, '"stream"')
  assert.ok(frames.every(frame => frame.includes('btcusdt@trade')))
  client.close()
})

test('more than five messages a second, pings included, end the connection with 1008', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  for (let n = 0; n < 3; n++) client.webSocket.ping()
  for (let n = 0; n < 3; n++) client.send({ method: 'LIST_SUBSCRIPTIONS', id: n })
  const closed = await client.closed
  assert.equal(closed.code, 1008)
  assert.equal(closed.reason, 'Too many requests')
})

test('a client that does not answer pings is cut, one that does stays', async () => {
  const { simulators, url } = await start({ timings: { binancePingEveryMs: 250, binancePongLimitMs: 1_500 } })
  const deaf = await SimulatorClient.open(url, { autoPong: false })
  const alive = await SimulatorClient.open(url)
  assert.equal((await deaf.closed).code, 1006)
  assert.ok(deaf.pings >= 2)
  alive.send({ method: 'LIST_SUBSCRIPTIONS', id: 1 })
  await alive.next('"result"')
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['idle']
  )
  alive.close()
})

test('a connection that has reached its age is cut', async () => {
  const { url } = await start({ timings: { binanceAgeMaxMs: 200 } })
  const client = await SimulatorClient.open(url)
  assert.equal((await client.closed).code, 1006)
})

test('REST answers the listing and books, and refuses when the weight of a minute is used up', async () => {
  const { simulators, rest } = await start()
  const listing = (await (await fetch(`${rest}/api/v3/exchangeInfo`)).json()) as {
    symbols: { symbol: string; baseAsset: string; quoteAsset: string; status: string }[]
  }
  assert.deepEqual(
    listing.symbols.map(({ baseAsset, quoteAsset }) => `${baseAsset}-${quoteAsset}`),
    simulators.venues[0]!.symbols
  )
  assert.equal((await fetch(`${rest}/api/v3/depth?symbol=NOPE`)).status, 400)
  const small = (await (await fetch(`${rest}/api/v3/depth?symbol=BTCUSDT&limit=5`)).json()) as {
    bids: unknown[]
  }
  assert.equal(small.bids.length, 5)
  let refused: Response | null = null
  // At most twice the minute's weight, in case the minute ends meanwhile.
  for (let n = 0; n < 50 && refused === null; n++) {
    const response = await fetch(`${rest}/api/v3/depth?symbol=BTCUSDT&limit=5000`)
    if (response.status === 429) refused = response
    else assert.equal(response.status, 200)
    await response.arrayBuffer()
  }
  assert.ok(refused !== null)
  const seconds = Number(refused.headers.get('retry-after'))
  assert.ok(seconds >= 1 && seconds <= 60)
})
