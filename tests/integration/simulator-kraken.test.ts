import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { krakenEvents, LedgerWitness, RebuiltBook } from '../support/western-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['kraken'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function request(method: string, channel: string, symbol: readonly string[], more: object = {}): unknown {
  const depth = channel === 'book' ? { depth: 100 } : {}
  return { method, params: { channel, symbol, ...depth, ...more }, req_id: 7 }
}

/** As documented: ten best asks, then ten best bids, digits without the point and the zeros in front. */
function documentedSum(book: RebuiltBook): number {
  const digits = (['asks', 'bids'] as const)
    .flatMap(side => book.best(side).slice(0, 10).flat())
    .map(text => text.replace('.', '').replace(/^0+/, ''))
  return crc32(digits.join(''))
}

test('every frame is the next event of its ledger, and every checksum fits the book cut to its depth', async () => {
  const { simulators, url } = await start({ rate: 3000 })
  const client = await SimulatorClient.open(url)
  assert.match(
    await client.next(''),
    /^\{"channel":"status".*"system":"online".*"connection_id":\d{20}\}\]\}$/
  )
  const symbols = ['BTC/USD', 'ADA/USD', 'VET/USD']
  for (const channel of ['ticker', 'trade', 'book']) {
    client.send(request('subscribe', channel, symbols, { snapshot: channel !== 'trade' }))
  }
  await client.take(3000, '"data":[{"symbol"')
  const witness = new LedgerWitness(simulators, 'kraken')
  let deepest = 0
  for (const frame of client.frames) {
    for (const event of krakenEvents(frame)) {
      witness.see(event)
      if (event.type !== 'orderbook') continue
      const book = witness.books.get(event.symbol)!
      assert.equal(/"checksum":(\d+)/.exec(frame)?.[1], String(documentedSum(book)), frame)
      assert.ok(book.bids.size <= 100 && book.asks.size <= 100)
      deepest = Math.max(deepest, book.bids.size, book.asks.size)
    }
  }
  assert.equal(witness.next.size, 9)
  // Levels beyond the depth went without a word.
  assert.equal(deepest, 100)
  client.close()
})

test('whoever misses one update learns it from the next checksum', async () => {
  const { url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', 'book', ['BTC/USD']))
  await client.take(400, '"update","data":[{"symbol"')
  const frames = client.frames.filter(frame => frame.startsWith('{"channel":"book"'))
  let [tried, noticed] = [0, 0]
  for (let missed = 1; missed < frames.length - 1; missed += 10) {
    tried++
    const book = new RebuiltBook(100)
    for (const frame of frames.slice(0, missed)) book.apply(bookOf(frame))
    book.apply(bookOf(frames[missed + 1]!))
    if (/"checksum":(\d+)/.exec(frames[missed + 1]!)?.[1] !== String(documentedSum(book))) noticed++
  }
  assert.ok(tried >= 40 && noticed >= tried - 1, `${noticed} of ${tried}`)
  client.close()
})

function bookOf(frame: string) {
  const event = krakenEvents(frame)[0]
  assert.ok(event?.type === 'orderbook')
  return event.facts
}

test('each symbol is answered by itself, with the number of the request', async () => {
  const { url } = await start({ faults: parseFaults('reject:kraken/orderbook:ETH-USD') })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', 'book', ['XBT/USD', 'BTC/USD', 'ETH/USD']))
  const answers = (await client.take(3, '"req_id":7')).map(
    frame => JSON.parse(frame) as { success: boolean; symbol?: string; result?: object; error?: string }
  )
  assert.deepEqual(
    answers.map(answer => answer.success),
    [false, true, false]
  )
  assert.equal(answers[0]!.symbol, 'XBT/USD')
  assert.equal(answers[0]!.error, 'Currency pair not supported XBT/USD')
  assert.deepEqual(answers[1]!.result, { channel: 'book', symbol: 'BTC/USD', snapshot: true, depth: 100 })
  assert.equal(answers[2]!.symbol, 'ETH/USD')
  const ask = async (message: unknown): Promise<string | undefined> => {
    client.send(message)
    return (JSON.parse(await client.next('"req_id":7')) as { error?: string }).error
  }
  assert.equal(await ask(request('subscribe', 'book', ['BTC/USD'])), 'Already subscribed')
  assert.equal(await ask(request('subscribe', 'gossip', ['BTC/USD'])), 'Unsupported channel')
  assert.equal(
    await ask(request('subscribe', 'book', ['BTC/USD'], { depth: 7 })),
    'Subscription depth not supported'
  )
  assert.equal(await ask(request('unsubscribe', 'book', ['SOL/USD'])), 'Subscription Not Found')
  assert.equal(await ask(request('unsubscribe', 'book', ['BTC/USD'])), undefined)
  client.skip()
  client.send(request('subscribe', 'trade', ['SOL/USD'], { snapshot: false }))
  const frames = await client.take(20, '"data":[{"symbol"')
  assert.ok(frames.every(frame => frame.includes('"SOL/USD"')))
  client.send('{')
  assert.equal(await client.next('"error"'), '{"error":"Malformed request"}')
  client.close()
})

test('pings are answered, and a heartbeat comes whenever nothing else does', async () => {
  const { url } = await start({ rate: 1, timings: { krakenHeartbeatEveryMs: 60 } })
  const client = await SimulatorClient.open(url)
  client.send({ method: 'ping', req_id: 101 })
  assert.match(await client.next('"pong"'), /^\{"method":"pong","req_id":101,"time_in":"20/)
  assert.ok(client.frames.every(frame => !frame.includes('heartbeat')))
  client.send(request('subscribe', 'trade', ['BTC/USD'], { snapshot: false }))
  await client.take(5, '{"channel":"heartbeat"}')
  client.close()
})

test('trades of the past come in one frame, the oldest first', async () => {
  const { simulators, url } = await start()
  const first = await SimulatorClient.open(url)
  first.send(request('subscribe', 'trade', ['BTC/USD'], { snapshot: false }))
  await first.take(60, '"trade"')
  const second = await SimulatorClient.open(url)
  second.send(request('subscribe', 'trade', ['BTC/USD'], { snapshot: true }))
  const snapshot = await second.next('"snapshot","data"')
  const events = krakenEvents(snapshot)
  assert.equal(events.length, 50)
  const witness = new LedgerWitness(simulators, 'kraken')
  for (const event of events) witness.see(event)
  assert.equal(witness.shownAgain, 0)
  first.close()
  second.close()
})

test('a flood of messages is answered with an error, a silent client without subscriptions is cut', async () => {
  const { simulators, url } = await start({ timings: { krakenIdleMs: 200 } })
  const client = await SimulatorClient.open(url)
  for (let n = 0; n < 51; n++) client.send({ method: 'ping' })
  assert.equal(await client.next('"Error"'), '{"Error":"Exceeded msg rate"}')
  assert.equal((await client.closed).code, 1006)
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['idle']
  )
})

test('REST lists the pairs under the codes of old', async () => {
  const { simulators, rest } = await start()
  const body = (await (await fetch(`${rest}/0/public/AssetPairs`)).json()) as {
    result: Record<string, { wsname: string }>
  }
  const names = Object.values(body.result).map(pair => pair.wsname)
  assert.equal(names.length, simulators.venues[0]!.symbols.length)
  assert.ok(names.includes('XBT/USD') && names.includes('XDG/USD') && names.includes('ETH/USD'))
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts, falls silent and loses', async () => {
  await using run = await FaultRun.start({
    rate: 600,
    faults:
      'drop:4s,stall:1s,corrupt:0.003,mute:kraken/trade:BTC-USD,lose:kraken/trade:ETH-USD,reject:kraken/ticker:SOL-USD',
    targets: () => ['ticker', 'trade', 'orderbook'].map(type => `kraken/${type}:BTC-USD,ETH-USD,SOL-USD`)
  })
  await passes(11_000)
  await run.until('a drop and the gaps of it', ({ gaps, reconnects }) => gaps.closed > 2 && reconnects > 0)
  assertClean(await run.stop())
})

test('a lost update of a book is found by its checksum and heals that symbol alone', async () => {
  await using run = await FaultRun.start({
    rate: 600,
    faults: 'lose:kraken/orderbook:BTC-USD',
    targets: () => ['kraken/orderbook:BTC-USD,ETH-USD']
  })
  await run.until('the gap of it', ({ gaps }) => gaps.closed === 1)
  await run.publishes(200)
  const summary = await run.stop()
  assertClean(summary)
  assert.equal(summary.reconnects, 0)
  assert.deepEqual(summary.gaps, { opened: 1, closed: 1, open: 0 })
})
