import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Gap } from '../../../../src/domain/gap.ts'
import { framesBalance, recordsBalance } from '../../../../src/domain/ledger.ts'
import { dataTopic, SessionRig } from '../../../support/session-rig.ts'

const ordered = (ids: readonly number[]): boolean => ids.every((id, at) => id === at + 1)

function assertBalanced({ ledger }: SessionRig): void {
  const [frames, records] = [ledger.frames(0).ledger(), ledger.records(0).ledger()]
  assert.ok(framesBalance(frames), JSON.stringify(frames))
  assert.ok(recordsBalance(records), JSON.stringify(records))
  assert.deepEqual([frames.in_flight, records.in_flight], [0, 0])
}

/** Lets the port's messages and what they set off arrive, until the condition holds. */
async function until(isDone: () => boolean): Promise<void> {
  for (let turns = 0; !isDone(); turns++) {
    assert.ok(turns < 10_000, 'it never comes')
    await turn()
  }
}

test('a full sink leaves frames undecoded, and takes them up in order as it settles', async t => {
  const rig = new SessionRig(t, { sinkBytes: 4000 })
  let sent = 0
  for (let i = 0; i < 50; i++) sent += rig.send(5)
  await until(() => rig.session.stats().undecodedBytes > 0 && rig.sink.isFull)
  const held = rig.sink.pendingRecords
  await turn()
  assert.equal(rig.sink.pendingRecords, held, 'nothing more is decoded')
  while (rig.ids.length < 500) {
    rig.sink.settle('published', 3)
    rig.session.tick()
    await turn()
  }
  assert.ok(ordered(rig.ids))
  // One batch may go beyond the cap: ten records of about 120 bytes, and the two announcements before the first.
  assert.ok(rig.sink.bytesMost < 4000 + 2500, `${rig.sink.bytesMost} bytes were held`)
  rig.close()
  await rig.drain(1000)
  assert.equal(rig.ids.length, 500)
  rig.session.tick()
  await until(() => rig.refundedBytes === sent)
  assertBalanced(rig)
  assert.equal(rig.session.stats().limitHits['bufferBytes']! > 0, true)
})

test('a drain while the sink is full sends everything that was accepted', async t => {
  const rig = new SessionRig(t, { sinkBytes: 3000, inlineBytesMax: 1000, pool: true })
  for (let i = 0; i < 30; i++) rig.send(i % 3 === 0 ? 1 : 5)
  await until(() => {
    rig.codec.pool.shift()?.()
    return rig.sink.isFull
  })
  rig.close()
  const drained = rig.drain(10_000)
  let isDrained = false
  void drained.then(() => {
    isDrained = true
  })
  await until(() => {
    rig.sink.settle('published')
    rig.codec.pool.shift()?.()
    return isDrained
  })
  assert.equal(rig.ids.length, 10 * 2 + 20 * 10)
  assert.ok(ordered(rig.ids))
  assertBalanced(rig)
  assert.deepEqual(rig.gaps, [])
})

test('a stop while the sink is full and frozen declares every record and every frame, and keeps the gaps', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'session-'))
  const gapFile = join(directory, 'gaps.ndjson')
  const rig = new SessionRig(t, { sinkBytes: 3000, inlineBytesMax: 1000, pool: true, gapFile })
  rig.sink.acknowledges = false
  for (let i = 0; i < 20; i++) rig.send(1)
  rig.send(5)
  for (let i = 0; i < 20; i++) rig.send(1, ['BTC'])
  await until(() => rig.sink.isFull && rig.session.stats().undecodedBytes > 0)
  const encoded = rig.ids.length
  rig.close()
  await rig.drain(1)
  const frames = rig.ledger.frames(0).ledger()
  assert.equal(frames.shed, 20 * 2 + 10 + 20 - encoded)
  assert.equal(rig.ledger.records(0).ledger().failed, encoded)
  assertBalanced(rig)
  const kept = (await readFile(gapFile, 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Gap)
  const declared = new Map<string, { shed: number; missed: number }>()
  for (const { symbol, reason, status, missed } of kept) {
    const known = declared.get(symbol!) ?? { shed: 0, missed: 0 }
    declared.set(symbol!, known)
    if (reason === 'shed') known.shed++
    else if (reason === 'undelivered' && status === 'closed') known.missed += missed!
    else assert.equal(status, 'open')
  }
  const sum = [...declared.values()].reduce((total, { missed }) => total + missed, 0)
  assert.equal(sum, encoded)
  for (const symbol of ['BTC-KRW', 'ETH-KRW']) assert.equal(declared.get(symbol)?.shed, 1, symbol)
  await rm(directory, { recursive: true })
})

test('gaps and dead letters go out while the sink is full, letters within their reserve', async t => {
  const rig = new SessionRig(t, { sinkBytes: 4000 })
  rig.sendBroken()
  for (let i = 0; i < 10; i++) rig.send(5)
  await until(() => rig.sink.isFull)
  const [letter] = rig.sink.all.filter(({ route }) => route.topic === 'ws.dlq')
  assert.match(Buffer.from(letter!.headers!).toString(), /kafka_dlt-exception-fqcn.*FRAME_MALFORMED/s)
  assert.equal(rig.gaps.filter(({ reason }) => reason === 'decode').length, 2)
  rig.session.undelivered(rig.sink.all.at(-1)!.route, 1_000_000, 2_000_000, 3, 'It was refused.')
  assert.deepEqual(
    rig.gaps.slice(2).map(({ reason, status, missed }) => [reason, status, missed]),
    [
      ['undelivered', 'open', 3],
      ['undelivered', 'closed', 3]
    ]
  )
})

test('a refused record becomes a dead letter, and a loss is told once a topic with its reason', async t => {
  const rig = new SessionRig(t)
  rig.send(1)
  await until(() => rig.ids.length === 2)
  const [first, second] = rig.sink.all.filter(({ route }) => route.topic === dataTopic)
  const reason = 'Kafka refused the record for good: MESSAGE_TOO_LARGE.'
  for (const { route, value, receivedMicros } of [first!, second!]) {
    rig.session.refused(route, value, receivedMicros, reason)
    rig.session.undelivered(route, receivedMicros, receivedMicros, 1, reason)
  }
  await turn()
  const letters = rig.sink.textsOf('ws.dlq').map(text => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(
    letters.map(({ kind, value_base64: value }) => [kind, value]),
    [first!, second!].map(({ value }) => ['record', Buffer.from(value).toString('base64')])
  )
  const errors = rig.sink.textsOf('ws.error').map(text => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(errors, [
    {
      code: 'RECORD_UNDELIVERED',
      disposition: 'drop',
      message: `2 records of 2 symbols were not delivered to trade-data.korea: ${reason}`,
      actor: 'producer',
      target: rig.context.target,
      connection_id: null,
      suppressed: 1,
      ts: Math.floor(rig.clock.nowMicros() / 1000)
    }
  ])
  assert.equal(rig.session.stats().undelivered, 2)
  // The letter itself may be refused: that is only counted.
  const letter = rig.sink.all.find(({ route }) => route.topic === 'ws.dlq')!
  rig.session.refused(letter.route, letter.value, 1, reason)
  rig.session.undelivered(letter.route, 1, 1, 1, reason)
  rig.clock.advance(1000)
  rig.session.checkPressure()
  assert.deepEqual([rig.sink.textsOf('ws.dlq').length, rig.sink.textsOf('ws.error').length], [2, 1])
})

test('batch statistics have the target for a key where one target writes the partition, and are sent at the end', async t => {
  const rig = new SessionRig(t)
  rig.send(3)
  await until(() => rig.ids.length === 6)
  const partition = { partition: 0, batches: 2, records: 6, bytes: 700, wire_bytes: 300, retries: 0 } as const
  const now = { linger_ms: 50, fill: 0.1, records_per_s: 3, last_flush: 'linger', buffered_bytes: 0 } as const
  const activity = { ...partition, ...now, ack_ms_p50: 1, ack_ms_p99: 2 }
  rig.sink.activities = [
    { topic: dataTopic, ...activity },
    { topic: 'ws.connect_success.korea', ...activity, batches: 1 }
  ]
  rig.close()
  await rig.drain(1000)
  const events = rig.sink.all.filter(({ route }) => route.topic === 'monitoring.batch.performance')
  assert.deepEqual(
    events.map(({ route }) => route.key),
    ['korea|upbit|trade', 'ws.connect_success.korea/0', 'pod']
  )
  assert.deepEqual([rig.sink.drains, rig.sink.pendingRecords], [2, 0])
  assertBalanced(rig)
})
