import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertRebuilt, bybitBook, bybitFacts } from '../support/asia-venues.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { allTypes, assertWholeStream } from '../support/won-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['bybit'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function subscribe(id: string, ...args: readonly string[]) {
  return { req_id: id, op: 'subscribe', args }
}

function answerOf(frame: string): { readonly success: boolean; readonly said: string; readonly id: string } {
  const { success, ret_msg, req_id, conn_id } = JSON.parse(frame) as {
    success: boolean
    ret_msg: string
    req_id: string
    conn_id: string
  }
  assert.ok(conn_id.length > 0)
  return { success, said: ret_msg, id: req_id }
}

test('every frame behind the acknowledgement is the next event of its ledger with its exact digits', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  const names = ['BTCUSDT', 'ADAUSDT', 'DOGEUSDT']
  client.send(
    subscribe(
      'a',
      ...names.flatMap(name => [`tickers.${name}`, `publicTrade.${name}`, `orderbook.50.${name}`])
    )
  )
  assert.deepEqual(answerOf(await client.next('')), { success: true, said: 'subscribe', id: 'a' })
  await client.take(800, '"topic"')
  assert.equal(assertWholeStream(simulators, 'bybit', client.frames, bybitFacts).size, 9)
  const trades = client.frames.map(bybitFacts).filter(read => read?.type === 'trade')
  assert.ok(trades.every(({ facts }) => facts.trade_id.length === 19))
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  client.close()
})

test("a book comes whole and then in changes; rebuilt it is the ledger's after each", async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(subscribe('a', 'orderbook.50.BTCUSDT'))
  const shown = bybitBook(await client.next('"topic"'))
  assert.deepEqual([shown.bids.length, shown.asks.length], [50, 50])
  await client.take(1000, '"delta"')
  const changes = client.frames
    .map(bybitFacts)
    .flatMap(read => (read?.type === 'orderbook' ? [read.facts] : []))
  const ledger = simulators.ledger.get('bybit', 'orderbook', 'BTC-USDT')!
  assert.ok(assertRebuilt(ledger, shown, changes, 50) >= 1000)
  // Update ids grow, and not by one alone.
  const steps = changes
    .slice(1)
    .map(({ sequence_last }, n) => Number(sequence_last) - Number(changes[n]!.sequence_last))
  assert.deepEqual(new Set(steps), new Set([1, 2, 3]))
  client.close()
})

test('one bad topic voids its request; the refusal names it', async () => {
  const { url } = await start({ faults: parseFaults('reject:bybit/trade:ETH-USDT') })
  const client = await SimulatorClient.open(url)
  for (const [topic, said] of [
    ['publicTrade.NOPEUSDT', 'Invalid symbol :[publicTrade.NOPEUSDT]'],
    ['publicTrade.ETHUSDT', 'Invalid symbol :[publicTrade.ETHUSDT]'],
    ['riddle.BTCUSDT', 'error:handler not found,topic:riddle.BTCUSDT']
  ] as const) {
    client.send(subscribe('bad', 'publicTrade.BTCUSDT', topic))
    assert.deepEqual(answerOf(await client.next('"success":false')), { success: false, said, id: 'bad' })
  }
  client.send(subscribe('good', 'publicTrade.SOLUSDT'))
  await client.take(20, '"topic"')
  assert.ok(!client.frames.some(frame => frame.includes('"topic":"publicTrade.BTCUSDT"')))
  client.close()
})

test('a topic cannot be subscribed twice, and comes whole again when it was given up before', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(subscribe('a', 'orderbook.50.BTCUSDT'))
  await client.next('"type":"delta"')
  client.send(subscribe('b', 'orderbook.50.BTCUSDT'))
  const twice = 'error:already subscribed,topic:orderbook.50.BTCUSDT'
  assert.deepEqual(answerOf(await client.next('"success"')), { success: false, said: twice, id: 'b' })
  client.send({ req_id: 'c', op: 'unsubscribe', args: ['orderbook.50.BTCUSDT'] })
  assert.deepEqual(answerOf(await client.next('"success"')), { success: true, said: 'unsubscribe', id: 'c' })
  client.send(subscribe('d', 'orderbook.50.BTCUSDT'))
  assert.deepEqual(answerOf(await client.next('')), { success: true, said: 'subscribe', id: 'd' })
  bybitBook(await client.next(''))
  client.close()
})

test('requests have ten topics at most, connections 21,000 characters of them', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(subscribe('a', ...Array.from({ length: 11 }, () => 'tickers.BTCUSDT')))
  assert.deepEqual(answerOf(await client.next('')), { success: false, said: 'error:args size >10', id: 'a' })
  // Channels of other depths are known and silent, so that many topics fit on the few markets there are.
  const long = 'kline.5.BTCUSDT'
  const periods = Array.from({ length: 1500 }, (_, n) => long.replace('5', `${1_000_000 + n}`))
  let refused = 0
  for (let from = 0; from < periods.length; from += 10) {
    client.send(subscribe(String(from), ...periods.slice(from, from + 10)))
    if (!answerOf(await client.next('"success"')).success) refused++
  }
  // A thousand topics of 21 characters fit.
  assert.equal(refused, 50)
  client.close()
})

test('JSON pings are answered, other messages refused, and a client that says nothing is cut', async () => {
  const { url } = await start({ timings: { bybitIdleMs: 300 } })
  const mute = await SimulatorClient.open(url)
  const client = await SimulatorClient.open(url)
  client.send({ req_id: 'p', op: 'ping' })
  const pong = JSON.parse(await client.next('pong')) as Record<string, unknown>
  assert.deepEqual([pong['op'], pong['success'], pong['req_id']], ['ping', true, 'p'])
  client.send('hello')
  assert.deepEqual(answerOf(await client.next('')), { success: false, said: 'Request format error', id: '' })
  client.send({ op: 'subscribe', args: [] })
  assert.equal(answerOf(await client.next('')).success, false)
  assert.equal((await mute.closed).code, 1006)
  assert.equal((await client.closed).code, 1006)
})

test('the listing names every market', async () => {
  const { simulators, rest } = await start()
  const path = `${rest}/v5/market/instruments-info?category=`
  const { result } = (await (await fetch(`${path}spot`)).json()) as {
    result: { list: { baseCoin: string; quoteCoin: string; status: string }[] }
  }
  assert.deepEqual(
    result.list.map(({ baseCoin, quoteCoin }) => `${baseCoin}-${quoteCoin}`),
    simulators.venues[0]!.symbols
  )
  const wrong = (await (await fetch(`${path}futures`)).json()) as { retCode: number }
  assert.equal(wrong.retCode, 10_001)
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts and falls silent', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults:
      'drop:2s,stall:1s,corrupt:0.005,mute:bybit/trade:BTC-USDT,mute:bybit/orderbook:SOL-USDT,reject:bybit/ticker:ETH-USDT',
    targets: () => allTypes.map(type => `bybit/${type}:BTC-USDT,ETH-USDT,SOL-USDT`)
  })
  // The mutes begin after three seconds and are proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
