import { type DataRecord, decodeRecord } from '../../src/codec/avro-types.ts'
import { type CodecContext } from '../../src/codec/context.ts'
import { createTranscoder, type Transcoder } from '../../src/codec/transcode.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeName, exchangeRegions, type RequestType } from '../../src/domain/target.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { type ExchangeFixture, type FrameFixture } from '../fixtures/exchange-fixture.ts'

const encoder = new TextEncoder()
let lastConnection = 1000

export interface TestFrame {
  readonly frame: string | Uint8Array
  readonly kind?: FrameKind
  readonly subscription?: number
}

/** A context of a fresh connection. */
export function contextOf(
  exchange: ExchangeName,
  requestType: RequestType,
  instruments: readonly Instrument[],
  change: {
    projection?: readonly string[]
    format?: 'avro' | 'json'
    channelIds?: Readonly<Record<string, number>>
  } = {}
): CodecContext {
  return {
    connection: {
      connection: lastConnection++,
      version: 1,
      connectionId: `test/${exchange}/${requestType}/0/1790000000000`,
      target: { exchange, region: exchangeRegions[exchange], request_type: requestType },
      shard: 0,
      targetIndex: 0,
      instruments,
      projection: change.projection ?? [],
      channelIds: change.channelIds ?? {}
    },
    encoding: { format: change.format ?? 'avro', schemaId: 0x01020304 }
  }
}

/** A context in which the fixture's instruments are subscribed, under the channel numbers that its frames carry. */
export function fixtureContext(
  exchange: ExchangeName,
  requestType: RequestType,
  fixture: ExchangeFixture,
  change: { projection?: readonly string[] } = {}
): CodecContext {
  const numbered = Object.entries(fixture.channelIds ?? {}).map(([native, channelId]) => [
    channelId,
    fixture.instruments.findIndex(instrument => instrument.native === native)
  ])
  return contextOf(exchange, requestType, fixture.instruments, {
    ...change,
    channelIds: Object.fromEntries(numbered) as Record<string, number>
  })
}

/** A frame of a fixture as the connection hands it over. */
export function asTestFrame(fixture: FrameFixture): TestFrame {
  return fixture.isSnapshot === true
    ? { frame: fixture.frame, kind: FrameKind.snapshot, subscription: 0 }
    : { frame: fixture.frame }
}

/** A frame batch; receive times and ordinals count up from `firstSeq`. */
export function batchOf(frames: readonly TestFrame[], firstSeq = 1): ArrayBuffer {
  const writer = new FrameBatchWriter(7, Number.MAX_SAFE_INTEGER)
  frames.forEach((item, index) => {
    const bytes = typeof item.frame === 'string' ? encoder.encode(item.frame) : item.frame
    const seq = firstSeq + index
    const subscription = item.subscription ?? unknownSubscription
    writer.append(bytes, 1_790_000_000_000_000 + seq, seq, subscription, item.kind ?? FrameKind.stream)
  })
  return writer.take(1)
}

export function transcodeFrames(
  context: CodecContext,
  frames: readonly (string | TestFrame)[],
  transcoder: Transcoder = createTranscoder()
): RecordBatch {
  const items = frames.map(item => (typeof item === 'string' ? { frame: item } : item))
  return new RecordBatch(transcoder.transcode(batchOf(items), context))
}

export function valueOf(batch: RecordBatch, row: number): Uint8Array {
  return batch.bytes.subarray(batch.valueStart(row), batch.valueEnd(row))
}

export function recordsOf(batch: RecordBatch, requestType: RequestType): DataRecord[] {
  return Array.from({ length: batch.records }, (_, row) => decodeRecord(requestType, valueOf(batch, row)))
}
