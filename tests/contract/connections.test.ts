import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { MessagePacer, requestsWaitingMax } from '../../actors/exchange/message-pacer.ts'
import { layOut } from '../../src/app/layout.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type ExchangeAdapter, type SubscriptionChange } from '../../src/exchange-kit/adapter.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { SharedLedger } from '../../src/wire/shared-ledger.ts'
import { fixtures } from '../fixtures/registry.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type ExchangeRig, exchangeRig, type FakeSocket } from '../unit/actors/exchange/rig.ts'

/** What every venue's connection has to do, on sockets and a clock of the test's own. */
for (const [name, adapter] of Object.entries(adapters) as [keyof typeof adapters, ExchangeAdapter][]) {
  const { instruments, conversation, frames } = fixtures[name]
  const symbols = instruments.map(({ symbol }) => symbol)
  const isGzip = adapter.compression === 'gzip'

  const rigOf = (change: Partial<ExchangeAdapter> = {}, wanted: readonly string[] = symbols) =>
    exchangeRig({ adapter: { ...adapter, ...change }, requestType: 'trade', symbols: wanted })

  /** A rig that notes what its connection asks for. `oneByOne`: with a request of its own for each symbol. */
  async function watchedRig({ oneByOne = false } = {}) {
    const changes: SubscriptionChange[] = []
    const { subscriptions } = adapter
    const requests = (change: SubscriptionChange) => {
      changes.push(change)
      if (!oneByOne) return subscriptions.requests(change)
      return change.added.flatMap(native => subscriptions.requests({ ...change, added: [native] }))
    }
    return { rig: await rigOf({ subscriptions: { ...subscriptions, requests } }), changes }
  }

  /** Time passes on a socket that says nothing and is there. */
  function passAlive(rig: ExchangeRig, seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      rig.socket().readMicros = rig.clock.nowMicros()
      rig.pass(1)
    }
  }

  function say(socket: FakeSocket, ...texts: readonly string[]): void {
    for (const text of texts) {
      if (isGzip) socket.receiveBytes(gzipSync(text))
      else socket.receive(text)
    }
  }

  /** Opens the latest socket, lets every frame out that is paced, and confirms everything. */
  function subscribe(rig: ExchangeRig): void {
    rig.socket().open()
    letOut(rig)
    say(rig.socket(), ...conversation.acks)
    if (adapter.subscriptions.confirmedBy === 'first-data') say(rig.socket(), ...conversation.data)
    assert.equal(rig.state(), 'live')
  }

  /** Nothing is waiting for its turn any more, and no ping was due yet. */
  function letOut(rig: ExchangeRig): void {
    rig.clock.advance(4_000)
  }

  function confirmedOf(rig: ExchangeRig): number[] {
    return rig.producer
      .taken()
      .flatMap(item =>
        item.type === 'notice' && item.notice.type === 'confirmed' ? [...item.notice.subscriptions] : []
      )
  }

  function messageOf(rig: ExchangeRig, code: string): string {
    const found = rig.reports.find(report => report.type === 'fault' && report.error.code === code)
    return found?.type === 'fault' ? found.error.message : ''
  }

  test(`${name}: a connection is live when the venue has confirmed every symbol, each once`, async () => {
    const rig = await rigOf()
    subscribe(rig)
    say(rig.socket(), ...conversation.acks, ...conversation.data)
    assert.deepEqual(
      confirmedOf(rig).toSorted((a, b) => a - b),
      instruments.map((_, index) => index)
    )
    rig.close()
  })

  test(`${name}: an acknowledgement that never comes is reported, and the connection goes on`, async () => {
    const rig = await rigOf()
    rig.socket().open()
    rig.clock.advance(10_000)
    assert.equal(rig.state(), 'live')
    const message = messageOf(rig, 'SYMBOL_UNCONFIRMED')
    for (const symbol of symbols) assert.ok(message.includes(symbol), message)
    rig.close()
  })

  test(`${name}: data that come before their acknowledgement confirm their symbol`, async () => {
    // Where frames name numbers only the acknowledgement says whose they are.
    if (fixtures[name].channelIds !== undefined) return
    const rig = await rigOf()
    rig.socket().open()
    letOut(rig)
    say(rig.socket(), conversation.data[0]!)
    say(rig.socket(), ...conversation.acks)
    assert.equal(confirmedOf(rig)[0], 0)
    rig.close()
  })

  test(`${name}: an acknowledgement of what was never asked changes nothing`, async () => {
    if (conversation.strayAck === null) return
    const rig = await rigOf()
    rig.socket().open()
    letOut(rig)
    say(rig.socket(), conversation.strayAck)
    assert.deepEqual(confirmedOf(rig), [])
    assert.equal(rig.state(), 'subscribing')
    rig.close()
  })

  test(`${name}: a refused symbol is named, with the venue's reason`, async () => {
    const { refusal } = conversation
    if (refusal === null) return
    const rig = await rigOf({}, symbols.slice(0, 1))
    rig.socket().open()
    letOut(rig)
    say(rig.socket(), refusal)
    // Some venues confirm everything first and think better of it afterwards.
    if (messageOf(rig, 'SYMBOL_REJECTED') === '') say(rig.socket(), ...conversation.acks, refusal)
    assert.ok(messageOf(rig, 'SYMBOL_REJECTED').includes(symbols[0]!))
    rig.close()
  })

  test(`${name}: a symbol that is refused for good goes alone, and is not asked for again`, async () => {
    const { refusal } = conversation
    if (refusal === null) return
    const { rig, changes } = await watchedRig({ oneByOne: true })
    rig.socket().open()
    letOut(rig)
    say(rig.socket(), refusal)
    if (messageOf(rig, 'SYMBOL_REJECTED') === '') say(rig.socket(), ...conversation.acks, refusal)
    const message = messageOf(rig, 'SYMBOL_REJECTED')
    assert.deepEqual([message.includes(symbols[0]!), message.includes(symbols[1]!)], [true, false])
    changes.length = 0
    passAlive(rig, 60)
    const again = changes.flatMap(({ added }) => added)
    assert.equal(again.includes(instruments[0]!.native), false)
    assert.deepEqual([rig.state(), rig.sockets.length], ['live', 1])
    rig.close()
  })

  for (const [what, answer] of [
    ['a request that is never answered', ''],
    ['a refusal that passes', conversation.passingRefusal]
  ] as const) {
    if (answer === null) continue
    test(`${name}: ${what} ends nothing: its symbols are asked for again, and live`, async () => {
      const { rig, changes } = await watchedRig()
      rig.socket().open()
      letOut(rig)
      for (let times = 0; times < 3; times++) {
        changes.length = 0
        if (answer !== '') say(rig.socket(), answer)
        passAlive(rig, 50)
        const again = new Set(changes.flatMap(({ added }) => added))
        assert.deepEqual(again, new Set(instruments.map(({ native }) => native)))
        assert.ok(changes.every(({ removed }) => removed.length === 0))
        assert.equal(rig.faults().includes('SYMBOL_REJECTED'), false)
      }
      say(rig.socket(), ...conversation.acks, ...conversation.data)
      const confirmed = confirmedOf(rig).toSorted((a, b) => a - b)
      assert.deepEqual(
        confirmed,
        instruments.map((_, index) => index)
      )
      changes.length = 0
      passAlive(rig, 400)
      assert.deepEqual([changes, rig.sockets.length], [[], 1])
      rig.close()
    })
  }

  test(`${name}: a new connection asks for all symbols again, with the same frames`, async () => {
    const rig = await rigOf()
    subscribe(rig)
    const sent = [...rig.socket().sent]
    assert.ok(sent.length > 0)
    rig.socket().end()
    for (let second = 0; second < 120 && rig.sockets.length === 1; second++) rig.pass(1)
    assert.equal(rig.sockets.length, 2)
    rig.socket().open()
    letOut(rig)
    assert.deepEqual(rig.socket().sent, sent)
    rig.close()
  })

  test(`${name}: one symbol is subscribed anew with frames that name no other, where the venue can`, async () => {
    const rig = await rigOf()
    subscribe(rig)
    const socket = rig.socket()
    socket.sent.length = 0
    rig.link().subscriptions.resubscribe([0])
    letOut(rig)
    assert.ok(socket.sent.length > 0)
    const { subscriptions } = adapter
    const expected = subscriptions.requests({
      requestType: 'trade',
      desired: instruments.map(({ native }) => native),
      added: [instruments[0]!.native],
      removed: [instruments[0]!.native],
      channelIdOf: native => fixtures[name].channelIds?.[native] ?? null,
      nextId: () => 0
    })
    assert.equal(socket.sent.length, expected.length)
    rig.close()
  })

  test(`${name}: a socket that falls silent is probed, then given up`, async () => {
    const rig = await rigOf()
    subscribe(rig)
    rig.pass(Math.ceil(adapter.heartbeat.watchdogMs / 1000) + 7)
    assert.equal(rig.sockets[0]!.isEnded, true)
    assert.ok(rig.faults().includes('SOCKET_STALE'))
    rig.close()
  })

  test(`${name}: heartbeats go out as often as the venue wants, and no heartbeat confirms a symbol`, async () => {
    const rig = await rigOf()
    rig.socket().open()
    letOut(rig)
    const { ping } = adapter.heartbeat
    const before = rig.socket().sent.length
    const alive = frames.filter(frame => frame.peek.frameClass === 'alive')
    for (let second = 0; second < 60; second++) {
      say(rig.socket(), ...alive.map(({ frame }) => frame))
      rig.socket().readMicros = rig.clock.nowMicros()
      rig.pass(1)
    }
    // What nobody confirms is asked for again in between.
    const text = ping === null || ping.frame === 'websocket' ? null : ping.frame.text
    const texts = rig.socket().sent.slice(before)
    if (ping === null) assert.equal(rig.socket().pings, 0)
    else {
      const wanted = Math.floor(60_000 / ping.everyMs)
      const count = text === null ? rig.socket().pings : texts.filter(sent => sent === text).length
      assert.ok(Math.abs(count - wanted) <= 1, `${count} pings in a minute, not ${wanted}`)
    }
    assert.deepEqual(confirmedOf(rig), [])
    rig.close()
  })

  test(`${name}: a connection is replaced before it is too old, the new one first`, async () => {
    const rig = await rigOf({ limits: { ...adapter.limits, connectionAgeMaxMs: 100_000 } })
    subscribe(rig)
    for (let second = 0; second < 100 && rig.sockets.length === 1; second++) {
      say(rig.socket(), conversation.data[0]!)
      rig.pass(1)
    }
    assert.equal(rig.sockets.length, 2)
    const [older, newer] = rig.sockets as [FakeSocket, FakeSocket]
    assert.equal(older.isClosing, false)
    newer.open()
    letOut(rig)
    say(newer, ...conversation.acks, ...conversation.data)
    assert.equal(older.isClosing, true)
    rig.close()
  })

  for (const frame of frames.filter(({ control }) => control?.some(({ type }) => type === 'reconnect'))) {
    test(`${name}: ${frame.name}: a new connection is opened before the old one goes`, async () => {
      const rig = await rigOf()
      subscribe(rig)
      say(rig.socket(), frame.frame)
      assert.equal(rig.sockets.length, 2)
      assert.equal(rig.sockets[0]!.isClosing, false)
      rig.close()
    })
  }

  test(`${name}: frames in the wrong compression, and stray bytes, are handed on to be judged`, async () => {
    const rig = await rigOf()
    subscribe(rig)
    rig.clock.advance(1_000)
    rig.producer.taken()
    const plain = Buffer.from(conversation.data[0]!)
    rig.socket().receiveBytes(isGzip ? plain : gzipSync(plain))
    rig.socket().receiveBytes(Buffer.from([0, 1, 2, 0xff, 0x7b]))
    rig.clock.advance(1_000)
    assert.equal(rig.producer.taken().filter(({ type }) => type === 'frame').length, 2)
    assert.equal(rig.socket().isEnded, false)
    rig.close()
  })

  test(`${name}: a full connection stays within every limit on messages`, async () => {
    const many = Array.from(
      { length: adapter.limits.symbolsPerConnection },
      (_, n) => `${String.fromCharCode(65 + (n % 26))}${n}-${symbols[0]!.split('-')[1]!}`
    )
    const rig = await rigOf({}, many)
    rig.socket().open()
    const stepMs = 10
    const sentAt: number[] = []
    for (let ms = 0; ms < 5_000; ms += stepMs) {
      while (sentAt.length < rig.socket().sent.length) sentAt.push(ms)
      rig.clock.advance(stepMs)
    }
    for (const { count, windowMs } of adapter.limits.messages) {
      const most = Math.max(
        ...sentAt.map(from => sentAt.filter(at => at >= from && at < from + windowMs).length)
      )
      assert.ok(most <= count, `${most} messages within ${windowMs} ms, ${count} are allowed`)
    }
    rig.close()
  })

  test(`${name}: pings and replies leave in time, however many requests wait`, () => {
    const { ping } = adapter.heartbeat
    const replies = frames.some(({ control }) => control?.some(({ type }) => type === 'reply'))
    // The pings of the protocol itself do not go this way.
    if (!replies && (ping === null || ping.frame === 'websocket')) return
    const clock = new ManualClock()
    const sentAt: number[] = []
    const { limits, heartbeat } = adapter
    const account = new SharedLedger(1, 1).frames(0)
    const pacer = new MessagePacer(clock, limits.messages, account, frame => {
      if (frame !== 'request') sentAt.push(clock.nowMicros() / 1000)
    })
    for (let n = 0; n < requestsWaitingMax; n++) pacer.send('request')
    for (let minute = 0; minute < 10; minute++) {
      clock.advance(60_000)
      const askedAt = clock.nowMicros() / 1000
      pacer.ping('ping')
      pacer.reply('pong')
      clock.advance(heartbeat.limitMs / 4)
      const delays = sentAt.splice(0).map(at => at - askedAt)
      assert.equal(delays.length, 2, `sent after ${delays.join(', ')} ms`)
    }
  })

  test(`${name}: symbols beyond a connection's limit get a further connection`, () => {
    const { config } = loadConfig({ file: null, env: {}, flags: [] })
    const { symbolsPerConnection, connections } = adapter.limits
    if (connections !== null && connections < 2) return
    const target = { exchange: name, region: adapter.region, request_type: 'trade' } as const
    const many = Array.from({ length: symbolsPerConnection + 1 }, (_, n) => `A${n}-USDT`)
    assert.equal(layOut([{ target, symbols: many, projection: [] }], config).shards, 2)
    assert.equal(layOut([{ target, symbols: many.slice(1), projection: [] }], config).shards, 1)
  })
}
