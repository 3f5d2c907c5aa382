import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noFaults, parseFaults } from '../../src/simulator/faults.ts'
import { type SimulatorOptions, type Simulators, startSimulators } from '../../src/simulator/simulator.ts'
import { assertRebuilt, okxBook, okxFacts } from '../support/asia-venues.ts'
import { assertClean, FaultRun, passes } from '../support/fault-run.ts'
import { Tail } from '../support/run-service.ts'
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
    exchanges: ['okx'],
    ...options
  })
  started.push(simulators)
  const venue = simulators.venues[0]!
  return { simulators, url: venue.websocket, rest: venue.rest }
}

function request(op: string, id: string | undefined, ...args: readonly (readonly [string, string])[]) {
  const list = args.map(([channel, instId]) => ({ channel, instId }))
  return { ...(id === undefined ? {} : { id }), op, args: list }
}

/** An answer without the connection's own id. */
function answerOf(frame: string): object {
  const { connId, ...answer } = JSON.parse(frame) as { connId: string }
  assert.match(connId, /^[0-9a-f]{8}$/)
  return answer
}

test('every frame behind its acknowledgement is the next event of its ledger with its exact digits', async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  const args = ['BTC-USDT', 'ADA-USDT', 'DOGE-USDT'].flatMap(name =>
    ['tickers', 'trades', 'books'].map(channel => [channel, name] as const)
  )
  client.send(request('subscribe', 'a', ...args))
  await client.take(800, '"data"')
  for (const [channel, instId] of args) {
    const ack = client.frames.findIndex(
      frame => frame.includes('"event"') && frame.includes(`"${channel}","instId":"${instId}"`)
    )
    assert.deepEqual(answerOf(client.frames[ack]!), { id: 'a', event: 'subscribe', arg: { channel, instId } })
    const first = client.frames.findIndex(frame =>
      frame.startsWith(`{"arg":{"channel":"${channel}","instId":"${instId}"}`)
    )
    assert.ok(ack < first)
  }
  assert.equal(assertWholeStream(simulators, 'okx', client.frames, okxFacts).size, 9)
  assert.ok(client.isBinary.every(isBinary => !isBinary))
  client.close()
})

test("a book comes whole and then in changes that chain; rebuilt it is the ledger's after each", async () => {
  const { simulators, url } = await start({ rate: 2000 })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', 'a', ['books', 'BTC-USDT']))
  const shown = okxBook(await client.next('"data"'))
  await client.take(1000, '"update"')
  const changes = client.frames
    .map(okxFacts)
    .flatMap(read => (read?.type === 'orderbook' ? [read.facts] : []))
  const ledger = simulators.ledger.get('okx', 'orderbook', 'BTC-USDT')!
  assert.ok(assertRebuilt(ledger, shown, changes, 400) >= 1000)
  client.close()
})

test('an instrument that does not exist is named in an error without an id; the rest of the request holds', async () => {
  const { url } = await start({ faults: parseFaults('reject:okx/trade:ETH-USDT') })
  const client = await SimulatorClient.open(url)
  const wrong = [
    ['trades', 'NOPE-USDT'],
    ['trades', 'ETH-USDT'],
    ['riddles', 'BTC-USDT']
  ] as const
  client.send(request('subscribe', 'a', ...wrong, ['trades', 'BTC-USDT']))
  for (const [channel, instId] of wrong) {
    const { code, msg, event, ...rest } = answerOf(await client.next('"event"')) as Record<string, string>
    assert.deepEqual([event, code, rest], ['error', '60018', {}])
    assert.ok(msg!.includes(`channel:${channel},instId:${instId} doesn't exist`))
  }
  const granted = { event: 'subscribe', arg: { channel: 'trades', instId: 'BTC-USDT' } }
  assert.deepEqual(answerOf(await client.next('"event"')), { id: 'a', ...granted })
  await client.take(10, '"data"')
  // Without an id none comes back.
  client.send(request('subscribe', undefined, ['trades', 'BTC-USDT']))
  assert.deepEqual(answerOf(await client.next('"event"')), granted)
  client.close()
})

test('behind the end of a subscription nothing more comes of it; anew, the newest event or the whole book does', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  const both = [
    ['trades', 'BTC-USDT'],
    ['books', 'BTC-USDT']
  ] as const
  client.send(request('subscribe', 'a', ...both))
  await client.take(30, '"data"')
  await simulators.freeze()
  client.send(request('unsubscribe', 'b', ...both))
  await client.take(2, '"unsubscribe"')
  const last = client.frames.findLast(frame => frame.includes('"trades"') && frame.includes('"data"'))!
  client.skip()
  client.send(request('subscribe', 'c', ...both))
  await client.next('"subscribe"')
  assert.equal(await client.next(''), last)
  await client.next('"subscribe"')
  okxBook(await client.next(''))
  client.close()
})

test('a book that does not change is repeated without levels and without a new number', async () => {
  const { simulators, url } = await start({ timings: { okxBookRepeatMs: 200 } })
  const client = await SimulatorClient.open(url)
  client.send(request('subscribe', 'a', ['books', 'BTC-USDT']))
  await client.take(20, '"update"')
  await simulators.freeze()
  const repeated = (await client.take(2, '"asks":[],"bids":[]')).map(
    frame => JSON.parse(frame) as { data: { prevSeqId: number; seqId: number }[] }
  )
  const last = client.frames.map(okxFacts).findLast(read => read?.type === 'orderbook')
  for (const { data } of repeated) {
    assert.equal(String(data[0]!.seqId), last?.facts.sequence_last)
    assert.equal(data[0]!.prevSeqId, data[0]!.seqId)
  }
  client.close()
})

test('a socket over which nothing goes is cut; a text ping or data keeps it', async () => {
  const { url } = await start({ timings: { okxIdleMs: 400 } })
  const mute = await SimulatorClient.open(url)
  const pinging = await SimulatorClient.open(url)
  const fed = await SimulatorClient.open(url)
  fed.send(request('subscribe', 'a', ['tickers', 'BTC-USDT']))
  const pings = setInterval(() => pinging.send('ping'), 50)
  assert.equal((await mute.closed).code, 1006)
  assert.equal(await pinging.next(''), 'pong')
  await pinging.take(5, 'pong')
  await fed.take(5, '"data"')
  clearInterval(pings)
  assert.equal((await pinging.closed).code, 1006)
  assert.equal(fed.webSocket.readyState, fed.webSocket.OPEN)
  fed.close()
})

test('what is no request is refused, and so are too many of them in an hour and handshakes in a second', async () => {
  const { simulators, url } = await start()
  const client = await SimulatorClient.open(url)
  for (const wrong of ['hello', { op: 'subscribe' }, { op: 'dance', args: [] }, request('subscribe', 'a')]) {
    client.send(wrong)
    assert.equal((answerOf(await client.next('')) as { code: string }).code, '60012')
  }
  for (let n = 0; n < 480; n++) client.send(request('unsubscribe', undefined, ['trades', 'BTC-USDT']))
  await client.take(480, '"unsubscribe"')
  client.send(request('unsubscribe', 'z', ['trades', 'BTC-USDT']))
  const { id, code } = answerOf(await client.next('')) as Record<string, string>
  assert.deepEqual([id, code], ['z', '60014'])
  const statuses = await Promise.all(Array.from({ length: 6 }, () => SimulatorClient.handshakeStatus(url)))
  assert.ok(statuses.filter(status => status === 429).length >= 3)
  assert.ok(simulators.handshakes('okx').some(({ status }) => status === 429))
  client.close()
})

test('the listing names every market', async () => {
  const { simulators, rest } = await start()
  const path = `${rest}/api/v5/public/instruments?instType=`
  const { code, data } = (await (await fetch(`${path}SPOT`)).json()) as {
    code: string
    data: { instId: string; state: string }[]
  }
  assert.equal(code, '0')
  assert.deepEqual(
    data.map(({ instId }) => instId),
    simulators.venues[0]!.symbols
  )
  assert.equal((await fetch(`${path}RIDDLE`)).status, 400)
})

test('a lost book update is noticed by the next one, and that book alone is subscribed anew', async () => {
  await using run = await FaultRun.start({
    rate: 400,
    faults: 'lose:okx/orderbook:SOL-USDT',
    targets: () => ['okx/orderbook:BTC-USDT,ETH-USDT,SOL-USDT']
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
      'drop:2s,stall:1s,corrupt:0.005,mute:okx/trade:BTC-USDT,mute:okx/orderbook:SOL-USDT,reject:okx/ticker:ETH-USDT',
    targets: () => allTypes.map(type => `okx/${type}:BTC-USDT,ETH-USDT,SOL-USDT`)
  })
  // The mutes begin after three seconds and are proven after five more.
  await passes(11_000)
  await run.until('drops and the gaps of them', ({ gaps, reconnects }) => gaps.closed > 3 && reconnects > 2)
  assertClean(await run.stop())
})
