import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type WebSocket } from 'ws'
import { type ExchangeReport, type ExchangeThreadPlan } from '../../actors/exchange/messages.ts'
import { ExchangeRef } from '../../actors/exchange/ref.ts'
import { type IngestError } from '../../src/core/errors.ts'
import { type ExchangeName, exchangeRegions, type RequestType } from '../../src/domain/target.ts'
import { ConnectionNumbers } from '../../src/wire/connection-numbers.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type FromProducer,
  type SessionNotice,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { SharedLedger } from '../../src/wire/shared-ledger.ts'
import { type RestReply, VenueServer } from '../support/venue-server.ts'

const binanceListing: RestReply = {
  status: 200,
  body: JSON.stringify({
    symbols: ['BTC', 'ETH', 'XRP'].map(base => ({
      symbol: `${base}USDT`,
      status: 'TRADING',
      baseAsset: base,
      quoteAsset: 'USDT'
    }))
  })
}

interface BinanceRequest {
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE'
  readonly params: readonly string[]
  readonly id: number
}

function onRequest(socket: WebSocket, handle: (request: BinanceRequest) => void): void {
  socket.on('message', data => handle(JSON.parse((data as Buffer).toString('utf8')) as BinanceRequest))
}

function binanceTrade(id: number, symbol = 'BTCUSDT'): string {
  const data = { e: 'trade', E: 1, s: symbol, t: id, p: '1.0', q: '2.0', T: 1, m: true, M: true }
  return JSON.stringify({ stream: `${symbol.toLowerCase()}@trade`, data })
}

/** What came over the producer's port, in its order. */
type Item =
  | { readonly type: 'context'; readonly context: ConnectionContext }
  | {
      readonly type: 'frame'
      readonly text: string
      readonly frameSeq: number
      readonly subscription: number
      readonly kind: number
    }
  | ({ readonly type: 'notice' } & { readonly notice: SessionNotice })
  | { readonly type: 'drain' }

class ProducerEnd {
  readonly items: Item[] = []
  readonly #port: MessagePort
  readonly #isSettling: boolean
  #wake: () => void = () => undefined

  constructor(port: MessagePort, isSettling = true) {
    this.#port = port
    this.#isSettling = isSettling
    port.on('message', (message: ToProducer) => {
      this.#take(message)
      this.#wake()
    })
  }

  send(message: FromProducer): void {
    this.#port.postMessage(message)
  }

  close(): void {
    this.#port.close()
  }

  get frames() {
    return this.items.filter(item => item.type === 'frame')
  }

  get notices(): SessionNotice[] {
    return this.items.filter(item => item.type === 'notice').map(item => item.notice)
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #take(message: ToProducer): void {
    switch (message.type) {
      case 'batches':
        for (const buffer of message.buffers) this.#batch(new FrameBatch(buffer))
        break
      case 'context':
        this.items.push({ type: 'context', context: message.context })
        break
      case 'notice':
        this.items.push({ type: 'notice', notice: message.notice })
        break
      case 'drain':
        this.items.push({ type: 'drain' })
        break
    }
  }

  #batch(batch: FrameBatch): void {
    for (let row = 0; row < batch.frames; row++) {
      const text = Buffer.from(batch.bytes.subarray(batch.start(row), batch.end(row))).toString('utf8')
      const [frameSeq, subscription, kind] = [batch.frameSeq(row), batch.subscription(row), batch.kind(row)]
      this.items.push({ type: 'frame', text, frameSeq, subscription, kind })
    }
    if (!this.#isSettling) return
    const frameSeq = batch.frameSeq(batch.frames - 1)
    this.send({
      type: 'settled',
      entries: [{ connection: batch.connection, bytes: batch.payloadBytes, frameSeq }]
    })
  }
}

interface Rig extends AsyncDisposable {
  readonly producer: ProducerEnd
  readonly thread: ExchangeRef
  readonly ledger: SharedLedger
  readonly reports: ExchangeReport[]
  readonly faults: IngestError[]
  newProducer(): ProducerEnd
}

interface RigOptions {
  readonly exchange?: ExchangeName
  readonly requestType: RequestType
  readonly symbols: readonly string[]
  readonly isSettling?: boolean
  readonly creditBytes?: number
  readonly frameBytesMax?: number
}

async function rig(server: VenueServer, options: RigOptions): Promise<Rig> {
  const exchange = options.exchange ?? 'binance'
  const ledger = new SharedLedger(1, 1)
  const target = { region: exchangeRegions[exchange], exchange, request_type: options.requestType }
  const plan: ExchangeThreadPlan = {
    pod: 'test',
    logLevel: 'silent',
    exchanges: [
      {
        exchange,
        endpoints: server.endpoints,
        targets: [
          {
            plan: { target, symbols: options.symbols, projection: [] },
            targetIndex: 0,
            firstShard: 0,
            shards: 1
          }
        ]
      }
    ],
    ledger: { memory: ledger.memory, shards: 1, targets: 1 },
    limits: {
      frameBytesMax: options.frameBytesMax ?? 65_536,
      inflatedBytesMax: 65_536,
      batchBytes: 4_096,
      batchLingerMs: 2,
      creditBytesPerConnection: options.creditBytes ?? 1_048_576
    },
    listings: null,
    capture: null,
    connectionNumbers: new ConnectionNumbers().memory
  }
  const reports: ExchangeReport[] = []
  const faults: IngestError[] = []
  const thread = new ExchangeRef('conn-test', plan, {
    lookedUp: report => reports.push(report),
    transition: report => reports.push(report),
    circuit: report => reports.push(report),
    confirmed: report => reports.push(report),
    fault: error => faults.push(error),
    captured: () => undefined,
    captureStopped: error => faults.push(error)
  })
  await thread.ready
  const ends: ProducerEnd[] = []
  const newProducer = (): ProducerEnd => {
    const { port1, port2 } = new MessageChannel()
    const end = new ProducerEnd(port1, options.isSettling ?? true)
    ends.push(end)
    thread.connect(port2)
    return end
  }
  return {
    producer: newProducer(),
    thread,
    ledger,
    reports,
    faults,
    newProducer,
    [Symbol.asyncDispose]: async () => {
      await thread.terminate()
      for (const end of ends) end.close()
      await server.close()
    }
  }
}

test('frames go from the socket to the producer in their order, behind context, opened and confirmed', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket =>
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        for (let n = 1; n <= 200; n++) socket.send(binanceTrade(n))
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  const { producer, ledger, reports } = made
  await producer.until(() => producer.frames.length === 200)
  assert.deepEqual(
    producer.items.slice(0, 3).map(item => (item.type === 'notice' ? item.notice.type : item.type)),
    ['context', 'opened', 'confirmed']
  )
  // The acknowledgement was frame 1.
  assert.deepEqual(
    producer.frames.map(frame => frame.frameSeq),
    Array.from({ length: 200 }, (_, n) => n + 2)
  )
  assert.ok(
    producer.frames.every((frame, n) => frame.text === binanceTrade(n + 1) && frame.subscription === 0)
  )
  const { received, control } = ledger.frames(0).ledger()
  assert.deepEqual([received, control], [201, 1])
  assert.equal(ledger.frames(0).get('handedOver'), 200)
  assert.equal(ledger.frames(0).get('subscribed'), 2)
  const confirmed = reports.filter(report => report.type === 'confirmed')
  assert.deepEqual(
    confirmed.map(report => report.symbol),
    ['BTC-USDT', 'ETH-USDT']
  )
  assert.match(confirmed[0]!.connectionId, /^test\/binance\/trade\/0\/\d+$/)
})

test("frames that come together with the handshake's answer are not lost", async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket => {
      for (let n = 1; n <= 3; n++) socket.send(binanceTrade(n))
      socket.close(1001)
    }
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  const { producer } = made
  await producer.until(() => producer.notices.some(notice => notice.type === 'lost'))
  assert.deepEqual(
    producer.frames.slice(0, 3).map(frame => frame.text),
    [1, 2, 3].map(n => binanceTrade(n))
  )
})

test('a symbol that the venue does not list is reported with the nearest name, and the rest goes on', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket => onRequest(socket, ({ id }) => socket.send(JSON.stringify({ result: null, id })))
  })
  await using made = await rig(server, {
    requestType: 'trade',
    symbols: ['BTC-USDT', 'EHT-USDT', 'USDT-XRP']
  })
  await made.producer.until(() => made.producer.notices.some(notice => notice.type === 'confirmed'))
  assert.deepEqual(
    made.faults.map(fault => `${fault.code} ${fault.message}`),
    [
      'SYMBOL_UNKNOWN binance does not list EHT-USDT (did you mean ETH-USDT?), USDT-XRP (did you mean XRP-USDT?); ' +
        'binance/trade goes on without'
    ]
  )
})

test('without a listing the symbols go by the naming rule', async () => {
  const server = await VenueServer.start({
    accepted: socket =>
      socket.on('message', () => socket.send('{"type":"ticker","code":"KRW-BTC"}', { binary: true }))
  })
  await using made = await rig(server, { exchange: 'upbit', requestType: 'ticker', symbols: ['BTC-KRW'] })
  await made.producer.until(() => made.producer.frames.length === 1)
  assert.deepEqual(
    made.faults.map(fault => fault.code),
    ['LISTING_FAILED']
  )
  // The venue sends no acknowledgement: the first data are the confirmation, and come behind it.
  assert.deepEqual(
    made.producer.notices.map(notice => notice.type),
    ['opened', 'confirmed']
  )
  assert.equal(made.producer.items.at(-1)!.type, 'frame')
})

test('a lost socket is told, dialled again and continues as a new connection', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: (socket, ordinal) =>
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        socket.send(binanceTrade(ordinal), () => ordinal === 0 && socket.terminate())
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  const { producer, ledger } = made
  await producer.until(() => producer.frames.length === 2)
  assert.deepEqual(
    producer.notices.map(notice => notice.type),
    ['opened', 'confirmed', 'lost', 'opened', 'confirmed']
  )
  const lost = producer.notices.find(notice => notice.type === 'lost')!
  assert.deepEqual([lost.reason, lost.lastFrameSeq], ['disconnect', 2])
  const contexts = producer.items.filter(item => item.type === 'context').map(item => item.context)
  assert.deepEqual(
    contexts.map(context => context.connection),
    [1, 2]
  )
  const opened = producer.notices.filter(notice => notice.type === 'opened')
  assert.deepEqual(
    opened.map(notice => notice.previous),
    [null, 1]
  )
  assert.equal(ledger.frames(0).get('reconnects'), 1)
})

test('a book snapshot enters the stream of its connection with the next frame number', async () => {
  let depths = 0
  const server = await VenueServer.start({
    rest: path => {
      if (!path.startsWith('/api/v3/depth')) return binanceListing
      // The first answer is a failure: it is told, and the snapshot tried again.
      return depths++ === 0 ? { status: 500, body: '' } : { status: 200, body: '{"lastUpdateId":7}' }
    },
    accepted: socket => onRequest(socket, ({ id }) => socket.send(JSON.stringify({ result: null, id })))
  })
  await using made = await rig(server, { requestType: 'orderbook', symbols: ['BTC-USDT', 'ETH-USDT'] })
  const { producer } = made
  await producer.until(() => producer.notices.some(notice => notice.type === 'confirmed'))
  producer.send({ type: 'resnapshot', requests: 1, connection: 1, subscription: 1 })
  await producer.until(() => producer.frames.length === 1)
  assert.deepEqual(producer.frames[0], {
    type: 'frame',
    text: '{"lastUpdateId":7}',
    frameSeq: 2,
    subscription: 1,
    kind: 1
  })
  assert.ok(producer.notices.some(notice => notice.type === 'snapshotFailed' && notice.subscription === 1))
  assert.ok(server.restPaths.every(path => !path.includes('BTCUSDT')))
})

test('one symbol is subscribed anew, alone, and confirmed anew', async () => {
  const requests: BinanceRequest[] = []
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket =>
      onRequest(socket, request => {
        requests.push(request)
        socket.send(JSON.stringify({ result: null, id: request.id }))
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT', 'ETH-USDT'] })
  const { producer } = made
  const confirmed = () => producer.notices.filter(notice => notice.type === 'confirmed')
  await producer.until(() => confirmed().length === 1)
  producer.send({ type: 'resubscribe', connection: 1, subscription: 1 })
  await producer.until(() => confirmed().length === 2)
  assert.deepEqual(confirmed()[1]!.subscriptions, [1])
  assert.deepEqual(
    requests.slice(1).map(({ method, params }) => [method, ...params]),
    [
      ['UNSUBSCRIBE', 'ethusdt@trade'],
      ['SUBSCRIBE', 'ethusdt@trade']
    ]
  )
})

test('a refused subscription leaves the desired set and is reported', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: (socket, ordinal) =>
      onRequest(socket, ({ id }) => {
        if (ordinal === 0) socket.send(JSON.stringify({ error: { code: 2, msg: 'invalid stream' }, id }))
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  await made.producer.until(() => made.producer.notices.some(notice => notice.type === 'closed'))
  assert.deepEqual(
    made.producer.notices.map(notice => notice.type),
    ['opened', 'rejected', 'closed']
  )
  assert.match(
    made.faults.map(fault => `${fault.code} ${fault.message}`).join(),
    /SYMBOL_REJECTED .*BTC-USDT: invalid stream/
  )
  assert.equal(server.handshakes, 1)
})

test('an oversized frame ends its connection with a clear error, and the next one is dialled', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: (socket, ordinal) =>
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        socket.send(ordinal === 0 ? 'x'.repeat(5_000) : binanceTrade(1))
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'], frameBytesMax: 4_096 })
  await made.producer.until(() => made.producer.frames.length === 1)
  assert.deepEqual(
    made.faults.map(fault => fault.code),
    ['FRAME_OVERSIZED']
  )
  assert.match(made.faults[0]!.message, /limits\.frameBytesMax \(4096\)/)
})

test('frames that are no JSON go on to be judged and cost nothing else', async () => {
  const frames = ['{"stream":"btcusdt@trade","data":{', 'nonsense', '{"result":nul', binanceTrade(1)]
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket =>
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        for (const frame of frames) socket.send(frame)
      })
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  await made.producer.until(() => made.producer.frames.length === 4)
  assert.deepEqual(
    made.producer.frames.map(frame => frame.text),
    frames
  )
  assert.deepEqual(
    made.producer.frames.map(frame => frame.subscription),
    [0, -1, -1, 0]
  )
})

test('HTTP 429 at the handshake opens the circuit at once', async () => {
  const server = await VenueServer.start({
    rest: () => binanceListing,
    refuse: () => ({ status: 429, headers: { 'Retry-After': '120' } }),
    accepted: () => undefined
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  while (!made.faults.some(fault => fault.code === 'BREAKER_OPEN')) await new Promise(setImmediate)
  assert.ok(made.faults.some(fault => fault.code === 'HANDSHAKE_REFUSED' && fault.message.includes('429')))
  assert.match(made.faults.find(fault => fault.code === 'BREAKER_OPEN')!.message, /no dial for 1[2-5]\d s/)
  assert.equal(server.handshakes, 1)
})

test('stopping ends every socket by its closing handshake and marks the end of the stream', async () => {
  let serverSocket: WebSocket | null = null
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket => {
      serverSocket = socket
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        for (let n = 1; n <= 50; n++) socket.send(binanceTrade(n))
      })
    }
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'] })
  const { producer, thread } = made
  await producer.until(() => producer.frames.length > 0)
  const closed = once(serverSocket!, 'close') as Promise<[number]>
  await thread.stop(5_000)
  const [code] = await closed
  assert.equal(code, 1000)
  await producer.until(() => producer.items.at(-1)?.type === 'drain')
  assert.equal(producer.notices.at(-1)!.type, 'closed')
  assert.equal(producer.frames.length, 50)
  const account = made.ledger.frames(0)
  assert.deepEqual([account.get('held'), account.get('handedOver')], [0, 50])
})

test('a new producer is told of the open sockets and of what was lost with the old one', async () => {
  let serverSocket: WebSocket | null = null
  const server = await VenueServer.start({
    rest: () => binanceListing,
    accepted: socket => {
      serverSocket = socket
      onRequest(socket, ({ id }) => {
        socket.send(JSON.stringify({ result: null, id }))
        socket.send(binanceTrade(1))
      })
    }
  })
  await using made = await rig(server, { requestType: 'trade', symbols: ['BTC-USDT'], isSettling: false })
  const { producer, ledger } = made
  await producer.until(() => producer.frames.length === 1)
  producer.send({
    type: 'settled',
    entries: [{ connection: 1, bytes: binanceTrade(1).length, frameSeq: 2 }]
  })
  serverSocket!.send(binanceTrade(2))
  await producer.until(() => producer.frames.length === 2)
  // Here the old producer would have died, with frame 3 in its hands.
  producer.close()
  const second = made.newProducer()
  serverSocket!.send(binanceTrade(3))
  await second.until(() => second.frames.length === 1)
  assert.deepEqual(
    second.items.map(item => (item.type === 'notice' ? item.notice.type : item.type)),
    ['context', 'opened', 'resumed', 'confirmed', 'frame']
  )
  const resumed = second.notices.find(notice => notice.type === 'resumed')!
  assert.equal(resumed.lastFrameSeq, 2)
  assert.ok(resumed.atMicros > 0)
  assert.equal(second.frames[0]!.frameSeq, 4)
  assert.equal(server.handshakes, 1)
  assert.equal(ledger.frames(0).get('lost'), 2)
})
