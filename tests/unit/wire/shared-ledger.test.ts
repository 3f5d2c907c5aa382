import assert from 'node:assert/strict'
import { test } from 'node:test'
import { framesBalance, recordsBalance } from '../../../src/domain/ledger.ts'
import { frameFieldAt, recordFieldAt, SharedLedger } from '../../../src/wire/shared-ledger.ts'

test('a second ledger on the same memory reads what the first one wrote', () => {
  const writer = new SharedLedger(2, 3)
  const reader = new SharedLedger(2, 3, writer.memory)
  writer.frames(1).add('received', 5)
  writer.records(2).set('made', 7)
  writer.records(2).latency.record(11)
  assert.equal(reader.frames(1).get('received'), 5)
  assert.equal(reader.records(2).get('made'), 7)
  assert.equal(reader.records(2).latency.quantile(1), 11)
})

test('no account touches the memory of another', () => {
  const ledger = new SharedLedger(3, 3)
  const blocks: Float64Array[] = []
  for (let i = 0; i < 3; i++) {
    blocks.push(ledger.frames(i).values, ledger.records(i).values, ledger.records(i).latency.counts)
  }
  blocks.forEach((block, i) => block.fill(i + 1))
  blocks.forEach((block, i) => assert.ok(block.every(value => value === i + 1)))
  const total = blocks.reduce((sum, block) => sum + block.byteLength, 0)
  assert.equal(total, ledger.memory.byteLength)
})

test('a loop that bumps positions writes the same fields as the names do', () => {
  const ledger = new SharedLedger(1, 1)
  const frames = ledger.frames(0)
  frames.values[frameFieldAt('dead')] = 4
  assert.equal(frames.get('dead'), 4)
  const records = ledger.records(0)
  records.values[recordFieldAt('superseded')] = 9
  assert.equal(records.get('superseded'), 9)
})

test('the frame account balances while frames are on their way between the threads', () => {
  const account = new SharedLedger(1, 1).frames(0)
  account.add('received', 10)
  account.add('control', 1)
  account.add('shed', 1)
  account.add('held', 3)
  account.add('handedOver', 5)
  assert.equal(account.ledger().in_flight, 8)
  account.add('taken', 4)
  account.add('producerHeld', 4)
  assert.ok(framesBalance(account.ledger()))
  account.add('producerHeld', -4)
  for (const field of ['transcoded', 'ignored', 'codecControl', 'dead'] as const) account.add(field, 1)
  assert.deepEqual(account.ledger(), {
    received: 10,
    control: 2,
    transcoded: 1,
    ignored: 1,
    dead: 1,
    shed: 1,
    in_flight: 4
  })
  assert.ok(framesBalance(account.ledger()))
})

test('frames and records that died with a thread are counted as shed and as failed', () => {
  const ledger = new SharedLedger(1, 1)
  const frames = ledger.frames(0)
  frames.add('received', 2)
  frames.add('lost', 2)
  assert.equal(frames.ledger().shed, 2)
  assert.ok(framesBalance(frames.ledger()))
  const records = ledger.records(0)
  for (const field of ['published', 'duplicate', 'superseded', 'failed', 'held', 'lost'] as const) {
    records.add('made', 1)
    records.add(field, 1)
  }
  assert.equal(records.ledger().failed, 2)
  assert.ok(recordsBalance(records.ledger()))
})

test('a producer that dies in the middle of a batch leaves equal accounts', () => {
  const ledger = new SharedLedger(1, 1)
  const frames = ledger.frames(0)
  for (const field of ['received', 'handedOver'] as const) frames.add(field, 10)
  // It took eight, had decided five of them, and had not come to say that it holds less.
  frames.add('taken', 8)
  frames.add('producerHeld', 8)
  frames.add('transcoded', 4)
  frames.add('dead', 1)
  for (let again = 0; again < 2; again++) {
    frames.writeOffHandedOver()
    const { shed, in_flight } = frames.ledger()
    assert.deepEqual([shed, in_flight], [5, 0])
    assert.ok(framesBalance(frames.ledger()))
  }
  const records = ledger.records(0)
  records.add('made', 9)
  records.add('held', 5)
  records.add('published', 3)
  records.add('duplicate', 2)
  records.writeOff()
  assert.equal(records.ledger().failed, 4)
  assert.ok(recordsBalance(records.ledger()))
})
