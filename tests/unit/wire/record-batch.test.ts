import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameOutcome, frameReasons, RecordBatch } from '../../../src/wire/record-batch.ts'
import { recordBatchBytes } from '../../../src/wire/record-batch-layout.ts'
import { RecordBatchWriter } from '../../../src/wire/record-batch-writer.ts'

const text = fc.option(fc.string({ unit: 'binary-ascii', maxLength: 12 }))
const micros = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const int = fc.integer({ min: -1, max: 0x7fffffff })

const record = fc.record({
  head: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  exchangeMicros: fc.option(micros, { nil: Number.NaN }),
  evidence: fc.option(micros, { nil: Number.NaN }),
  frameIndex: fc.nat(1000),
  subscription: int,
  flags: fc.nat(7),
  checksum: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  tradeId: text,
  first: text,
  last: text,
  previous: text
})
type RecordFacts = ReturnType<typeof record.generate>['value']

const frame = fc.record({
  receivedMicros: micros,
  frameSeq: micros,
  subscription: int,
  reason: fc.constantFrom(...frameReasons),
  outcome: fc.constantFrom(FrameOutcome.ignored, FrameOutcome.dead, FrameOutcome.control),
  records: fc.array(record, { maxLength: 4 }),
  /** Records that were opened and then forgotten, because the frame turned out dead. */
  isDead: fc.boolean(),
  /** A frame that was nothing but the checksum of its book. */
  frameChecksum: fc.option(fc.integer({ min: -0x80000000, max: 0x7fffffff }))
})
type FrameFacts = ReturnType<typeof frame.generate>['value']

class Values {
  readonly bytes: number[] = []

  /** Writes a text into the values; what comes back is its range. */
  put(piece: string | Uint8Array): [number, number] {
    const start = this.bytes.length
    this.bytes.push(...(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))
    return [start, this.bytes.length]
  }
}

function writeRecord(writer: RecordBatchWriter, values: Values, owner: FrameFacts, facts: RecordFacts): void {
  const valueStart = values.bytes.length
  values.put(facts.head)
  const spans = [facts.tradeId, facts.first, facts.last, facts.previous].map(piece =>
    piece === null ? null : values.put(piece)
  )
  const { exchangeMicros, frameIndex, subscription, flags } = facts
  const { receivedMicros, frameSeq } = owner
  const valueEnd = values.bytes.length
  writer.record(
    exchangeMicros,
    receivedMicros,
    frameSeq,
    frameIndex,
    subscription,
    flags,
    valueStart,
    valueEnd
  )
  const [tradeId, first, last, previous] = spans
  if (tradeId) writer.tradeId(...tradeId)
  if (first) writer.sequenceFirst(...first)
  if (last) writer.sequenceLast(...last)
  if (previous) writer.sequencePrevious(...previous)
  writer.checksum(facts.checksum)
  if (!Number.isNaN(facts.evidence)) writer.evidence(facts.evidence)
}

function readRecord(batch: RecordBatch, row: number): RecordFacts {
  const texts = [
    batch.tradeId(row),
    batch.sequenceFirst(row),
    batch.sequenceLast(row),
    batch.sequencePrevious(row)
  ]
  const textLength = texts.reduce((sum, piece) => sum + (piece?.length ?? 0), 0)
  const [tradeId = null, first = null, last = null, previous = null] = texts
  return {
    head: batch.bytes.slice(batch.valueStart(row), batch.valueEnd(row) - textLength),
    exchangeMicros: batch.exchangeMicros(row),
    evidence: batch.evidence(row),
    frameIndex: batch.frameIndex(row),
    subscription: batch.subscription(row),
    flags: batch.flags(row),
    checksum: batch.checksum(row),
    tradeId,
    first,
    last,
    previous
  }
}

function textAt(batch: RecordBatch, start: number, end: number): string {
  return Buffer.from(batch.bytes.subarray(start, end)).toString('latin1')
}

test('what goes into a batch comes out, whatever the frames, growth, empty and absent texts', () => {
  const writer = new RecordBatchWriter()
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 40, size: 'max' }),
      int,
      int,
      (frames, connection, batchNumber) => {
        writer.reset()
        const values = new Values()
        for (const one of frames) {
          const before = writer.records
          for (const facts of one.records) writeRecord(writer, values, one, facts)
          if (one.isDead) writer.rollback(before)
          const outcome = one.isDead ? one.outcome : FrameOutcome.transcoded
          const count = writer.records - before
          writer.frame(one.receivedMicros, one.frameSeq, outcome, one.reason, count, one.subscription)
          if (one.frameChecksum !== null) writer.frameChecksum(one.frameChecksum)
        }
        const batch = new RecordBatch(writer.finish(connection, batchNumber, Uint8Array.from(values.bytes)))
        assert.deepEqual(
          [batch.connection, batch.batchNumber, batch.frames],
          [connection, batchNumber, frames.length]
        )
        let row = 0
        frames.forEach((one, index) => {
          assert.equal(batch.frameReceivedMicros(index), one.receivedMicros)
          assert.equal(batch.frameSeqOf(index), one.frameSeq)
          assert.equal(batch.frameSubscription(index), one.subscription)
          assert.equal(batch.hasChecksum(index), one.frameChecksum !== null)
          assert.equal(batch.frameChecksum(index), one.frameChecksum ?? 0)
          assert.equal(batch.outcome(index), one.isDead ? one.outcome : FrameOutcome.transcoded)
          assert.equal(batch.reason(index), one.isDead ? one.reason : 'none')
          assert.equal(batch.recordsOf(index), one.isDead ? 0 : one.records.length)
          if (one.isDead) return
          for (const facts of one.records) {
            assert.deepEqual(readRecord(batch, row), { ...facts, head: Uint8Array.from(facts.head) })
            assert.equal(batch.frame(row), index)
            assert.equal(batch.receivedMicros(row), one.receivedMicros)
            assert.equal(batch.frameSeq(row), one.frameSeq)
            assert.equal(textAt(batch, batch.tradeIdStart(row), batch.tradeIdEnd(row)), facts.tradeId ?? '')
            assert.equal(
              textAt(batch, batch.sequenceFirstStart(row), batch.sequenceFirstEnd(row)),
              facts.first ?? ''
            )
            assert.equal(
              textAt(batch, batch.sequenceLastStart(row), batch.sequenceLastEnd(row)),
              facts.last ?? ''
            )
            assert.equal(
              textAt(batch, batch.sequencePreviousStart(row), batch.sequencePreviousEnd(row)),
              facts.previous ?? ''
            )
            row++
          }
        })
        assert.equal(batch.records, row)
        const lengthBefore = recordBatchBytes(frames.length, row)
        assert.equal(batch.buffer.byteLength, lengthBefore + values.bytes.length)
      }
    ),
    { numRuns: 50 }
  )
})

test('hundreds of frames and records grow the writer without losing what it holds', () => {
  const writer = new RecordBatchWriter()
  const count = 1000
  for (let i = 0; i < count; i++) {
    writer.record(i, i, i, 0, i, 0, i, i + 1)
    writer.tradeId(i, i + 1)
    writer.frame(i, i, FrameOutcome.transcoded, 'none', 1, i)
  }
  const batch = new RecordBatch(writer.finish(1, 1, new Uint8Array(count).fill(65)))
  for (let i = 0; i < count; i++)
    assert.deepEqual([batch.frame(i), batch.subscription(i), batch.tradeId(i)], [i, i, 'A'])
})

test('a buffer that is no record batch is refused', () => {
  assert.throws(() => new RecordBatch(new ArrayBuffer(32)), RangeError)
})
