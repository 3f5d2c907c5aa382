import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { type ProducerPort } from '../../../../actors/exchange/batcher.ts'
import { ThreadCapture } from '../../../../actors/exchange/capture.ts'
import { ReplayHost } from '../../../../actors/exchange/replay-host.ts'
import {
  type ReplayReport,
  type ReplayStats,
  type ReplayThreadPlan
} from '../../../../actors/exchange/replay-messages.ts'
import { CaptureWriter } from '../../../../src/capture/capture-writer.ts'
import { EntryKind } from '../../../../src/capture/entry.ts'
import { type CapturedConnection } from '../../../../src/capture/facts.ts'
import { type CaptureLimits, captureLimits } from '../../../../src/capture/limits.ts'
import { SystemClock } from '../../../../src/core/clock.ts'
import { type IngestError } from '../../../../src/core/errors.ts'
import { type RequestType, type Target } from '../../../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { FrameBatch } from '../../../../src/wire/frame-batch.ts'
import { type ToProducer } from '../../../../src/wire/session-messages.ts'
import { SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { acknowledge, binanceFrame, type ExchangeRig, exchangeRig, upbitFrame } from './rig.ts'

/** What a producer learns, frame by frame: how they lay in batches is left out. */
type Learned = Record<string, unknown> & { readonly type: string }

function learned(message: ToProducer): Learned[] {
  switch (message.type) {
    case 'context':
      return [{ type: 'context', ...message.context }]
    case 'notice':
      // Only of the running service: the recorder is its second producer.
      if (message.notice.type === 'resumed') return []
      return [{ ...message.notice, type: message.notice.type, connection: message.connection }]
    case 'drain':
      return []
    case 'batches':
      return message.buffers.flatMap(buffer => framesOf(new FrameBatch(buffer)))
  }
}

function framesOf(batch: FrameBatch): Learned[] {
  return Array.from({ length: batch.frames }, (_, row) => ({
    type: 'frame',
    connection: batch.connection,
    context: batch.contextVersion,
    receivedMicros: batch.receivedMicros(row),
    frameSeq: batch.frameSeq(row),
    subscription: batch.subscription(row),
    kind: batch.kind(row),
    text: Buffer.from(batch.bytes.subarray(batch.start(row), batch.end(row))).toString('utf8')
  }))
}

class CaptureRig implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'coin-stream-replay-'))
  readonly faults: IngestError[] = []
  readonly #learned: Learned[] = []
  readonly #adapter: ExchangeAdapter
  readonly #requestType: RequestType
  rig!: ExchangeRig
  #capture: ThreadCapture | null = null

  private constructor(adapter: ExchangeAdapter, requestType: RequestType) {
    this.#adapter = adapter
    this.#requestType = requestType
  }

  static async start(
    adapter: ExchangeAdapter,
    requestType: RequestType,
    symbols: readonly string[],
    limits: Partial<CaptureLimits> = {},
    rest?: Parameters<typeof exchangeRig>[0]['rest']
  ): Promise<CaptureRig> {
    const own = new CaptureRig(adapter, requestType)
    own.rig = await exchangeRig({
      adapter,
      requestType,
      symbols,
      ...(rest === undefined ? {} : { rest }),
      capture: clock => {
        const plan = { folder: own.folder, thread: 0, limits: { ...captureLimits, ...limits } }
        own.#capture = new ThreadCapture(plan, clock, error => own.faults.push(error))
        return own.#capture
      }
    })
    const recorder: ProducerPort = {
      postMessage: (message: ToProducer) => own.#learned.push(...learned(message))
    }
    own.rig.batcher.attach(recorder)
    return own
  }

  /** Ends the capture; what the producer of the running service has learned. */
  async finish(): Promise<Learned[]> {
    const stopped = this.rig.exchange.stop()
    this.rig.socket().end()
    await stopped
    this.rig.batcher.drain()
    await this.#capture!.close(1_000)
    assert.deepEqual(this.faults, [])
    return this.#learned
  }

  get dropped(): number {
    return this.#capture!.stats.dropped
  }

  /** Replays the capture; what a producer learns then. */
  async replay(part: Partial<ReplayThreadPlan> = {}) {
    const ledger = new SharedLedger(1, 1)
    const target = {
      region: this.#adapter.region,
      exchange: this.#adapter.name,
      request_type: this.#requestType
    }
    const paths = readdirSync(this.folder)
      .sort()
      .map(name => join(this.folder, name))
    const items: Learned[] = []
    const { port1, port2 } = new MessageChannel()
    let drained: () => void = () => undefined
    const hasDrained = new Promise<void>(resolve => {
      drained = resolve
    })
    port1.on('message', (message: ToProducer) => {
      if (message.type === 'drain') drained()
      items.push(...learned(message))
      if (message.type !== 'batches') return
      const entries = message.buffers.map(buffer => {
        const { connection, payloadBytes, frames } = new FrameBatch(buffer)
        return { connection, bytes: payloadBytes, frameSeq: new FrameBatch(buffer).frameSeq(frames - 1) }
      })
      port1.postMessage({ type: 'settled', entries })
    })
    const reports: ReplayReport[] = []
    const stats = await new Promise<ReplayStats>((resolve, reject) => {
      const host = new ReplayHost(
        {
          logLevel: 'silent',
          threads: [paths],
          targets: [
            { plan: { target, symbols: [], projection: [] }, targetIndex: 0, firstShard: 0, shards: 1 }
          ],
          ledger: { memory: ledger.memory, shards: 1, targets: 1 },
          limits: {
            frameBytesMax: 65_536,
            inflatedBytesMax: 65_536,
            batchBytes: 512,
            batchLingerMs: 1,
            creditBytesPerConnection: 1
          },
          windowBytes: 2_000,
          speed: 'max',
          fromMicros: null,
          toMicros: null,
          ...part
        },
        { clock: new SystemClock(), adapterOf: () => this.#adapter },
        report => {
          reports.push(report)
          if (report.type === 'finished') resolve(report.stats)
          if (report.type !== 'failed') return
          port1.close()
          reject(new Error(report.error.message))
        }
      )
      host.receive({ type: 'producer', port: port2 })
    })
    await hasDrained
    port1.close()
    return { items, stats, reports, account: ledger.frames(0) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#capture?.close(1_000)
    this.rig.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const frames = (items: readonly Learned[]): Learned[] => items.filter(({ type }) => type === 'frame')

test('a replay tells the producer what it learned when the capture was made, over a lost socket too', async () => {
  await using own = await CaptureRig.start(upbit, 'trade', ['BTC-KRW', 'ETH-KRW'])
  const { rig } = own
  for (let life = 0; life < 3; life++) {
    rig.socket().open()
    for (let n = 0; n < 30; n++) {
      rig.clock.advance(7)
      rig.socket().receive(upbitFrame('trade', n % 3 === 0 ? 'KRW-ETH' : 'KRW-BTC', `${life}/${n}`))
      rig.socket().receive('{"status":"UP"}', 'what is this')
    }
    if (life < 2) rig.socket().end()
    rig.pass(5)
  }
  rig.clock.advance(10)
  const before = await own.finish()
  assert.equal(before.filter(({ type }) => type === 'opened').length, 3)
  assert.ok(frames(before).length > 90)
  const { items, stats, account } = await own.replay()
  assert.deepEqual(items, before)
  assert.deepEqual([stats.connections, stats.frames, stats.missing], [3, 270, 0])
  assert.deepEqual([account.get('received'), account.get('control'), account.get('reconnects')], [270, 90, 2])
})

test('acknowledgements, snapshots and what was asked anew come in their places', async () => {
  const body = Buffer.from('{"lastUpdateId":5,"bids":[],"asks":[]}')
  const listing = (url: string) => url.includes('exchangeInfo')
  await using own = await CaptureRig.start(binance, 'orderbook', ['BTC-USDT', 'ETH-USDT'], {}, url =>
    listing(url)
      ? { type: 'failed', message: 'HTTP status 404', status: 404, retryAfterMs: null }
      : { type: 'body', bytes: body }
  )
  const { rig } = own
  acknowledge(rig.socket())
  rig.socket().receive(binanceFrame('BTCUSDT', 'depth', 1))
  rig.exchange.resnapshot(rig.link(), 0, 1)
  while (rig.ledger.frames(0).get('received') < 3) {
    rig.clock.advance(100)
    await Promise.resolve()
  }
  rig.socket().receive(binanceFrame('BTCUSDT', 'depth', 2))
  rig.link().subscriptions.resubscribe([1])
  rig.clock.advance(1_500)
  rig.socket().receive(binanceFrame('ETHUSDT', 'depth', 3))
  rig.clock.advance(10)
  const before = await own.finish()
  assert.ok(before.filter(({ type }) => type === 'confirmed').length >= 2)
  assert.deepEqual(
    frames(before).map(({ kind }) => kind),
    [0, 1, 0, 0]
  )
  const { items } = await own.replay()
  assert.deepEqual(items, before)
})

test('what was asked again, and what was asked after a refusal, is asked again in a replay, with the same ids', async () => {
  const symbols = ['A-USDT', 'B-USDT', 'C-USDT', 'D-USDT']
  await using own = await CaptureRig.start(binance, 'trade', symbols)
  const { rig } = own
  const say = (text: string) => rig.socket().receive(text)
  rig.socket().open()
  say('{"error":{"code":3,"msg":"Too many requests"},"id":1}')
  rig.pass(11)
  // Asked again one by one, ids 2 to 5: the third is refused for good, and the last one never answered.
  for (const id of [2, 3]) say(`{"result":null,"id":${id}}`)
  say('{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":4}')
  rig.pass(25)
  say('{"result":null,"id":6}')
  rig.link().subscriptions.resubscribe([0, 1])
  rig.clock.advance(2_000)
  say('{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":8}')
  rig.clock.advance(2_000)
  say('{"result":null,"id":10}')
  say('{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":9}')
  say(binanceFrame('BUSDT', 'trade', 1))
  rig.clock.advance(10)
  const asked = rig.socket().sent.length
  const before = await own.finish()
  assert.equal(asked, 10)
  assert.deepEqual(
    before.flatMap(({ type, subscriptions }) => (type === 'rejected' ? [subscriptions] : [])),
    [[2], [0]]
  )
  const { items } = await own.replay()
  assert.deepEqual(items, before)
})

test('a replay that begins between a request and its answer knows the request', async () => {
  await using own = await CaptureRig.start(binance, 'trade', ['A-USDT', 'B-USDT'], { segmentMs: 10_000 })
  const { rig } = own
  acknowledge(rig.socket())
  const tick = (second: number) => {
    rig.socket().receive(binanceFrame('AUSDT', 'trade', second))
    rig.pass(1)
  }
  for (let second = 0; second < 8; second++) tick(second)
  rig.link().subscriptions.resubscribe([1])
  for (let second = 8; second < 15; second++) tick(second)
  const fromMicros = rig.clock.nowMicros()
  rig.socket().receive('{"result":null,"id":3}')
  for (let second = 15; second < 18; second++) tick(second)
  await own.finish()
  const { items } = await own.replay({ fromMicros })
  const confirmed = items.filter(({ type }) => type === 'confirmed').map(item => item['subscriptions'])
  assert.deepEqual(confirmed.at(-1), [1])
})

test('a replay from the middle begins with how things stood there, and goes on with the same frames', async () => {
  await using own = await CaptureRig.start(upbit, 'ticker', ['BTC-KRW', 'ETH-KRW'], { segmentMs: 10_000 })
  const { rig } = own
  rig.socket().open()
  for (let second = 0; second < 60; second++) {
    rig.socket().receive(upbitFrame('ticker', 'KRW-BTC', second), '{"status":"UP"}')
    if (second % 9 === 0) rig.socket().receive(upbitFrame('ticker', 'KRW-ETH', second))
    rig.pass(1)
  }
  const before = await own.finish()
  const all = frames(before)
  const [from, to] = [all[40]!, all[55]!]
  const { items, stats, account } = await own.replay({
    fromMicros: Number(from['receivedMicros']),
    toMicros: Number(to['receivedMicros'])
  })
  const replayed = frames(items)
  const cut = all.filter(
    ({ receivedMicros }) =>
      Number(receivedMicros) >= Number(from['receivedMicros']) &&
      Number(receivedMicros) <= Number(to['receivedMicros'])
  )
  assert.ok(readdirSync(own.folder).length > 4)
  assert.deepEqual(
    replayed.map(({ frameSeq, receivedMicros, text }) => ({ frameSeq, receivedMicros, text })),
    cut.map(({ frameSeq, receivedMicros, text }) => ({ frameSeq, receivedMicros, text }))
  )
  assert.deepEqual(
    items.filter(({ type }) => type !== 'frame').map(({ type }) => type),
    ['context', 'opened', 'confirmed', 'closed']
  )
  const opened = items.find(({ type }) => type === 'opened')!
  assert.equal(opened['atMicros'], before.find(({ type }) => type === 'opened')!['atMicros'])
  assert.deepEqual(items.find(({ type }) => type === 'confirmed')!['subscriptions'], [0, 1])
  assert.equal(account.get('received'), stats.frames)
})

test('connections of a thread that died are lost where another life of it goes on', async () => {
  await using own = await CaptureRig.start(upbit, 'trade', ['BTC-KRW'])
  const { rig } = own
  // A thread that dies writes no end of its connections.
  const target: Target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }
  const dead = new CaptureWriter({
    folder: own.folder,
    thread: 0,
    limits: captureLimits,
    clock: rig.clock,
    events: { segmentBegun: () => undefined, stopped: error => own.faults.push(error) }
  })
  const startMicros = rig.clock.nowMicros() - 60_000_000
  const planned: CapturedConnection = {
    connectionId: 'pod/upbit/trade/0/1',
    target,
    ordinal: 0,
    instruments: [{ symbol: 'BTC-KRW', native: 'KRW-BTC' }],
    projection: [],
    url: 'wss://venue',
    previous: null
  }
  dead.fact(EntryKind.planned, 1_000, 0, startMicros, Buffer.from(JSON.stringify(planned)))
  // One that began beside it serves another share of the target, and goes on.
  const beside = { ...planned, connectionId: 'pod/upbit/trade/1/1', ordinal: 1 }
  dead.fact(EntryKind.planned, 1_001, 0, startMicros, Buffer.from(JSON.stringify(beside)))
  for (const connection of [1_000, 1_001]) {
    dead.fact(EntryKind.opened, connection, 0, startMicros + 1)
    const frame = Buffer.from(upbitFrame('trade', 'KRW-BTC', connection))
    dead.frame(EntryKind.frame, connection, 0, startMicros + 2, frame)
  }
  await dead.close()
  rig.socket().open()
  rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'next life'))
  rig.clock.advance(10)
  const before = await own.finish()
  const { items } = await own.replay()
  const first = items.filter(({ connection, type }) => connection === 1_000 && type !== 'context')
  assert.deepEqual(
    first.map(({ type, reason }) => [type, reason]),
    [
      ['opened', undefined],
      ['confirmed', undefined],
      ['frame', undefined],
      ['lost', 'disconnect']
    ]
  )
  // It is lost before the next one opens: nothing is to wait for it.
  const next = items.findIndex(({ connection }) => connection === 1)
  assert.ok(items.indexOf(first.at(-1)!) < next)
  assert.equal(items.findLast(({ connection }) => connection === 1_001)!.type, 'closed')
  assert.deepEqual(
    items.filter(({ connection }) => connection === 1),
    before
  )
})

test('frames that the capture could not keep are declared, and the numbers go on behind them', async () => {
  await using own = await CaptureRig.start(upbit, 'trade', ['BTC-KRW'], {
    blockBytes: 2_048,
    bufferedBytes: 6_000
  })
  const { rig } = own
  rig.socket().open()
  const filler = 'x'.repeat(900)
  for (let n = 0; n < 40; n++) rig.socket().receive(upbitFrame('trade', 'KRW-BTC', `${n}${filler}`))
  while (own.dropped === 0 || !(await settled(own))) {
    rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'more'))
  }
  rig.clock.advance(10)
  const before = frames(await own.finish())
  const { items, stats, account } = await own.replay()
  const sheds = items.filter(({ type }) => type === 'shed')
  assert.ok(stats.missing > 0 && sheds.length > 0)
  assert.equal(
    sheds.reduce((total, shed) => total + Number(shed['frames']), 0),
    stats.missing
  )
  const bySeq = new Map(before.map(frame => [frame['frameSeq'], frame['text']]))
  for (const { frameSeq, text } of frames(items)) assert.equal(text, bySeq.get(frameSeq))
  assert.equal(frames(items).length + stats.missing, before.length)
  assert.deepEqual([account.get('received'), account.get('shed')], [before.length, stats.missing])
})

/** Blocks are written behind the test; this gives them a turn and tells whether frames are kept again. */
async function settled(own: CaptureRig): Promise<boolean> {
  const { dropped } = own
  await new Promise(resolve => setImmediate(resolve))
  own.rig.socket().receive(upbitFrame('trade', 'KRW-BTC', 'again'))
  return own.dropped === dropped
}

test('what an entry says is looked at before it is believed, and its file is named', async () => {
  await using own = await CaptureRig.start(upbit, 'trade', ['BTC-KRW'])
  await own.finish()
  const segment = join(own.folder, 'conn-0-0000.cap')
  for (const text of ['{}', 'no JSON', '{"connectionId":"a","target":{"exchange":"nowhere"}}']) {
    rmSync(segment, { force: true })
    const other = new CaptureWriter({
      folder: own.folder,
      thread: 0,
      limits: captureLimits,
      clock: own.rig.clock,
      events: { segmentBegun: () => undefined, stopped: error => own.faults.push(error) }
    })
    other.fact(EntryKind.planned, 1, 0, own.rig.clock.nowMicros(), Buffer.from(text))
    await other.close()
    await assert.rejects(own.replay(), {
      message: `${segment}: an entry that should say what a connection is for does not; replay the capture with the build that made it.`
    })
  }
})

test('a capture that the disk does not take in time is let go, and that is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coin-stream-late-'))
  const clock = new ManualClock()
  const faults: IngestError[] = []
  const capture = new ThreadCapture({ folder, thread: 0, limits: captureLimits }, clock, error =>
    faults.push(error)
  )
  await using own = await CaptureRig.start(upbit, 'trade', ['BTC-KRW'])
  capture.observe(own.rig.link().plan, 0, () => null)
  const closed = capture.close(500)
  // No turn of the event loop has passed: the disk had no chance.
  clock.advance(500)
  await closed
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['CAPTURE_STOPPED']
  )
  assert.match(capture.stats.stopped!, /the disk did not take what waited within 500 ms; the data goes on$/)
  assert.equal(clock.pendingTimers, 0)
  rmSync(folder, { recursive: true, force: true })
})
