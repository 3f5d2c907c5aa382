import { type RequestType } from '../domain/target.ts'
import { RecordBatch } from '../wire/record-batch.ts'
import { RecordBatchWriter } from '../wire/record-batch-writer.ts'
import { decodeRecord } from './avro-types.ts'

/** The same record batch with its values as JSON text; for debugging and for readers without Avro, not for speed. */
export function toJsonValues(buffer: ArrayBuffer, requestType: RequestType): ArrayBuffer {
  const batch = new RecordBatch(buffer)
  const writer = new RecordBatchWriter()
  const values: Buffer[] = []
  let at = 0
  let row = 0
  for (let frame = 0; frame < batch.frames; frame++) {
    for (let left = batch.recordsOf(frame); left > 0; left--, row++) {
      const value = batch.bytes.subarray(batch.valueStart(row), batch.valueEnd(row))
      const json = Buffer.from(JSON.stringify(decodeRecord(requestType, value)))
      writer.record(
        batch.exchangeMicros(row),
        batch.receivedMicros(row),
        batch.frameSeq(row),
        batch.frameIndex(row),
        batch.subscription(row),
        batch.flags(row),
        at,
        at + json.length
      )
      writer.evidence(batch.evidence(row))
      writer.checksum(batch.checksum(row))
      fact(json, 'trade_id', batch.tradeId(row), (start, end) => writer.tradeId(at + start, at + end))
      fact(json, 'sequence_first', batch.sequenceFirst(row), (start, end) =>
        writer.sequenceFirst(at + start, at + end)
      )
      fact(json, 'sequence_last', batch.sequenceLast(row), (start, end) =>
        writer.sequenceLast(at + start, at + end)
      )
      fact(json, 'sequence_previous', batch.sequencePrevious(row), (start, end) =>
        writer.sequencePrevious(at + start, at + end)
      )
      values.push(json)
      at += json.length
    }
    writer.frame(
      batch.frameReceivedMicros(frame),
      batch.frameSeqOf(frame),
      batch.outcome(frame),
      batch.reason(frame),
      batch.recordsOf(frame),
      batch.frameSubscription(frame)
    )
    if (batch.hasChecksum(frame)) writer.frameChecksum(batch.frameChecksum(frame))
  }
  return writer.finish(batch.connection, batch.batchNumber, Buffer.concat(values))
}

/** Tells where a text stands in the JSON. A quote within a string is escaped, so the name is found only where it is a key. */
function fact(
  json: Buffer,
  name: string,
  text: string | null,
  tell: (start: number, end: number) => void
): void {
  if (text === null) return
  const key = `"${name}":"`
  const start = json.indexOf(key) + key.length
  tell(start, json.indexOf('"', start))
}
