import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { bookFingerprint, tickerFingerprint, tradeFingerprint } from '../../src/simulator/fingerprint.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import {
  parseExactly,
  SimulatorClient,
  upbitBook,
  upbitRequest,
  upbitTicker,
  upbitTrade
} from '../support/simulator-client.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['upbit'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

test('every frame is an event of the ledger with its exact digits, in order and without a hole', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const readers = {
    ticker: (frame: string, of: ReturnType<typeof channel>) => {
      const record = upbitTicker(frame)
      return [of.findTicker(record), tickerFingerprint(record)]
    },
    trade: (frame: string, of: ReturnType<typeof channel>) => {
      const record = upbitTrade(frame)
      return [of.findTrade(record), tradeFingerprint(record)]
    },
    orderbook: (frame: string, of: ReturnType<typeof channel>) => {
      const record = upbitBook(frame)
      return [of.findBook(record), bookFingerprint(record)]
    }
  } as const
  function channel(type: string, symbol: string) {
    return simulators.ledger.get('upbit', type, symbol)!
  }
  const codes = ['KRW-BTC', 'KRW-DOT', 'KRW-BTT']
  for (const type of ['ticker', 'trade', 'orderbook'] as const) {
    const client = await SimulatorClient.open(url)
    client.send(upbitRequest(type, codes))
    await client.take(300, 'REALTIME')
    const next = new Map(codes.map(code => [code, 0]))
    for (const frame of client.frames) {
      const fields = parseExactly(frame)
      const code = fields['code'] as string
      const of = channel(type, code.split('-').reverse().join('-'))
      const [ordinal, fingerprint] = readers[type](frame, of)
      assert.equal(ordinal, next.get(code), frame)
      assert.equal(fingerprint, of.fingerprint(ordinal!), frame)
      assert.equal(fields['stream_type'], ordinal === 0 ? 'SNAPSHOT' : 'REALTIME')
      next.set(code, ordinal! + 1)
    }
    assert.ok(client.isBinary.every(isBinary => isBinary))
    client.close()
  }
})

test('after the freeze every event that was made has arrived', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(upbitRequest('orderbook', ['KRW-BTC', 'KRW-ETH']))
  await client.take(100, 'REALTIME')
  await simulators.freeze()
  const { sent } = simulators.stats()
  client.send('PING')
  await client.next('"status"')
  assert.equal(client.frames.filter(frame => frame.includes('orderbook')).length, sent)
  client.close()
})

test('a request replaces the one before, and its snapshot repeats the last event', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(upbitRequest('trade', ['KRW-BTC', 'KRW-ETH']))
  await client.take(20, 'KRW-ETH')
  await simulators.freeze()
  client.send('PING')
  await client.next('"status"')
  const last = client.frames.findLast(frame => frame.includes('"KRW-BTC"'))!
  client.send(upbitRequest('trade', ['KRW-BTC']))
  assert.equal(await client.next('SNAPSHOT'), last.replace('REALTIME', 'SNAPSHOT'))
  client.close()
})

test('a replaced subscription delivers nothing more of what it dropped', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(upbitRequest('trade', ['KRW-BTC', 'KRW-ETH']))
  await client.next('KRW-ETH')
  client.send(upbitRequest('ticker', ['KRW-BTC']))
  await client.next('"ticker"')
  const from = client.frames.length
  await client.take(30, '"ticker"')
  assert.ok(client.frames.slice(from).every(frame => frame.includes('"ticker"') && frame.includes('KRW-BTC')))
  client.close()
})

test('unknown, lower-case and rejected codes are passed over in silence', async () => {
  const { url } = await start({ faults: parseFaults('reject:upbit/trade:ETH-KRW') })
  const client = await SimulatorClient.open(url)
  client.send(upbitRequest('trade', ['KRW-NOPE', 'krw-xrp', 'KRW-ETH', 'KRW-BTC']))
  const frames = await client.take(20, '"trade"')
  assert.ok(frames.every(frame => frame.includes('KRW-BTC')))
  client.close()
})

test('the short and the list formats say the same, and a suffix limits the depth of a book', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  client.send(upbitRequest('orderbook', ['KRW-BTC.5'], 'SIMPLE_LIST'))
  const frame = JSON.parse(await client.next('SNAPSHOT')) as [{ ty: string; cd: string; obu: unknown[] }]
  assert.equal(frame[0].ty, 'orderbook')
  assert.equal(frame[0].cd, 'KRW-BTC')
  assert.equal(frame[0].obu.length, 5)
  client.send(upbitRequest('trade', ['KRW-BTC'], 'SIMPLE'))
  const trade = JSON.parse(await client.next('"sid"')) as Record<string, unknown>
  const long = 'ty cd tms td ttm ttms tp tv ab pcp c cp sid bap bas bbp bbs st'
  assert.deepEqual(Object.keys(trade), long.split(' '))
  client.close()
})

const mistakes: readonly [request: unknown, name: string][] = [
  ['{', 'WRONG_FORMAT'],
  [{ type: 'trade' }, 'WRONG_FORMAT'],
  [[{ type: 'trade', codes: ['KRW-BTC'] }], 'NO_TICKET'],
  [[{ ticket: 'x' }], 'NO_TYPE'],
  [[{ ticket: 'x' }, { type: 'trade' }], 'NO_CODES'],
  [[{ ticket: 'x' }, { type: 'candle', codes: ['KRW-BTC'] }], 'INVALID_PARAM']
]
test('a wrong request gets one error with its name and a normal close', async () => {
  for (const [request, name] of mistakes) {
    // A server of its own for each: five connects a second are allowed.
    const { url } = await start()
    const client = await SimulatorClient.open(url)
    client.send(request)
    const frame = JSON.parse(await client.next('error')) as { error: { name: string } }
    assert.equal(frame.error.name, name)
    assert.equal((await client.closed).code, 1000)
  }
})

test('more than five messages a second end the connection', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  for (let n = 0; n < 6; n++) client.send('PING')
  assert.equal((await client.closed).code, 1008)
  assert.deepEqual(client.frames, Array(5).fill('{"status":"UP"}'))
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['limit']
  )
})

test('a sixth connect within a second is refused with 429 and every handshake is kept', async () => {
  const { simulators, url } = await start()
  const statuses = await Promise.all(Array.from({ length: 7 }, () => SimulatorClient.handshakeStatus(url)))
  assert.deepEqual(statuses.toSorted(), [101, 101, 101, 101, 101, 429, 429])
  assert.equal(simulators.handshakes('upbit').length, 7)
  assert.equal(simulators.handshakes('upbit').filter(({ status }) => status === 429).length, 2)
})

test('a client that never sends anything is cut without a close frame, one that pings is not', async () => {
  const { url } = await start({ timings: { upbitIdleMs: 300 } })
  const silent = await SimulatorClient.open(url)
  const alive = await SimulatorClient.open(url)
  const pings = setInterval(() => alive.webSocket.ping(), 50)
  assert.equal((await silent.closed).code, 1006)
  alive.send('PING')
  await alive.next('"status"')
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
  assert.equal((await fetch(`${rest}/nowhere`)).status, 404)
})
