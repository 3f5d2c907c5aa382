import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { IngestError } from '../../src/core/errors.ts'
import { type FaultKind } from '../../src/simulator/fault-log.ts'
import { parseFaults } from '../../src/simulator/faults.ts'
import { type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { binanceDelta, SimulatorClient, upbitRequest, upbitTrade } from '../support/simulator-client.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(faults: string, rate = 1000): Promise<Simulators> {
  const simulators = await startSimulators({ seed: 3, rate, faults: parseFaults(faults) })
  started.push(simulators)
  return simulators
}

function kinds(simulators: Simulators): FaultKind[] {
  return simulators.faultLog.all().map(fault => fault.kind)
}

function urlOf(simulators: Simulators, exchange: string): string {
  return simulators.venues.find(venue => venue.exchange === exchange)!.websocket
}

async function binanceTrades(simulators: Simulators, symbol = 'btcusdt'): Promise<SimulatorClient> {
  const client = await SimulatorClient.open(urlOf(simulators, 'binance'))
  client.send({ method: 'SUBSCRIBE', params: [`${symbol}@trade`], id: 1 })
  await client.next('"result":null')
  return client
}

/** Strict as a reader should be: valid UTF-8 and valid JSON. */
function isValid(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

test('a corrupted frame is never valid JSON, and every one is logged with its channel', async () => {
  const simulators = await start('corrupt:0.2', 4000)
  const client = await binanceTrades(simulators)
  let invalid = 0
  // Raw bytes: a text frame with broken UTF-8 would end this client, so it is told not to look.
  const raw: Buffer[] = []
  const { WebSocket } = await import('ws')
  const reader = new WebSocket(`${urlOf(simulators, 'binance')}?streams=ethusdt@trade`, {
    skipUTF8Validation: true
  })
  await new Promise<void>((resolve, reject) => {
    reader.on('error', reject)
    reader.on('message', data => {
      raw.push(data as Buffer)
      if (raw.length === 1000) resolve()
    })
  })
  await simulators.freeze()
  client.close()
  reader.terminate()
  for (const frame of raw) if (!isValid(frame)) invalid++
  assert.ok(invalid > 100 && invalid < 350, `${invalid} of 1000`)
  const logged = simulators.faultLog.all().filter(fault => fault.kind === 'corrupt')
  assert.ok(logged.filter(fault => fault.channels?.[0] === 'trade:ETH-USDT').length >= invalid)
  assert.equal(simulators.stats().framesCorrupted, logged.length)
})

test('drop cuts one connection after the other and says which', async () => {
  const simulators = await start('drop:100ms')
  const first = await binanceTrades(simulators)
  const second = await binanceTrades(simulators, 'ethusdt')
  assert.equal((await first.closed).code, 1006)
  assert.equal((await second.closed).code, 1006)
  const drops = simulators.faultLog.all().filter(fault => fault.kind === 'drop')
  assert.deepEqual(drops.flatMap(fault => fault.channels).toSorted(), ['trade:BTC-USDT', 'trade:ETH-USDT'])
  assert.ok(drops.every(fault => fault.exchange === 'binance' && fault.connection !== null))
})

test("a mute silences one channel while the symbol's others go on, until it is subscribed again", async () => {
  const simulators = await start('mute:upbit/trade:BTC-KRW')
  const trades = await SimulatorClient.open(urlOf(simulators, 'upbit'))
  const tickers = await SimulatorClient.open(urlOf(simulators, 'upbit'))
  trades.send(upbitRequest('trade', ['KRW-BTC', 'KRW-ETH']))
  tickers.send(upbitRequest('ticker', ['KRW-BTC']))
  const ledger = simulators.ledger.get('upbit', 'trade', 'BTC-KRW')!
  while (!kinds(simulators).includes('mute')) await tickers.next('KRW-BTC')
  const muted = simulators.faultLog.all()[0]!
  assert.ok(muted.atMs - ledger.confirmedAtMs >= 2990)
  assert.equal(muted.untilMs, Number.POSITIVE_INFINITY)
  // Ethereum's trades come over the same socket: behind a few new ones nothing of Bitcoin is on its way any more.
  trades.skip()
  await trades.take(20, 'KRW-ETH')
  const from = trades.frames.length
  await trades.take(100, 'KRW-ETH')
  assert.ok(trades.frames.slice(from).every(frame => frame.includes('KRW-ETH')))
  tickers.skip()
  await tickers.take(20, 'KRW-BTC')
  trades.skip()
  trades.send(upbitRequest('trade', ['KRW-BTC', 'KRW-ETH']))
  const snapshot = await trades.next('KRW-BTC')
  assert.match(snapshot, /SNAPSHOT/)
  assert.match(await trades.next('KRW-BTC'), /REALTIME/)
  assert.ok(Number.isFinite(muted.untilMs))
  await simulators.freeze()
  const seen = new Set(
    trades.frames.filter(frame => frame.includes('KRW-BTC')).map(frame => ledger.findTrade(upbitTrade(frame)))
  )
  assert.ok(!seen.has(-1))
  assert.ok(seen.size < ledger.count, 'the ledger goes on while the wire is silent')
  trades.close()
  tickers.close()
})

test('lose keeps back exactly one update of one book', async () => {
  const simulators = await start('lose:binance/orderbook:BTC-USDT')
  const client = await SimulatorClient.open(`${urlOf(simulators, 'binance')}?streams=btcusdt@depth@100ms`)
  while (!kinds(simulators).includes('lose')) await client.next('depthUpdate')
  await client.take(50, 'depthUpdate')
  const ledger = simulators.ledger.get('binance', 'orderbook', 'BTC-USDT')!
  const ordinals = client.frames.map(frame => ledger.findBook(binanceDelta(frame)))
  const holes = ordinals.filter((ordinal, n) => n > 0 && ordinal !== ordinals[n - 1]! + 1)
  assert.equal(holes.length, 1)
  assert.equal(ordinals.at(-1), ordinals.length)
  assert.deepEqual(kinds(simulators), ['lose'])
  client.close()
})

test('reorder swaps neighbours of one channel and marks them in the ledger', async () => {
  const simulators = await start('reorder:0.1', 3000)
  const client = await binanceTrades(simulators)
  await client.take(1000, '"e":"trade"')
  const ledger = simulators.ledger.get('binance', 'trade', 'BTC-USDT')!
  const positions = client.frames
    .slice(1, 1001)
    .map(frame => ledger.wirePosition(Number(/"t":(\d+)/.exec(frame)![1]) - ledger.firstTradeId))
  assert.deepEqual(
    positions,
    Array.from({ length: 1000 }, (_, n) => n)
  )
  assert.ok(ledger.swapped.size > 20)
  client.close()
})

test('a stalled connection answers nothing and afterwards sends what it held, in order', async () => {
  const simulators = await start('stall:300ms')
  const client = await binanceTrades(simulators)
  const ids: number[] = []
  let ended: number | undefined
  while (ended === undefined || ids.length < 500) {
    ids.push(Number(/"t":(\d+)/.exec(await client.next('"e":"trade"'))![1]))
    ended = simulators.faultLog
      .all()
      .find(fault => fault.kind === 'stall' && Number.isFinite(fault.untilMs))?.untilMs
  }
  const [stall] = simulators.faultLog.all()
  assert.ok(stall!.untilMs - stall!.atMs >= 290)
  assert.ok(ids.every((id, n) => n === 0 || id === ids[n - 1]! + 1))
  client.close()
})

test('accept-close takes every connection and closes it at once', async () => {
  const simulators = await start('accept-close:binance')
  const client = await SimulatorClient.open(urlOf(simulators, 'binance'))
  assert.equal((await client.closed).code, 1001)
  assert.deepEqual(kinds(simulators), ['accept-close'])
  assert.equal(simulators.handshakes('binance').length, 1)
  const upbit = await SimulatorClient.open(urlOf(simulators, 'upbit'))
  upbit.send('PING')
  await upbit.next('"status"')
  upbit.close()
})

test('a flood brings many events of one channel at once', async () => {
  const simulators = await start('flood:binance/trade:BTC-USDT*2000', 100)
  const client = await binanceTrades(simulators)
  await client.take(2000, '"e":"trade"')
  assert.deepEqual(kinds(simulators), ['flood'])
  client.close()
})

test('a fault for a symbol that nobody simulates is refused before anything starts', async () => {
  await assert.rejects(
    start('mute:upbit/trade:NOPE-KRW'),
    (error: unknown) =>
      error instanceof IngestError && error.code === 'USAGE' && error.message.includes('upbit/trade:NOPE-KRW')
  )
})

test('an event that nobody could miss is not lost on request', async () => {
  await assert.rejects(
    start('lose:upbit/trade:BTC-KRW'),
    (error: unknown) =>
      error instanceof IngestError &&
      error.code === 'USAGE' &&
      error.message.includes('upbit/trade:BTC-KRW cannot be lost')
  )
})
