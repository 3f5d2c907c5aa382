import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { BitfinexReader, LedgerWitness, type RebuiltBook } from '../support/western-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['bitfinex'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

/** Time, sequence and checksum. */
const options = { event: 'conf', flags: 32_768 + 65_536 + 131_072 }
const book = { prec: 'P0', freq: 'F0', len: '25' }
const subscribe = (channel: string, symbol: string) => ({
  event: 'subscribe',
  channel,
  symbol,
  ...(channel === 'book' ? book : {})
})
const symbolOf = (native: string) =>
  ({ tBTCUSD: 'BTC-USD', tDSHUSD: 'DASH-USD', 'tDOGE:USD': 'DOGE-USD' })[native] ?? native

/** As documented: both sides in turn, numbers as JavaScript prints them, amounts of asks negative. */
function documentedSum(rebuilt: RebuiltBook): number {
  const [bids, asks] = [rebuilt.best('bids'), rebuilt.best('asks')]
  const numbers: number[] = []
  for (let n = 0; n < 25; n++) {
    const [bid, ask] = [bids[n], asks[n]]
    if (bid !== undefined) numbers.push(Number(bid[0]), Number(bid[1]))
    if (ask !== undefined) numbers.push(Number(ask[0]), -Number(ask[1]))
  }
  return crc32(numbers.join(':')) | 0
}

test('frames are numbered without a hole, and every one is the next event of its ledger', async () => {
  const { simulators, url } = await start({ rate: 3000, timings: { bitfinexChecksumEveryMs: 100 } })
  const client = await SimulatorClient.open(url)
  assert.match(
    await client.next(''),
    /^\{"event":"info","version":2,"serverId":"[-0-9a-f]+","platform":\{"status":1\}\}$/
  )
  client.send(options)
  assert.equal(await client.next(''), '{"event":"conf","status":"OK","flags":229376}')
  for (const symbol of ['tBTCUSD', 'tDSHUSD', 'tDOGE:USD']) {
    for (const channel of ['ticker', 'trades', 'book']) client.send(subscribe(channel, symbol))
  }
  await client.take(3000, '[')
  const reader = new BitfinexReader(symbolOf)
  const witness = new LedgerWitness(simulators, 'bitfinex')
  for (const frame of client.frames) {
    const sums = reader.sums.length
    for (const event of reader.events(frame)) witness.see(event)
    const sum = reader.sums[sums]
    if (sum !== undefined) assert.equal(sum.sum, documentedSum(witness.books.get(sum.symbol)!), frame)
  }
  assert.equal(witness.next.size, 9)
  assert.ok(reader.sums.length > 3)
  reader.sequences.forEach((sequence, index) => assert.equal(sequence, index + 1))
  // 25 levels a side are shown; trades may have eaten some of them.
  assert.ok([...witness.books.values()].every(rebuilt => rebuilt.bids.size >= 5 && rebuilt.bids.size <= 26))
  client.close()
})

test('without options there is no trailer and no checksum', async () => {
  const { url } = await start({ rate: 2000, timings: { bitfinexChecksumEveryMs: 50 } })
  const client = await SimulatorClient.open(url)
  client.send(subscribe('book', 'tBTCUSD'))
  await client.next('"subscribed"')
  const frames = (await client.take(200, '[')).map(frame => JSON.parse(frame) as unknown[])
  assert.ok(frames.every(frame => frame.length === 2 && Array.isArray(frame[1])))
  client.close()
})

test('a second subscriber is shown the ticker, the last thirty trades, newest first, and the book', async () => {
  const { simulators, url } = await start({ rate: 1500 })
  const first = await SimulatorClient.open(url)
  for (const channel of ['ticker', 'trades', 'book']) first.send(subscribe(channel, 'tBTCUSD'))
  await first.take(80, '"te"')
  const second = await SimulatorClient.open(url)
  second.send(options)
  for (const channel of ['ticker', 'trades', 'book']) second.send(subscribe(channel, 'tBTCUSD'))
  await second.take(100, '[')
  const reader = new BitfinexReader(symbolOf)
  const witness = new LedgerWitness(simulators, 'bitfinex')
  for (const frame of second.frames) for (const event of reader.events(frame)) witness.see(event)
  const shown = second.frames.find(frame => /^\[\d+,\[\[\d{10},\d{13},/.test(frame))!
  const rows = (JSON.parse(shown) as [number, number[][]])[1]
  assert.equal(rows.length, 30)
  assert.ok(rows.every((row, n) => n === 0 || row[0]! < rows[n - 1]![0]!))
  first.close()
  second.close()
})

test('channels have numbers of their own on every connection, and refusals name what was asked', async () => {
  const { url } = await start({ faults: parseFaults('reject:bitfinex/trade:ETH-USD') })
  const client = await SimulatorClient.open(url)
  const ask = async (message: unknown): Promise<Record<string, unknown>> => {
    client.skip()
    client.send(message)
    return JSON.parse(await client.next('"event"')) as Record<string, unknown>
  }
  await client.next('"info"')
  const ack = await ask(subscribe('trades', 'tBTCUSD'))
  const { chanId } = ack
  assert.deepEqual(ack, {
    event: 'subscribed',
    channel: 'trades',
    chanId,
    symbol: 'tBTCUSD',
    pair: 'BTCUSD'
  })
  const other = await SimulatorClient.open(url)
  other.send(subscribe('trades', 'tBTCUSD'))
  const otherAck = JSON.parse(await other.next('"subscribed"')) as { chanId: number }
  assert.notEqual(otherAck.chanId, chanId)
  other.close()

  const dup = await ask(subscribe('trades', 'tBTCUSD'))
  assert.deepEqual([dup['code'], dup['msg'], dup['chanId']], [10301, 'subscribe: dup', chanId])
  assert.deepEqual(await ask(subscribe('book', 'tNOPE:USD')), {
    channel: 'book',
    symbol: 'tNOPE:USD',
    ...book,
    pair: 'NOPE:USD',
    event: 'error',
    msg: 'symbol: invalid',
    code: 10300
  })
  assert.equal((await ask(subscribe('trades', 'tETHUSD')))['code'], 10300)
  assert.equal((await ask({ ...subscribe('book', 'tBTCUSD'), prec: 'R0' }))['code'], 10300)
  assert.equal((await ask(subscribe('gossip', 'tBTCUSD')))['code'], 10302)
  assert.equal((await ask({ event: 'dance' }))['code'], 10000)
  assert.equal((await ask({ event: 'unsubscribe', chanId: 5 }))['code'], 10400)
  client.send('no JSON is passed over')
  assert.deepEqual(
    { ...(await ask({ event: 'ping', cid: 1234 })), ts: 0 },
    { event: 'pong', ts: 0, cid: 1234 }
  )
  assert.deepEqual(await ask({ event: 'unsubscribe', chanId }), {
    event: 'unsubscribed',
    status: 'OK',
    chanId
  })
  const again = await ask(subscribe('trades', 'tBTCUSD'))
  assert.notEqual(again['chanId'], chanId)
  client.close()
})

test('a connection takes twenty-five channels and no more', async () => {
  const { simulators, url, rest } = await start({ rate: 10 })
  const pairs = (await (await fetch(`${rest}/v2/conf/pub:list:pair:exchange`)).json()) as string[][]
  assert.equal(pairs[0]!.length, simulators.venues[0]!.symbols.length)
  assert.ok(pairs[0]!.includes('BTCUSD') && pairs[0]!.includes('DOGE:USD') && pairs[0]!.includes('DSHUSD'))
  const client = await SimulatorClient.open(url)
  for (const pair of pairs[0]!.slice(0, 26)) client.send(subscribe('ticker', `t${pair}`))
  await client.take(25, '"subscribed"')
  assert.match(await client.next('"error"'), /"msg":"subscribe: limit","code":10305/)
  client.close()
})

test('a quiet channel sends heartbeats of its own, a connection without channels is closed', async () => {
  const { simulators, url } = await start({
    rate: 1,
    timings: { bitfinexHeartbeatAfterMs: 150, bitfinexIdleMs: 400 }
  })
  const idle = await SimulatorClient.open(url)
  const client = await SimulatorClient.open(url)
  client.send(options)
  client.send(subscribe('trades', 'tBTCUSD'))
  const { chanId } = JSON.parse(await client.next('"subscribed"')) as { chanId: number }
  for (const frame of await client.take(4, '"hb"')) {
    assert.match(frame, new RegExp(`^\\[${chanId},"hb",\\d+,\\d{13}\\]$`))
  }
  assert.equal((await idle.closed).code, 1000)
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['idle']
  )
  client.close()
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts, falls silent and loses', async () => {
  await using run = await FaultRun.start({
    rate: 600,
    faults:
      'drop:6s,stall:1s,corrupt:0.002,mute:bitfinex/trade:BTC-USD,lose:bitfinex/trade:ETH-USD,reject:bitfinex/ticker:SOL-USD',
    targets: () => ['ticker', 'trade', 'orderbook'].map(type => `bitfinex/${type}:BTC-USD,ETH-USD,SOL-USD`)
  })
  await passes(11_000)
  await run.until('a drop and the gaps of it', ({ gaps, reconnects }) => gaps.closed > 2 && reconnects > 0)
  assertClean(await run.stop())
})

test('a lost frame is found by the sequence of its connection, which is dialled anew', async () => {
  await using run = await FaultRun.start({
    rate: 600,
    faults: 'lose:bitfinex/orderbook:BTC-USD',
    targets: () => ['bitfinex/orderbook:BTC-USD,ETH-USD']
  })
  await run.until('the new connection', ({ gaps, reconnects }) => reconnects === 1 && gaps.closed > 0)
  await run.publishes(200)
  const summary = await run.stop()
  assertClean(summary)
  assert.equal(summary.reconnects, 1)
  assert.equal(summary.gaps.open, 0)
})
