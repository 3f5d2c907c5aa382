import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { coinbaseEvents, LedgerWitness } from '../support/western-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; url: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['coinbase'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

const all = ['ticker', 'matches', 'level2_batch']

function request(type: string, products: readonly string[], channels: readonly unknown[]): unknown {
  return { type, product_ids: products, channels }
}

test('every frame is the next event of its ledger, and books rebuilt from them are the ledger’s', async () => {
  const { simulators, url } = await start({ rate: 3000 })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', ['BTC-USD', 'ADA-USD', 'VET-USD'], all))
  const ack = JSON.parse(await client.next('')) as { type: string; channels: { name: string }[] }
  assert.equal(ack.type, 'subscriptions')
  assert.deepEqual(
    ack.channels.map(channel => channel.name),
    ['ticker', 'matches', 'level2_50']
  )
  await client.take(3000, '"product_id"')
  const witness = new LedgerWitness(simulators, 'coinbase')
  for (const frame of client.frames) for (const event of coinbaseEvents(frame)) witness.see(event)
  assert.equal(witness.next.size, 9)
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  // A falling market spells zero without decimals, as some products do.
  assert.ok(client.frames.some(frame => frame.includes('ADA-USD') && frame.includes(',"0"]')))
  assert.ok(client.frames.some(frame => frame.includes('BTC-USD') && frame.includes(',"0.00000000"]')))
  client.close()
})

test('a second subscriber is shown the last ticker, the last match and the whole book', async () => {
  const { simulators, url } = await start()
  const first = await SimulatorClient.open(url)
  first.send(request('subscribe', ['BTC-USD'], all))
  await first.take(100, '"BTC-USD"')
  const second = await SimulatorClient.open(url)
  second.send(request('subscribe', ['BTC-USD'], all))
  await second.take(50, '"product_id"')
  const types = second.frames.slice(0, 4).map(frame => (JSON.parse(frame) as { type: string }).type)
  assert.deepEqual(types, ['subscriptions', 'ticker', 'last_match', 'snapshot'])
  const witness = new LedgerWitness(simulators, 'coinbase')
  for (const frame of second.frames) for (const event of coinbaseEvents(frame)) witness.see(event)
  first.close()
  second.close()
})

test('answers list everything that is subscribed; what is left stays silent', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  const ask = async (message: unknown): Promise<unknown> => {
    client.send(message)
    return (JSON.parse(await client.next('"subscriptions"')) as { channels: unknown }).channels
  }
  const listed = (name: string, ...products: readonly string[]) => ({
    name,
    product_ids: products,
    account_ids: null
  })
  assert.deepEqual(await ask(request('subscribe', ['BTC-USD', 'ETH-USD'], ['matches'])), [
    listed('matches', 'BTC-USD', 'ETH-USD')
  ])
  assert.deepEqual(await ask(request('subscribe', [], [{ name: 'ticker', product_ids: ['SOL-USD'] }])), [
    listed('matches', 'BTC-USD', 'ETH-USD'),
    listed('ticker', 'SOL-USD')
  ])
  assert.deepEqual(await ask(request('unsubscribe', ['BTC-USD'], ['matches'])), [
    listed('matches', 'ETH-USD'),
    listed('ticker', 'SOL-USD')
  ])
  assert.deepEqual(await ask({ type: 'unsubscribe', channels: ['ticker'] }), [listed('matches', 'ETH-USD')])
  client.skip()
  const frames = await client.take(30, '"product_id"')
  assert.ok(frames.every(frame => frame.includes('"ETH-USD"')))
  client.close()
})

test('a wrong product voids its whole request, and its reason names the product', async () => {
  const { url } = await start({ faults: parseFaults('reject:coinbase/trade:ETH-USD') })
  const client = await SimulatorClient.open(url)
  const refusal = async (message: unknown): Promise<unknown> => {
    client.send(message)
    return JSON.parse(await client.next('"error"'))
  }
  const failed = (reason: string) => ({ type: 'error', message: 'Failed to subscribe', reason })
  assert.deepEqual(
    await refusal(request('subscribe', ['BTC-USD', 'NOPE-USD'], ['matches'])),
    failed('NOPE-USD is not a valid product')
  )
  assert.deepEqual(
    await refusal(request('subscribe', ['ETH-USD'], ['matches'])),
    failed('ETH-USD is delisted')
  )
  assert.deepEqual(
    await refusal(request('subscribe', ['BTC-USD'], ['gossip'])),
    failed('gossip is not a valid channel')
  )
  assert.deepEqual(
    await refusal(request('subscribe', ['BTC-USD'], ['level2'])),
    failed('level2 requires authentication')
  )
  for (const message of ['{', '[]', { type: 'dance' }, { type: 'subscribe' }]) {
    assert.equal(((await refusal(message)) as { type: string }).type, 'error')
  }
  assert.ok(client.frames.every(frame => !frame.includes('"match"')))
  client.close()
})

test('heartbeats of every product carry its last trade', async () => {
  const { simulators, url } = await start({ timings: { coinbaseHeartbeatEveryMs: 100 } })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', ['BTC-USD', 'ETH-USD'], ['matches', 'heartbeat']))
  const beats = (await client.take(8, '"heartbeat","last')).map(
    frame => JSON.parse(frame) as { product_id: string; last_trade_id: number }
  )
  assert.deepEqual(new Set(beats.map(beat => beat.product_id)), new Set(['BTC-USD', 'ETH-USD']))
  const ledger = simulators.ledger.get('coinbase', 'trade', 'BTC-USD')!
  for (const { product_id, last_trade_id } of beats) {
    if (product_id === 'BTC-USD') assert.ok(last_trade_id >= ledger.firstTradeId - 1)
  }
  client.close()
})

test('a client that subscribes nothing in time is sent away, one that does stays', async () => {
  const { simulators, url } = await start({ timings: { coinbaseSubscribeWithinMs: 150 } })
  const idle = await SimulatorClient.open(url)
  const busy = await SimulatorClient.open(url)
  busy.send(request('subscribe', ['BTC-USD'], ['ticker']))
  assert.equal((await idle.closed).code, 1000)
  await busy.take(5, '"ticker"')
  assert.deepEqual(
    simulators.faultLog.all().map(fault => fault.kind),
    ['idle']
  )
  busy.close()
})

test('more than a hundred messages or eight connections a second are refused', async () => {
  const { url } = await start()
  const client = await SimulatorClient.open(url)
  for (let n = 0; n < 101; n++) client.send({ type: 'dance' })
  assert.equal((await client.closed).code, 1008)
  const statuses = await Promise.all(Array.from({ length: 9 }, () => SimulatorClient.handshakeStatus(url)))
  assert.ok(statuses.includes(429))
})

test('REST lists the products', async () => {
  const { simulators, rest } = await start()
  const products = (await (await fetch(`${rest}/products`)).json()) as { id: string; status: string }[]
  assert.deepEqual(
    products.map(({ id }) => id),
    simulators.venues[0]!.symbols
  )
  assert.equal((await fetch(`${rest}/currencies`)).status, 404)
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts, falls silent and loses', async () => {
  await using run = await FaultRun.start({
    rate: 600,
    faults:
      'drop:3s,stall:1s,corrupt:0.003,mute:coinbase/trade:BTC-USD,lose:coinbase/trade:ETH-USD,reject:coinbase/ticker:SOL-USD',
    targets: () => ['ticker', 'trade', 'orderbook'].map(type => `coinbase/${type}:BTC-USD,ETH-USD,SOL-USD`)
  })
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 2 && reconnects > 1)
  assertClean(await run.stop())
})
