import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FrameBatch,
  FrameBatchWriter,
  FrameKind,
  poisonFrame,
  unknownSubscription
} from '../../../src/wire/frame-batch.ts'

const frame = fc.record({
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ minLength: 4000, maxLength: 9000, size: 'max' })
  ),
  receivedMicros: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  frameSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  subscription: fc.integer({ min: unknownSubscription, max: 0x7fffffff }),
  kind: fc.constantFrom(FrameKind.stream, FrameKind.snapshot)
})

test('what goes into a batch comes out, whatever the sizes, and the writer starts anew', () => {
  const batches = fc.array(fc.array(frame, { maxLength: 40, size: 'max' }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(batches, fc.nat(0x7fffffff), fc.nat(1000), (rounds, connection, contextVersion) => {
      const writer = new FrameBatchWriter(connection, 65536)
      rounds.forEach((frames, batchNumber) => {
        for (const one of frames) {
          writer.append(one.bytes, one.receivedMicros, one.frameSeq, one.subscription, one.kind)
        }
        const payloadBytes = frames.reduce((sum, one) => sum + one.bytes.length, 0)
        assert.deepEqual([writer.frames, writer.bytes], [frames.length, payloadBytes])
        const batch = new FrameBatch(writer.take(contextVersion))
        assert.deepEqual(
          [batch.connection, batch.contextVersion, batch.batchNumber, batch.frames, batch.payloadBytes],
          [connection, contextVersion, batchNumber, frames.length, payloadBytes]
        )
        frames.forEach((one, row) => {
          assert.deepEqual(batch.bytes.slice(batch.start(row), batch.end(row)), Uint8Array.from(one.bytes))
          assert.equal(batch.receivedMicros(row), one.receivedMicros)
          assert.equal(batch.frameSeq(row), one.frameSeq)
          assert.equal(batch.subscription(row), one.subscription)
          assert.equal(batch.kind(row), one.kind)
        })
        assert.deepEqual([writer.frames, writer.bytes], [0, 0])
      })
    }),
    { numRuns: 50 }
  )
})

test('a batch is full before its limit is passed, but a single larger frame travels alone', () => {
  const writer = new FrameBatchWriter(1, 100)
  assert.equal(writer.isFullFor(1000), false)
  writer.append(new Uint8Array(60), 0, 1, 0, FrameKind.stream)
  assert.equal(writer.isFullFor(40), false)
  assert.equal(writer.isFullFor(41), true)
})

test('a batch does not see what is written after it was taken', () => {
  const writer = new FrameBatchWriter(1, 100)
  writer.append(Uint8Array.of(1, 2, 3), 10, 1, 0, FrameKind.stream)
  const batch = new FrameBatch(writer.take(1))
  writer.append(Uint8Array.of(9, 9, 9), 20, 2, 5, FrameKind.snapshot)
  assert.deepEqual([...batch.bytes.slice(batch.start(0), batch.end(0))], [1, 2, 3])
  assert.deepEqual([batch.frameSeq(0), batch.subscription(0)], [1, 0])
})

test('a poisoned frame keeps everything but its kind, and its neighbours keep theirs', () => {
  const writer = new FrameBatchWriter(1, 100)
  for (let seq = 1; seq <= 3; seq++) writer.append(Uint8Array.of(seq), 10 * seq, seq, 7, FrameKind.snapshot)
  const buffer = writer.take(1)
  poisonFrame(buffer, 1)
  const batch = new FrameBatch(buffer)
  const { snapshot, poisoned } = FrameKind
  assert.deepEqual(
    [0, 1, 2].map(row => batch.kind(row)),
    [snapshot, poisoned, snapshot]
  )
  assert.deepEqual(
    [batch.frameSeq(1), batch.receivedMicros(1), batch.subscription(1), batch.end(1) - batch.start(1)],
    [2, 20, 7, 1]
  )
})

test('a buffer that is no frame batch is refused', () => {
  assert.throws(() => new FrameBatch(new ArrayBuffer(32)), RangeError)
  assert.throws(() => new FrameBatch(new ArrayBuffer(3)), RangeError)
})
