import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertRebuilt, huobiBook, huobiFacts } from '../support/asia-venues.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { Tail } from '../support/run-service.ts'
import { SimulatorClient } from '../support/simulator-client.ts'
import { allTypes, assertWholeStream } from '../support/won-venues.ts'

const started: Simulators[] = []
after(() => Promise.all(started.map(simulators => simulators.close())))

async function start(
  options: Partial<SimulatorOptions> = {}
): Promise<{ simulators: Simulators; ws: string; feed: string; rest: string }> {
  const simulators = await startSimulators({
    seed: 1,
    rate: 500,
    faults: noFaults,
    exchanges: ['huobi'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return {
    simulators,
    ws: new URL('/ws', venue.websocket).href,
    feed: new URL('/feed', venue.websocket).href,
    rest: venue.rest
  }
}

/** Whatever comes from this venue is compressed. */
function open(url: string): Promise<SimulatorClient> {
  return SimulatorClient.open(url, { textOf: payload => gunzipSync(payload).toString('utf8') })
}

/** An answer without its time. */
function answerOf(frame: string): object {
  const { ts, ...answer } = JSON.parse(frame) as { ts: number }
  assert.ok(Math.abs(Date.now() - ts) < 60_000)
  return answer
}

const granted = (topic: string, id: unknown) => ({ id, status: 'ok', subbed: topic })
const refused = (message: string, id: unknown) => ({
  status: 'error',
  id,
  'err-code': 'bad-request',
  'err-msg': message
})

test('every frame behind its acknowledgement is the next event of its ledger with its exact digits', async () => {
  const { simulators, ws, feed } = await start({ rate: 2000 })
  const client = await open(ws)
  const books = await open(feed)
  const names = ['btcusdt', 'dogeusdt']
  for (const name of names) {
    for (const channel of ['ticker', 'trade.detail']) {
      client.send({ sub: `market.${name}.${channel}`, id: `${name}/${channel}` })
      assert.deepEqual(
        answerOf(await client.next('subbed')),
        granted(`market.${name}.${channel}`, `${name}/${channel}`)
      )
    }
    // The id comes back in the type it was sent in.
    books.send({ sub: `market.${name}.mbp.150`, id: 7 })
    assert.deepEqual(answerOf(await books.next('subbed')), granted(`market.${name}.mbp.150`, 7))
  }
  await client.take(400, '"ch"')
  await books.take(200, '"ch"')
  assert.equal(assertWholeStream(simulators, 'huobi', client.frames, huobiFacts).size, 4)
  assert.equal(assertWholeStream(simulators, 'huobi', books.frames, huobiFacts).size, 2)
  assert.ok([...client.isBinary, ...books.isBinary].every(isBinary => isBinary))
  // Quote volumes are printed with an exponent, as sizes below a thousandth are.
  assert.ok(client.frames.some(frame => /"vol":\d\.\d+E8/.test(frame)))
  assert.ok(client.frames.some(frame => /"bidSize":\d\.\d+E-[4-8]/.test(frame)))
  client.close()
  books.close()
})

test("a book is asked for; its changes chain, and rebuilt it is the ledger's after each", async () => {
  const { simulators, feed } = await start({ rate: 2000 })
  const client = await open(feed)
  client.send({ sub: 'market.btcusdt.mbp.150', id: 'a' })
  await client.take(50, '"ch"')
  client.send({ req: 'market.btcusdt.mbp.150', id: 'b' })
  const answer = await client.next('"rep"')
  assert.match(answer, /^\{"id":"b","status":"ok"/)
  await client.take(1000, '"ch"')
  const changes = client.frames
    .map(huobiFacts)
    .flatMap(read => (read?.type === 'orderbook' ? [read.facts] : []))
  const ledger = simulators.ledger.get('huobi', 'orderbook', 'BTC-USDT')!
  assert.ok(assertRebuilt(ledger, huobiBook(answer), changes, 150) >= 1000)
  // A side that has not changed is left out.
  assert.ok(client.frames.some(frame => frame.includes('"ch"') && !frame.includes('"bids"')))
  assert.ok(client.frames.some(frame => frame.includes('"ch"') && !frame.includes('"asks"')))
  client.close()
})

test('wrong topics, symbols and paths are refused by the id of their request', async () => {
  const { ws, feed } = await start({ faults: parseFaults('reject:huobi/trade:ETH-USDT') })
  const client = await open(ws)
  const books = await open(feed)
  const wrong: readonly [SimulatorClient, object, string][] = [
    [client, { sub: 'market.nopeusdt.ticker', id: 'x' }, 'invalid symbol nopeusdt'],
    [client, { sub: 'market.ethusdt.trade.detail', id: 'x' }, 'invalid symbol ethusdt'],
    [client, { sub: 'market.btcusdt.riddle', id: 'x' }, 'invalid topic market.btcusdt.riddle'],
    [client, { sub: 'market.btcusdt.mbp.150', id: 'x' }, 'invalid topic market.btcusdt.mbp.150'],
    [
      client,
      { unsub: 'market.btcusdt.ticker', id: 'x' },
      'unsub with not subbed topic market.btcusdt.ticker'
    ],
    [client, { dance: 1, id: 'x' }, 'invalid command'],
    [books, { sub: 'market.btcusdt.ticker', id: 'x' }, 'invalid topic market.btcusdt.ticker'],
    [books, { req: 'market.btcusdt.mbp.20', id: 'x' }, 'invalid topic market.btcusdt.mbp.20']
  ]
  for (const [from, message, said] of wrong) {
    from.send(message)
    assert.deepEqual(answerOf(await from.next('"error"')), refused(said, 'x'))
  }
  client.close()
  books.close()
})

test('more than ten messages in a second are refused; answers to pings do not count', async () => {
  const { ws } = await start()
  const client = await open(ws)
  for (let n = 0; n < 20; n++) client.send({ pong: n })
  for (let n = 0; n < 12; n++) client.send({ sub: 'market.btcusdt.ticker', id: n })
  await client.take(10, '"subbed"')
  assert.deepEqual(answerOf(await client.next('"error"')), refused('429 too many request', 10))
  assert.deepEqual(answerOf(await client.next('"error"')), refused('429 too many request', 11))
  client.close()
})

test('behind the end of a subscription nothing more comes of it', async () => {
  const { ws } = await start()
  const client = await open(ws)
  client.send({ sub: 'market.btcusdt.trade.detail', id: 1 })
  client.send({ sub: 'market.ethusdt.trade.detail', id: 2 })
  await client.take(20, '"ch"')
  client.send({ unsub: 'market.btcusdt.trade.detail', id: 3 })
  const topic = 'market.btcusdt.trade.detail'
  assert.deepEqual(answerOf(await client.next('"unsubbed"')), { id: 3, status: 'ok', unsubbed: topic })
  const frames = await client.take(20, '"ch"')
  assert.ok(frames.every(frame => frame.includes('market.ethusdt.')))
  client.close()
})

test('the server pings by JSON and cuts a client that leaves two unanswered', async () => {
  const { ws } = await start({ timings: { huobiPingEveryMs: 50 } })
  const mute = await open(ws)
  const client = await open(ws)
  for (let n = 0; n < 6; n++) {
    const { ping } = JSON.parse(await client.next('"ping"')) as { ping: number }
    client.send({ pong: ping })
  }
  assert.equal((await mute.closed).code, 1006)
  assert.equal(mute.frames.filter(frame => frame.includes('"ping"')).length, 2)
  // The client may ask as well, and a wrong number is no answer.
  client.send({ ping: 42 })
  assert.equal(await client.next('"pong"'), '{"pong":42}')
  client.send({ pong: 1 })
  client.send({ pong: 2 })
  assert.equal((await client.closed).code, 1006)
})

test('the listing names every market', async () => {
  const { simulators, rest } = await start()
  const { status, data } = (await (await fetch(`${rest}/v1/common/symbols`)).json()) as {
    status: string
    data: { symbol: string; state: string; 'base-currency': string; 'quote-currency': string }[]
  }
  assert.equal(status, 'ok')
  assert.deepEqual(
    data.map(entry => `${entry['base-currency']}-${entry['quote-currency']}`.toUpperCase()),
    simulators.venues[0]!.symbols
  )
  assert.ok(data.every(({ symbol, state }) => symbol === symbol.toLowerCase() && state === 'online'))
})

test('a lost book update is noticed by the next one, and that book alone is asked for anew', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults: 'lose:huobi/orderbook:SOL-USDT',
    targets: () => ['huobi/orderbook:BTC-USDT,ETH-USDT,SOL-USDT']
  })
  const gaps = new Tail(run.adminSocket, 'ws.gap.events')
  await gaps.first(({ value }) => value['status'] === 'closed', 'the end of the gap')
  await run.publishes(200)
  assertClean(await run.stop())
  assert.deepEqual(
    gaps.records.map(({ value }) => [value['symbol'], value['reason'], value['status']]),
    [
      ['SOL-USDT', 'sequence', 'open'],
      ['SOL-USDT', 'sequence', 'closed']
    ]
  )
  gaps.close()
})

test('the service loses nothing undeclared while the venue drops, stalls, corrupts and falls silent', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults:
      'drop:2s,stall:1s,corrupt:0.005,mute:huobi/trade:BTC-USDT,mute:huobi/orderbook:SOL-USDT,reject:huobi/ticker:ETH-USDT',
    targets: () => allTypes.map(type => `huobi/${type}:BTC-USDT,ETH-USDT,SOL-USDT`)
  })
  // The mutes begin after three seconds and are proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
