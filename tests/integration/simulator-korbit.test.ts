import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { allTypes, assertWholeStream, korbitFacts } from '../support/won-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['korbit'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function subscribe(requestId: number | undefined, type: string, ...symbols: string[]) {
  return { ...(requestId === undefined ? {} : { requestId }), method: 'subscribe', type, symbols }
}

test('every frame is an event of the ledger with its exact digits, in order, first a snapshot', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(allTypes.map((type, n) => subscribe(n + 1, type, 'btc_krw', 'dot_krw', 'btt_krw')))
  await client.take(600, '"symbol"')
  assert.equal(client.frames[0], '{"status":"success","requestId":1}')
  assert.equal(client.frames.filter(frame => frame.includes('"status":"success"')).length, 3)
  assert.equal(assertWholeStream(simulators, 'korbit', client.frames, korbitFacts).size, 9)
  assert.equal(client.frames.filter(frame => frame.includes('"snapshot":true')).length, 9)
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  client.close()
})

test('a book has thirty levels a side in every frame, best first', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send([subscribe(1, 'orderbook', 'btc_krw')])
  for (const frame of await client.take(50, '"orderbook"')) {
    const { data } = JSON.parse(frame) as { data: Record<'asks' | 'bids', { price: string }[]> }
    const [asks, bids] = [data.asks, data.bids].map(side => side.map(({ price }) => Number(price)))
    assert.equal(asks!.length, 30)
    assert.equal(bids!.length, 30)
    assert.deepEqual(
      asks,
      asks!.toSorted((a, b) => a - b)
    )
    assert.deepEqual(
      bids,
      bids!.toSorted((a, b) => b - a)
    )
    assert.ok(asks[0]! > bids[0]!)
  }
  client.close()
})

test('a symbol that does not exist is named and its request refused; the others are granted', async () => {
  const { url } = await start({ faults: parseFaults('reject:korbit/trade:ETH-KRW') })
  const client = await SimulatorClient.open(url)
  client.send([subscribe(1, 'trade', 'xrp_krw', 'nope_krw'), subscribe(2, 'trade', 'btc_krw')])
  const refusal = (symbol: string, requestId?: number) => ({
    status: 'fail',
    code: 'INVALID_SYMBOL',
    message: `The symbol does not exist (${symbol})`,
    ...(requestId === undefined ? {} : { requestId })
  })
  assert.deepEqual(JSON.parse(await client.next('fail')), refusal('nope_krw', 1))
  assert.equal(await client.next('success'), '{"status":"success","requestId":2}')
  const frames = await client.take(20, '"trade"')
  assert.ok(frames.every(frame => frame.includes('"btc_krw"')))
  // Names are told apart by case, refusals come without a number as well, and the run may ask for more of them.
  client.send([subscribe(undefined, 'trade', 'BTC_KRW'), subscribe(3, 'trade', 'eth_krw')])
  assert.deepEqual(JSON.parse(await client.next('fail')), refusal('BTC_KRW'))
  assert.deepEqual(JSON.parse(await client.next('fail')), refusal('eth_krw', 3))
  client.close()
})

test('without a number success is silent, and a subscription anew shows the last event again', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  client.send([subscribe(undefined, 'ticker', 'btc_krw')])
  await client.take(20, '"ticker"')
  await simulators.freeze()
  client.send([subscribe(9, 'ticker', 'btc_krw')])
  await client.next('{"status":"success","requestId":9}')
  const again = await client.next('"snapshot":true')
  const last = client.frames.findLast(frame => frame.includes('"ticker"') && frame !== again)!
  assert.equal(again.replace('"snapshot":true,', ''), last)
  assert.equal(client.frames.filter(frame => frame.includes('"status"')).length, 1)
  client.close()
})

test('behind the end of a subscription nothing more comes of it', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send([subscribe(1, 'trade', 'btc_krw', 'eth_krw')])
  await client.take(10, '"trade"')
  client.send([{ requestId: 2, method: 'unsubscribe', type: 'trade', symbols: ['btc_krw'] }])
  await client.next('{"status":"success","requestId":2}')
  const frames = await client.take(20, '"trade"')
  assert.ok(frames.every(frame => frame.includes('"eth_krw"')))
  client.close()
})

test('the pair that is listed as stopped is granted and has an empty book', async () => {
  const { url, rest } = await start()
  const client = await SimulatorClient.open(url)
  client.send([subscribe(1, 'orderbook', 'klay_krw')])
  await client.next('success')
  const { data, snapshot } = JSON.parse(await client.next('klay_krw')) as Record<string, unknown>
  const { asks, bids, timestamp } = data as { asks: unknown[]; bids: unknown[]; timestamp: number }
  assert.deepEqual([snapshot, asks, bids], [true, [], []])
  assert.ok(timestamp < Date.now() - 86_400_000)
  const listing = (await (await fetch(`${rest}/v2/currencyPairs`)).json()) as {
    data: { symbol: string; status: string }[]
  }
  assert.equal(listing.data.find(({ symbol }) => symbol === 'klay_krw')?.status, 'stopped')
  client.close()
})

const mistakes: readonly [request: unknown, answer: object][] = [
  ['hello', { status: 'fail', message: 'invalid_format' }],
  [subscribe(1, 'trade', 'btc_krw'), { status: 'fail', message: 'invalid_format' }],
  [
    [subscribe(4, 'riddle', 'btc_krw')],
    { status: 'fail', code: 'INVALID_REQUEST', message: 'unknown_type', requestId: 4 }
  ]
]
test('a wrong request gets an error, and the connection stays', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  for (const [wrong, answer] of mistakes) {
    client.send(wrong)
    assert.deepEqual(JSON.parse(await client.next('fail')), answer)
  }
  client.close()
})

test('the server pings, and cuts a client that does not answer', async () => {
  const { url } = await start({ timings: { korbitPingEveryMs: 50, korbitPongLimitMs: 200 } })
  const mute = await SimulatorClient.open(url, { autoPong: false })
  const alive = await SimulatorClient.open(url)
  assert.equal((await mute.closed).code, 1006)
  assert.ok(mute.pings > 1)
  alive.send([subscribe(1, 'trade', 'btc_krw')])
  await alive.next('success')
  alive.close()
})

test('the listing names every market that is traded', async () => {
  const { simulators, rest } = await start()
  const { data } = (await (await fetch(`${rest}/v2/currencyPairs`)).json()) as {
    data: { symbol: string; status: string }[]
  }
  assert.deepEqual(
    data
      .filter(({ status }) => status === 'launched')
      .map(({ symbol }) => symbol.replace('_', '-').toUpperCase()),
    simulators.venues[0]!.symbols
  )
  assert.equal((await fetch(`${rest}/v2/nope`)).status, 404)
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts and falls silent', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults: 'drop:2s,stall:1s,corrupt:0.005,mute:korbit/trade:BTC-KRW,reject:korbit/ticker:ETH-KRW',
    targets: () => allTypes.map(type => `korbit/${type}:BTC-KRW,ETH-KRW,SOL-KRW`)
  })
  // The mute begins after three seconds and is proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
