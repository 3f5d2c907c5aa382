import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { CompressionTypes, Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { apiKeys } from '../support/broker-double/api-versions.ts'
import { type DoubleOptions } from '../support/broker-double/cluster-state.ts'
import { batchOf, codesOf, RawClient } from '../support/broker-double/raw-client.ts'
import { garbleKinds } from '../support/broker-double/script.ts'
import { BrokerDouble } from '../support/broker-double/server.ts'
import { WireWriter } from '../support/broker-double/wire-writer.ts'

const topic = 'double'

function start(options: Partial<DoubleOptions> = {}): Promise<BrokerDouble> {
  return BrokerDouble.start({ topics: { [topic]: 6 }, ...options })
}

function kafkaOf(double: BrokerDouble, sasl?: SASLOptions): Kafka {
  return new Kafka({
    brokers: double.brokers.split(','),
    ...(sasl === undefined ? {} : { sasl }),
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries: 10 },
    logLevel: logLevel.NOTHING
  })
}

/** A raw client at the node that leads the partition, or at another one. */
function clientAt(double: BrokerDouble, node: number): Promise<RawClient> {
  return RawClient.connect(double.brokers.split(',')[node - 1]!)
}

function valuesOf(double: BrokerDouble, partition: number): (string | undefined)[] {
  return double.records(topic, partition).map(({ value }) => value?.toString())
}

suite('the broker double for kafkajs', () => {
  for (const [name, compression] of [
    ['none', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP]
  ] as const) {
    test(`takes what its producer sends with compression ${name}, and keeps it as it was`, async () => {
      await using double = await start()
      const producer = kafkaOf(double).producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const timestamp = Date.now()
      for (let round = 0; round < 3; round++) {
        const messages = Array.from({ length: 60 }, (_, i) => ({
          key: `k${i % 6}`,
          value: `${round * 60 + i} ${'x'.repeat(100)}`,
          partition: i % 6,
          timestamp: String(timestamp + i),
          headers: { of: `round ${round}` }
        }))
        const answers = await producer.send({ topic, messages, acks: -1, compression })
        assert.deepEqual(new Set(answers.map(answer => answer.errorCode)), new Set([0]))
      }
      await producer.disconnect()
      for (let partition = 0; partition < 6; partition++) {
        const records = double.records(topic, partition)
        assert.equal(records.length, 30)
        for (const [place, record] of records.entries()) {
          const n = Math.floor(place / 10) * 60 + (place % 10) * 6 + partition
          assert.equal(record.offset, place)
          assert.equal(record.key?.toString(), `k${partition}`)
          assert.equal(record.value?.toString(), `${n} ${'x'.repeat(100)}`)
          assert.equal(record.timestamp, timestamp + (n % 60))
          const headers = record.headers.map(([name, value]) => [name, value?.toString()])
          assert.deepEqual(headers, [['of', `round ${Math.floor(place / 10)}`]])
        }
      }
      assert.deepEqual(double.violations, [])
    })
  }

  test('tells its admin client the nodes, the topics and their leaders', async () => {
    await using double = await start({ topics: { a: 3, b: 1 }, nodes: 2 })
    const admin = kafkaOf(double).admin()
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    assert.deepEqual(
      brokers.map(({ host, port }) => `${host}:${port}`),
      double.brokers.split(',')
    )
    const { topics } = await admin.fetchTopicMetadata()
    const leaders = topics.map(({ name, partitions }) => [name, partitions.map(({ leader }) => leader)])
    assert.deepEqual(leaders, [
      ['a', [1, 2, 1]],
      ['b', [1]]
    ])
    await admin.disconnect()
  })

  test('lets it find a leader that has moved', async () => {
    await using double = await start()
    const producer = kafkaOf(double).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await producer.send({ topic, messages: [{ value: '1', partition: 0 }] })
    double.happen({ kind: 'move', topic, partition: 0 })
    await producer.send({ topic, messages: [{ value: '2', partition: 0 }] })
    await producer.disconnect()
    assert.deepEqual(valuesOf(double, 0), ['1', '2'])
    assert.equal(double.log(topic, 0).leader, 2)
  })

  test('lets it in with the right password, and no other', async () => {
    const sasl = { username: 'sam', password: 'right' }
    await using double = await start({ sasl })
    const producer = kafkaOf(double, { mechanism: 'plain', ...sasl }).producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ value: '1', partition: 0 }] })
    await producer.disconnect()
    assert.deepEqual(valuesOf(double, 0), ['1'])
    const wrong = kafkaOf(double, { mechanism: 'plain', ...sasl, password: 'wrong' }).producer()
    await assert.rejects(wrong.connect(), /Authentication failed/)
    await wrong.disconnect()
  })
})

suite('the broker double is strict', () => {
  /** What the leader of partition 0 answers to one batch after the other. */
  async function codesFor(double: BrokerDouble, ...batches: readonly Buffer[]): Promise<unknown[]> {
    await using client = await clientAt(double, 1)
    const codes: unknown[] = []
    for (const batch of batches) codes.push((await client.produce(topic, { 0: batch }))?.get(0))
    return codes
  }
  const ten = Array.from({ length: 10 }, (_, i) => `v${i}`)
  const producerId = 7n

  test('a batch that is there already is not written again, a gap is refused', async () => {
    await using double = await start()
    const first = batchOf({ values: ten, producerId })
    const second = batchOf({ values: ten, producerId, baseSequence: 10 })
    const afterGap = batchOf({ values: ten, producerId, baseSequence: 21 })
    assert.deepEqual(await codesFor(double, first, second, first, second, afterGap), [0, 0, 46, 46, 45])
    assert.equal(double.records(topic, 0).length, 20)
    assert.equal(double.log(topic, 0).repeats, 2)
  })

  test('it remembers five batches of a producer', async () => {
    await using double = await start({ duplicateCode: 0 })
    const batches = [0, 1, 2, 3, 4, 5].map(n => batchOf({ values: ['x'], producerId, baseSequence: n }))
    assert.deepEqual(await codesFor(double, ...batches, batches[1]!, batches[0]!), [0, 0, 0, 0, 0, 0, 0, 45])
    assert.equal(double.records(topic, 0).length, 6)
  })

  test('a new epoch begins at 0, an old one is refused', async () => {
    await using double = await start()
    const codes = await codesFor(
      double,
      batchOf({ values: ten, producerId, epoch: 3 }),
      batchOf({ values: ten, producerId, epoch: 4, baseSequence: 10 }),
      batchOf({ values: ten, producerId, epoch: 4 }),
      batchOf({ values: ten, producerId, epoch: 3, baseSequence: 10 })
    )
    assert.deepEqual(codes, [0, 45, 0, 47])
  })

  test('sequences begin again at 0 behind 2^31 - 1', async () => {
    await using double = await start()
    const codes = await codesFor(
      double,
      batchOf({ values: ten, producerId, baseSequence: 2 ** 31 - 5 }),
      batchOf({ values: ten, producerId, baseSequence: 5 })
    )
    assert.deepEqual(codes, [0, 0])
  })

  test('a producer that was forgotten must begin anew, or not, as the broker is', async () => {
    for (const [isStrict, code] of [
      [true, 59],
      [false, 0]
    ] as const) {
      await using double = await start()
      const known = batchOf({ values: ten, producerId, baseSequence: 10 })
      await codesFor(double, batchOf({ values: ten, producerId }), known)
      double.happen({ kind: 'forget', topic, partition: 0, isStrict })
      const next = batchOf({ values: ten, producerId, baseSequence: 20 })
      const anew = batchOf({ values: ten, producerId: 8n })
      assert.deepEqual(await codesFor(double, next, anew), [code, 0])
    }
  })

  test('wrong node, unknown topic, too large, and too far ahead have their codes', async () => {
    await using double = await start({ maxBatchBytes: 500 })
    await using client = await clientAt(double, 2)
    assert.equal((await client.produce(topic, { 0: batchOf({ values: ten }) }))?.get(0), 6)
    assert.equal((await client.produce('unknown', { 0: batchOf({ values: ten }) }))?.get(0), 3)
    const large = batchOf({ values: ['x'.repeat(500)] })
    const ahead = batchOf({ values: ten, timestamp: Date.now() + 4_000_000 })
    assert.deepEqual(await codesFor(double, large, ahead), [10, 32])
    assert.equal(double.records(topic, 0).length, 0)
    assert.deepEqual(double.violations, [])
  })

  test('any byte that is changed behind the leader epoch is noticed', async () => {
    await using double = await start()
    const batch = batchOf({ values: ten })
    for (let at = 16; at < batch.length; at++) {
      const spoiled = Buffer.from(batch)
      spoiled.writeUInt8(spoiled.readUInt8(at) ^ 0x10, at)
      const [code] = await codesFor(double, spoiled)
      assert.ok(code === 2 || code === 87, `byte ${at}: ${String(code)}`)
    }
    assert.equal(double.records(topic, 0).length, 0)
    assert.equal(double.violations.length, batch.length - 16)
  })

  test('a request that breaks off, or has bytes too many, is a violation and ends the connection', async () => {
    await using double = await start()
    for (const body of [Buffer.from([0, 1]), Buffer.from([0, 0, 0, 0, 0, 9, 9])]) {
      await using client = await clientAt(double, 1)
      client.send(apiKeys.metadata, 5, body)
      assert.equal(await client.answer(), null)
    }
    assert.equal(double.violations.length, 2)
  })

  test('a session can be renewed on its connection, and is closed when it has run out', async () => {
    for (const [sessionMs, answers] of [
      [60_000, 6],
      [0, 2]
    ] as const) {
      await using double = await start({ sasl: { username: 'sam', password: 'right', sessionMs } })
      await using client = await clientAt(double, 1)
      const handshake = new WireWriter().string('PLAIN').toBuffer()
      const proof = new WireWriter().bytes(Buffer.from('\0sam\0right')).toBuffer()
      const metadata = new WireWriter().int32(0).int8(0).toBuffer()
      for (let round = 0; round < 2; round++) {
        client.send(apiKeys.saslHandshake, 1, handshake)
        client.send(apiKeys.saslAuthenticate, 1, proof)
        client.send(apiKeys.metadata, 5, metadata)
      }
      let answered = 0
      while (answered < 6 && (await client.answer()) !== null) answered++
      assert.equal(answered, answers)
    }
  })
})

suite('the broker double goes wrong as its script says', () => {
  const batch = batchOf({ values: ['a'] })

  test('any code for one partition, and the others are written', async () => {
    const step = {
      from: 2,
      on: { topic, partition: 0 },
      times: 2,
      action: { kind: 'answer', code: 12345 }
    } as const
    await using double = await start({ nodes: 1, steps: [step] })
    await using client = await clientAt(double, 1)
    const codes: unknown[] = []
    for (let i = 0; i < 4; i++) codes.push((await client.produce(topic, { 0: batch, 1: batch }))?.get(0))
    assert.deepEqual(codes, [0, 12345, 12345, 0])
    assert.equal(double.records(topic, 0).length, 2)
    assert.equal(double.records(topic, 1).length, 4)
    assert.ok(double.script.isOver)
  })

  test('written and answered with a code', async () => {
    const steps = [{ from: 1, action: { kind: 'answer', code: 7, isWritten: true } }] as const
    await using double = await start({ steps })
    await using client = await clientAt(double, 1)
    assert.equal((await client.produce(topic, { 0: batch }))?.get(0), 7)
    assert.equal(double.records(topic, 0).length, 1)
  })

  test('a partition that the answer leaves out, written or not', async () => {
    const steps = [true, false].map(isWritten => ({
      from: 1,
      on: { topic, partition: isWritten ? 0 : 1 },
      action: { kind: 'omit', isWritten } as const
    }))
    await using double = await start({ nodes: 1, steps })
    await using client = await clientAt(double, 1)
    assert.deepEqual(await client.produce(topic, { 0: batch, 1: batch, 2: batch }), new Map([[2, 0]]))
    assert.deepEqual(
      [0, 1, 2].map(partition => double.records(topic, partition).length),
      [1, 0, 1]
    )
  })

  test('a connection that is reset before or after the batch is written', async () => {
    for (const isWritten of [true, false]) {
      await using double = await start({ steps: [{ from: 1, action: { kind: 'drop', isWritten } }] })
      await using client = await clientAt(double, 1)
      assert.equal(await client.produce(topic, { 0: batch }), null)
      assert.equal(client.end, 'reset')
      assert.equal(double.records(topic, 0).length, isWritten ? 1 : 0)
    }
  })

  test('half an answer', async () => {
    await using double = await start({ steps: [{ from: 1, action: { kind: 'tear' } }] })
    await using client = await clientAt(double, 1)
    assert.equal(await client.produce(topic, { 0: batch }), null)
    assert.equal(client.end, 'closed')
    assert.ok(client.leftover.length > 8)
    assert.equal(double.records(topic, 0).length, 1)
  })

  test('every kind of spoiled answer can be told from a good one', async () => {
    for (const how of garbleKinds.filter(kind => kind !== 'length')) {
      await using double = await start({ steps: [{ from: 1, action: { kind: 'garble', how } }] })
      await using client = await clientAt(double, 1)
      const correlationId = client.sendProduce(topic, { 0: batch })
      const answer = (await client.answer())!
      const isForeign = answer.correlationId !== correlationId
      let isRead = true
      try {
        const name = answer.body
        if (!isForeign && how === 'topic') {
          name.int32()
          assert.notEqual(name.string(), topic)
          isRead = false
        } else codesOf(name)
      } catch {
        isRead = false
      }
      assert.equal(isRead, isForeign, how)
      assert.equal(double.records(topic, 0).length, 1)
    }
  })

  test('a spoiled length swallows the answers that follow', async () => {
    await using double = await start({ steps: [{ from: 1, action: { kind: 'garble', how: 'length' } }] })
    await using client = await clientAt(double, 1)
    client.sendProduce(topic, { 0: batch })
    const requests = 30
    for (let i = 0; i < requests; i++) client.sendProduce(topic, { 0: batch })
    assert.equal((await client.answer())?.correlationId, 1)
    assert.ok(client.leftover.length < requests * 40)
  })

  test('a throttle time, and a delay that holds what follows', async () => {
    const steps = [{ from: 1, action: { kind: 'throttle', ms: 77 } } as const]
    await using double = await start({ steps })
    await using client = await clientAt(double, 1)
    client.sendProduce(topic, { 0: batch })
    const { body } = (await client.answer())!
    body.take(body.left - 4)
    assert.equal(body.int32(), 77)
    double.script.add([{ from: 1, action: { kind: 'delay', ms: 50 } }])
    const before = performance.now()
    client.sendProduce(topic, { 0: batch })
    client.sendProduce(topic, { 0: batch })
    assert.equal((await client.answer())?.correlationId, 2)
    assert.ok(performance.now() - before >= 45)
    assert.equal((await client.answer())?.correlationId, 3)
  })

  test('a frozen node takes requests in and works them off when it thaws, even of those who left', async () => {
    await using double = await start()
    await using client = await clientAt(double, 1)
    double.happen({ kind: 'freeze', node: 1, ms: 60_000 })
    client.sendProduce(topic, { 0: batch })
    await using other = await clientAt(double, 2)
    assert.equal((await other.produce(topic, { 1: batch }))?.get(1), 0)
    assert.equal(double.records(topic, 0).length, 0)
    {
      await using hasty = await clientAt(double, 1)
      hasty.sendProduce(topic, { 0: batch })
    }
    await double.heal()
    assert.equal((await client.answer())?.correlationId, 1)
    // Nobody is told when the other one is worked off.
    while (double.records(topic, 0).length < 2) await setImmediate()
  })

  test('a node that is down refuses connections until it is up, on the same port', async () => {
    await using double = await start()
    await using client = await clientAt(double, 1)
    double.happen({ kind: 'down', node: 1, ms: 60_000, movesLeaders: true })
    assert.equal(await client.answer(), null)
    await assert.rejects(clientAt(double, 1), /ECONNREFUSED/)
    assert.equal(double.log(topic, 0).leader, 2)
    await double.heal()
    await using again = await clientAt(double, 1)
    assert.equal((await again.produce(topic, { 0: batch }))?.get(0), 6)
  })

  test('a topic that is away, a smaller limit, metadata and producer ids that are refused', async () => {
    await using double = await start()
    await using client = await clientAt(double, 1)
    double.happen({ kind: 'vanish', topic, ms: 60_000 })
    assert.equal((await client.produce(topic, { 0: batch }))?.get(0), 3)
    await double.heal()
    double.happen({ kind: 'shrink', bytes: 60, ms: 60_000 })
    assert.equal((await client.produce(topic, { 0: batch }))?.get(0), 10)
    await double.heal()
    assert.equal((await client.produce(topic, { 0: batch }))?.get(0), 0)
    double.happen({ kind: 'init', code: 14, times: 2 })
    double.happen({ kind: 'metadata', topic, code: 5, times: 3 })
    const producer = kafkaOf(double).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await producer.send({ topic, messages: [{ value: 'b', partition: 0 }] })
    await producer.disconnect()
    assert.deepEqual(valuesOf(double, 0), ['a', 'b'])
  })
})
