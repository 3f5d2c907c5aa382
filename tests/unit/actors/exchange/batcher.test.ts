import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batcher } from '../../../../actors/exchange/batcher.ts'
import { type Lane, type LaneOwner } from '../../../../actors/exchange/lane.ts'
import { FrameKind } from '../../../../src/wire/frame-batch.ts'
import { type ConnectionContext, type ToProducer } from '../../../../src/wire/session-messages.ts'
import { SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { FakeProducer, gist } from './rig.ts'

const target = { region: 'korea', exchange: 'upbit', request_type: 'trade' } as const

function rig(creditBytes = 1_000) {
  const clock = new ManualClock()
  const ledger = new SharedLedger(2, 1)
  const batcher = new Batcher({ clock, batchBytes: 100, lingerMs: 5, creditBytes, poolBytes: 0 })
  const producer = new FakeProducer()
  const events: string[] = []
  const accounts = [ledger.frames(0), ledger.frames(1)]
  const open = (connection: number, shard = connection): Lane => {
    const context: ConnectionContext = {
      connection,
      version: 1,
      connectionId: `pod/upbit/trade/${connection}/1`,
      target,
      shard,
      targetIndex: 0,
      instruments: [],
      projection: [],
      channelIds: {}
    }
    const owner: LaneOwner = {
      introduce: (): readonly ToProducer[] => [
        { type: 'context', context },
        { type: 'notice', connection, notice: { type: 'opened', atMicros: 1, previous: null } },
        { type: 'notice', connection, notice: { type: 'resumed', atMicros: 1, lastFrameSeq: 1 } }
      ],
      creditExhausted: () => events.push(`exhausted ${connection}`),
      creditReopened: () => events.push(`reopened ${connection}`)
    }
    const lane = batcher.open(connection, accounts[shard]!, owner)
    batcher.context(lane, context)
    return lane
  }
  const sequences = new Map<Lane, number>()
  const append = (lane: Lane, text: string): void => {
    const frameSeq = (sequences.get(lane) ?? 0) + 1
    sequences.set(lane, frameSeq)
    batcher.append(lane, Buffer.from(text), clock.nowMicros(), frameSeq, 0, FrameKind.stream)
  }
  return { clock, ledger, batcher, producer, events, open, append }
}

test('batches of all connections that are due cross in one message after the linger', () => {
  const { clock, batcher, producer, open, append } = rig()
  batcher.attach(producer.port)
  const [a, b] = [open(0), open(1)]
  producer.taken()
  append(a, 'a1')
  clock.advance(3)
  append(b, 'b1')
  append(a, 'a2')
  assert.deepEqual(producer.taken(), [])
  clock.advance(2)
  assert.deepEqual(gist(producer.taken()), ['a1', 'a2', 'b1'])
  assert.equal(producer.messages, 1)
  assert.equal(clock.pendingTimers, 0)
  producer.close()
})

test('a batch that is full crosses at once', () => {
  const { batcher, producer, open, append } = rig()
  batcher.attach(producer.port)
  const lane = open(0)
  append(lane, 'x'.repeat(60))
  append(lane, 'y'.repeat(60))
  assert.deepEqual(gist(producer.taken()), ['context', 'x'.repeat(60)])
  producer.close()
})

test('a notice stands behind the frames that came before it', () => {
  const { clock, batcher, producer, open, append } = rig()
  batcher.attach(producer.port)
  const lane = open(0)
  append(lane, 'before')
  batcher.notice(lane, { type: 'closed', atMicros: 1 })
  append(lane, 'after')
  clock.advance(5)
  assert.deepEqual(gist(producer.taken()), ['context', 'before', 'closed', 'after'])
  producer.close()
})

test('without a producer everything waits in its order, and counts as held', () => {
  const { clock, ledger, batcher, producer, open, append } = rig()
  const lane = open(0)
  append(lane, 'one')
  clock.advance(100)
  batcher.notice(lane, { type: 'confirmed', subscriptions: [0], atMicros: 1 })
  append(lane, 'two')
  const account = ledger.frames(0)
  assert.deepEqual([account.get('held'), account.get('handedOver')], [2, 0])
  batcher.attach(producer.port)
  assert.deepEqual(gist(producer.taken()), ['context', 'one', 'confirmed', 'two'])
  assert.deepEqual([account.get('held'), account.get('handedOver')], [0, 2])
  producer.close()
})

test('a new producer is introduced to connections before it gets what has waited', () => {
  const { batcher, producer, open, append } = rig()
  batcher.attach(producer.port)
  const lane = open(0)
  append(lane, 'seen by the first')
  batcher.drain()
  batcher.detach()
  append(lane, 'waits')
  const second = new FakeProducer()
  batcher.attach(second.port)
  assert.deepEqual(gist(second.taken()), ['context', 'opened', 'resumed', 'waits'])
  producer.close()
  second.close()
})

test('a connection that ended without a producer is still told to the next one', () => {
  const { batcher, producer, open, append } = rig()
  batcher.attach(producer.port)
  const lane = open(0)
  batcher.detach()
  append(lane, 'last')
  batcher.notice(lane, { type: 'lost', reason: 'disconnect', atMicros: 1, lastFrameSeq: 1 })
  batcher.close(lane)
  const second = new FakeProducer()
  batcher.attach(second.port)
  assert.deepEqual(gist(second.taken()), ['context', 'opened', 'resumed', 'last', 'lost'])
  batcher.detach()
  const third = new FakeProducer()
  batcher.attach(third.port)
  assert.deepEqual(third.taken(), [])
  for (const end of [producer, second, third]) end.close()
})

test('credit is used up by what is under way and what waits, and comes back when it is settled', () => {
  const { clock, batcher, producer, events, open, append } = rig(200)
  batcher.attach(producer.port)
  const lane = open(0)
  append(lane, 'x'.repeat(90))
  append(lane, 'y'.repeat(90))
  assert.deepEqual(events, [])
  append(lane, 'z'.repeat(20))
  assert.deepEqual(events, ['exhausted 0'])
  clock.advance(5)
  batcher.settled(0, 40, 0)
  assert.deepEqual(events, ['exhausted 0'])
  batcher.settled(0, 50, 1)
  assert.deepEqual(events, ['exhausted 0', 'reopened 0'])
  assert.equal(lane.settledFrameSeq, 1)
  assert.equal(lane.settledMicros, clock.nowMicros() - 5_000)
  producer.close()
})

test('the credit that a dead producer held comes back', () => {
  const { batcher, producer, events, open, append } = rig(200)
  batcher.attach(producer.port)
  const lane = open(0)
  for (let n = 0; n < 3; n++) append(lane, 'x'.repeat(90))
  const second = new FakeProducer()
  batcher.attach(second.port)
  assert.deepEqual(events, ['exhausted 0', 'reopened 0'])
  producer.close()
  second.close()
})

test('connections that follow each other in a shard share its credit, and wait for what is still on its way', () => {
  const { clock, batcher, producer, events, open, append } = rig(200)
  batcher.attach(producer.port)
  const first = open(0)
  append(first, 'x'.repeat(90))
  append(first, 'x'.repeat(90))
  batcher.close(first)
  const second = open(5, 0)
  append(second, 'y'.repeat(20))
  assert.deepEqual(events, ['exhausted 5'])
  clock.advance(5)
  batcher.settled(0, 180, 2)
  assert.deepEqual(events, ['exhausted 5', 'reopened 5'])
  producer.close()
})

test('when no producer comes at all what waits is given up and counted, and the next one is told so', () => {
  const { ledger, batcher, producer, open, append } = rig()
  const standing = open(0)
  append(standing, 'given up')
  batcher.notice(standing, { type: 'confirmed', subscriptions: [0], atMicros: 1 })
  const ended = 40_000
  for (let connection = 1; connection <= ended; connection++) {
    const lane = open(connection, 1)
    batcher.notice(lane, { type: 'lost', reason: 'disconnect', atMicros: 1, lastFrameSeq: 0 })
    batcher.close(lane)
  }
  assert.equal(batcher.epoch, 1)
  assert.deepEqual([ledger.frames(0).get('held'), ledger.frames(0).get('shed')], [0, 1])
  const givenUp = [0, 1].reduce((sum, shard) => sum + ledger.frames(shard).get('messagesGivenUp'), 0)
  append(standing, 'waits')
  batcher.attach(producer.port)
  const items = producer.taken()
  assert.deepEqual(gist(items).slice(0, 4), ['context', 'opened', 'resumed', 'waits'])
  // The connection that stood when room was made last is introduced as well.
  assert.equal(givenUp + items.length - 4 - 3, 3 + ended * 2)
  producer.close()
})

test('a connection without room for another frame hears of it when there is credit again', () => {
  const { clock, batcher, producer, events, open, append } = rig(200)
  batcher.attach(producer.port)
  const first = open(0)
  for (let n = 0; n < 3; n++) append(first, 'x'.repeat(90))
  batcher.close(first)
  clock.advance(5)
  const second = open(5, 0)
  assert.equal(batcher.isOverdrawn(second), true)
  batcher.settled(0, 270, 3)
  assert.equal(batcher.isOverdrawn(second), false)
  assert.deepEqual(events, ['exhausted 0', 'reopened 0', 'reopened 5'])
  producer.close()
})
