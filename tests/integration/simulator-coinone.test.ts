import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { allTypes, assertWholeStream, coinoneFacts } from '../support/won-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['coinone'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function request(request_type: string, channel: string, target_currency: string, quote_currency = 'KRW') {
  return { request_type, channel, topic: { quote_currency, target_currency } }
}

test('every frame is an event of the ledger with its exact digits, in order and behind its confirmation', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  for (const channel of ['TICKER', 'TRADE', 'ORDERBOOK']) {
    for (const base of ['BTC', 'DOT', 'BTT']) client.send(request('SUBSCRIBE', channel, base))
  }
  await client.take(600, '"DATA"')
  assert.match(client.frames[0]!, /^\{"response_type":"CONNECTED","data":\{"session_id":"[^"]+"\}\}$/)
  assert.equal(client.frames.filter(frame => frame.includes('"SUBSCRIBED"')).length, 9)
  const first = (text: string) => client.frames.findIndex(frame => frame.includes(text))
  const topic = '"quote_currency":"KRW","target_currency":"DOT"'
  assert.ok(
    first(`"SUBSCRIBED","channel":"TRADE","data":{${topic}`) <
      first(`"DATA","channel":"TRADE","data":{${topic}`)
  )
  assert.equal(assertWholeStream(simulators, 'coinone', client.frames, coinoneFacts).size, 9)
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  client.close()
})

test('a book has sixteen levels a side, bids from the best and asks from the worst', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request('SUBSCRIBE', 'ORDERBOOK', 'BTC'))
  for (const frame of await client.take(50, '"DATA"')) {
    const { data } = JSON.parse(frame) as { data: Record<'asks' | 'bids', { price: string }[]> }
    const [asks, bids] = [data.asks, data.bids].map(side => side.map(({ price }) => Number(price)))
    assert.equal(asks!.length, 16)
    assert.equal(bids!.length, 16)
    assert.deepEqual(
      asks,
      asks!.toSorted((a, b) => b - a)
    )
    assert.deepEqual(
      bids,
      bids!.toSorted((a, b) => b - a)
    )
    assert.ok(asks.at(-1)! > bids[0]!)
  }
  client.close()
})

test('an unknown or rejected topic is confirmed like any other and then refused without a name', async () => {
  const { url } = await start({ faults: parseFaults('reject:coinone/trade:ETH-KRW') })
  const client = await SimulatorClient.open(url)
  for (const [base, quote] of [
    ['NOPE', 'KRW'],
    ['BTC', 'USDT'],
    ['ETH', 'KRW']
  ] as const) {
    client.send(request('SUBSCRIBE', 'TRADE', base, quote))
    const topic = { quote_currency: quote, target_currency: base }
    assert.deepEqual(JSON.parse(await client.next('SUBSCRIBED')), {
      response_type: 'SUBSCRIBED',
      channel: 'TRADE',
      data: topic
    })
    assert.deepEqual(JSON.parse(await client.next('ERROR')), {
      response_type: 'ERROR',
      error_code: 160012,
      message: 'Invalid Topic'
    })
  }
  client.close()
})

test('a topic in lower case is granted and its confirmation echoes it', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request('SUBSCRIBE', 'TRADE', 'btc', 'krw'))
  assert.match(await client.next('SUBSCRIBED'), /"target_currency":"btc"/)
  assert.match(await client.next('DATA'), /"target_currency":"BTC"/)
  client.close()
})

test('subscribing twice repeats the current book, and nothing comes twice afterwards', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request('SUBSCRIBE', 'ORDERBOOK', 'BTC'))
  await client.take(10, '"DATA"')
  client.send(request('SUBSCRIBE', 'ORDERBOOK', 'BTC'))
  await client.next('SUBSCRIBED')
  await client.take(20, '"DATA"')
  await simulators.freeze()
  client.send({ request_type: 'PING' })
  await client.next('PONG')
  const books = client.frames.filter(frame => frame.includes('"DATA"'))
  assert.equal(books.length, new Set(books).size + 1)
  client.close()
})

test('behind the end of a subscription nothing more comes of it', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request('SUBSCRIBE', 'TRADE', 'BTC'))
  client.send(request('SUBSCRIBE', 'TRADE', 'ETH'))
  await client.take(10, '"DATA"')
  client.send(request('UNSUBSCRIBE', 'TRADE', 'BTC'))
  assert.match(await client.next('UNSUBSCRIBED'), /"BTC"/)
  const frames = await client.take(20, '"DATA"')
  assert.ok(frames.every(frame => frame.includes('"ETH"')))
  client.close()
})

const mistakes: readonly [request: unknown, code: number, field: string | undefined][] = [
  ['hello', 160010, undefined],
  [{ request_type: 'SUBSCRIBE', channel: 'TRADE' }, 160010, undefined],
  [request('subscribe', 'TRADE', 'BTC'), 160011, 'request_type'],
  [request('SUBSCRIBE', 'NOPE', 'BTC'), 160011, 'channel'],
  [{ ...request('SUBSCRIBE', 'TRADE', 'BTC'), format: 'short' }, 160011, 'format']
]
test('a wrong request gets an error that says what is wrong, and the connection stays', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  for (const [wrong, code, field] of mistakes) {
    client.send(wrong)
    const answer = JSON.parse(await client.next('ERROR')) as Record<string, unknown>
    assert.equal(answer['error_code'], code)
    assert.equal(answer['field'], field)
  }
  client.send({ request_type: 'PING' })
  assert.equal(await client.next('PONG'), '{"response_type":"PONG"}')
  client.close()
})

test('the twenty-first connection of an address is closed with 4290', async () => {
  const { simulators, url } = await start()
  const clients = await Promise.all(Array.from({ length: 20 }, () => SimulatorClient.open(url)))
  const oneTooMany = await SimulatorClient.open(url)
  assert.equal((await oneTooMany.closed).code, 4290)
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['limit']
  )
  clients[0]!.close()
  for (const client of clients) client.close()
})

test('a client that never sends anything is cut, and one that forgets its PING later', async () => {
  const { url } = await start({ timings: { coinoneSilentMs: 100, coinoneIdleMs: 400 } })
  const silent = await SimulatorClient.open(url)
  const forgetful = await SimulatorClient.open(url)
  const alive = await SimulatorClient.open(url)
  forgetful.send(request('SUBSCRIBE', 'TRADE', 'BTC'))
  const pings = setInterval(() => alive.send({ request_type: 'PING' }), 50)
  assert.equal((await silent.closed).code, 1006)
  assert.equal((await forgetful.closed).code, 1006)
  alive.skip()
  await alive.next('PONG')
  clearInterval(pings)
  alive.close()
})

test('the listing names every market of a quote, and none of another', async () => {
  const { simulators, rest } = await start()
  const listOf = async (quote: string) => {
    const response = await fetch(`${rest}/public/v2/markets/${quote}`)
    return ((await response.json()) as { markets: Record<string, string>[] }).markets
  }
  assert.deepEqual(
    (await listOf('KRW')).map(market => `${market['target_currency']}-${market['quote_currency']}`),
    simulators.venues[0]!.symbols
  )
  assert.deepEqual(await listOf('USDT'), [])
  assert.equal((await fetch(`${rest}/public/v2/nope`)).status, 404)
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts and falls silent', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults: 'drop:2s,stall:1s,corrupt:0.005,mute:coinone/orderbook:BTC-KRW,reject:coinone/ticker:ETH-KRW',
    targets: () => allTypes.map(type => `coinone/${type}:BTC-KRW,ETH-KRW,SOL-KRW`)
  })
  // The mute begins after three seconds and is proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
