import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { parseExactly, SimulatorClient } from '../support/simulator-client.ts'
import { allTypes, assertWholeStream, bithumbFacts } from '../support/won-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['bithumb'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function request(types: readonly string[], codes: readonly string[], options: object = {}): unknown[] {
  return [{ ticket: 'test' }, ...types.map(type => ({ type, codes, ...options })), { format: 'DEFAULT' }]
}

test('every frame is an event of the ledger with its exact digits, in order, first a snapshot', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(request(allTypes, ['KRW-BTC', 'KRW-DOT', 'KRW-BTT']))
  await client.take(600, 'REALTIME')
  const shown = assertWholeStream(simulators, 'bithumb', client.frames, bithumbFacts)
  assert.equal(shown.size, 9)
  assert.ok(client.isBinary.every(isBinary => isBinary))
  const snapshots = client.frames.filter(frame => frame.includes('"stream_type":"SNAPSHOT"'))
  assert.equal(snapshots.length, 9)
  client.close()
})

test('books have fifteen units, their times microseconds; dust has no size and padding no price', async () => {
  const { url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(request(['orderbook'], ['KRW-BTC', 'KRW-SAND']))
  await client.take(400, 'KRW-BTC')
  const units = client.frames.flatMap(frame => {
    const book = parseExactly(frame) as { timestamp: string; orderbook_units: Record<string, string>[] }
    assert.equal(book.orderbook_units.length, 15)
    assert.equal(book.timestamp.length, 16)
    return book.orderbook_units
  })
  assert.ok(units.some(unit => unit['bid_size'] === '0.0000' && unit['bid_price'] !== '0'))
  assert.ok(units.some(unit => unit['ask_size'] === '0' && unit['ask_price'] === '0'))
  client.close()
})

test('a request replaces the one before, and its snapshot repeats the last event', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request(['ticker'], ['KRW-BTC', 'KRW-ETH']))
  await client.take(20, 'KRW-ETH')
  client.send(request(['ticker'], ['KRW-ETH']))
  await client.next('SNAPSHOT')
  const from = client.frames.length
  await client.take(20, 'KRW-ETH')
  assert.ok(client.frames.slice(from).every(frame => frame.includes('KRW-ETH')))
  await simulators.freeze()
  client.send(request(['ticker'], ['KRW-ETH']))
  const again = await client.next('SNAPSHOT')
  const last = client.frames.findLast(frame => frame !== again)!
  assert.equal(again, last.replace('REALTIME', 'SNAPSHOT'))
  client.close()
})

test('options are known in camel case only', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(request(['trade'], ['KRW-BTC'], { isOnlyRealtime: true, is_only_snapshot: true }))
  const frames = await client.take(5, '"trade"')
  assert.ok(frames.every(frame => frame.includes('REALTIME')))
  client.close()
})

test('unknown, lower-case and rejected codes are passed over in silence', async () => {
  const { url } = await start({ faults: parseFaults('reject:bithumb/trade:ETH-KRW') })
  const client = await SimulatorClient.open(url)
  client.send(request(['trade'], ['KRW-NOPE', 'krw-xrp', 'BTC_KRW', 'KRW-ETH', 'KRW-BTC']))
  const frames = await client.take(20, '"trade"')
  assert.ok(frames.every(frame => frame.includes('KRW-BTC')))
  client.close()
})

const mistakes: readonly [request: unknown, name: string][] = [
  ['hello', 'WRONG_FORMAT'],
  [{ type: 'trade' }, 'WRONG_FORMAT'],
  [[{ ticket: 'x' }], 'WRONG_FORMAT'],
  [[{ type: 'trade', codes: ['KRW-BTC'] }], 'NO_TICKET'],
  [[{ ticket: 'x' }, { type: 'trade', codes: [] }], 'INVALID_PARAM'],
  [[{ ticket: 'x' }, { type: 'candle', codes: ['KRW-BTC'] }], 'INVALID_PARAM']
]
test('a wrong request gets one error with its name and a normal close', async () => {
  const { url } = await start()
  for (const [wrong, name] of mistakes) {
    const client = await SimulatorClient.open(url)
    client.send(wrong)
    const frame = JSON.parse(await client.next('error')) as { error: { name: string } }
    assert.equal(frame.error.name, name)
    assert.equal((await client.closed).code, 1000)
  }
})

test('an eleventh connect within a second is refused with 429', async () => {
  const { url } = await start()
  const statuses = await Promise.all(Array.from({ length: 12 }, () => SimulatorClient.handshakeStatus(url)))
  assert.deepEqual(statuses.toSorted(), [...Array<number>(10).fill(101), 429, 429])
})

test('a client that sends nothing is cut without a close frame, one that pings gets a status now and then', async () => {
  const { url } = await start({ timings: { bithumbIdleMs: 300, bithumbStatusEveryMs: 20 } })
  const silent = await SimulatorClient.open(url)
  const alive = await SimulatorClient.open(url)
  const pings = setInterval(() => alive.webSocket.ping(), 50)
  alive.send('PING')
  assert.equal((await silent.closed).code, 1006)
  await alive.take(3, '{"status":"UP"}')
  clearInterval(pings)
  alive.close()
})

test('the listing names every market', async () => {
  const { simulators, rest } = await start()
  const list = (await (await fetch(`${rest}/v1/market/all`)).json()) as { market: string }[]
  assert.deepEqual(
    list.map(({ market }) => market.split('-').reverse().join('-')),
    simulators.venues[0]!.symbols
  )
  assert.equal((await fetch(`${rest}/v1/ticker`)).status, 404)
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts and falls silent', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults: 'drop:2s,stall:1s,corrupt:0.005,mute:bithumb/trade:BTC-KRW,reject:bithumb/ticker:ETH-KRW',
    targets: () => allTypes.map(type => `bithumb/${type}:BTC-KRW,ETH-KRW,SAND-KRW`)
  })
  // The mute begins after three seconds and is proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
