import { compressFrameSync } from 'lz4-napi'
import { decodeRecord, recordTypes } from '../../src/codec/avro-types.ts'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { type ExchangeName, type RequestType, requestTypes } from '../../src/domain/target.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { normalise } from '../contenders/normalise.ts'
import { ambientDoubts } from '../doubts.ts'
import { type Finding, finding } from '../figure.ts'
import { channels, floodSymbols, newCounters, payloadsOf, renderBlock } from '../flood/frames.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { contextOf } from './bench-context.ts'
import { ratios } from './slices.ts'

/** About what a Kafka batch holds; compression works on a batch, not on a record. */
const kafkaBatchBytes = 128 * 1024
const frameBatchBytes = 64 * 1024
const startMicros = 1_790_000_000_000_000
const sliceMs = 40

export const formatsSuite: Suite = {
  name: 'formats',
  figures: ['codec.avro_over_json_bytes', 'codec.avro_vs_json_speed', 'codec.avro_vs_json_encode'],
  needsKafka: false,
  run: async context => compareFormats(context)
}

/** The same events of one kind both ways. */
interface Kind {
  readonly type: RequestType
  readonly avro: readonly Buffer[]
  readonly json: readonly Buffer[]
  /** Frames to finished values: the transcoder's Avro, and JSON by parse, an object and stringify. */
  readonly toAvro: () => Buffer[]
  readonly toJson: () => Buffer[]
  /** Objects to values: what the serializer alone takes. */
  readonly encodeAvro: () => void
  readonly encodeJson: () => void
}

/** Avro against JSON on the same events: speed and size per kind, record by record and in compressed batches. */
function compareFormats({ pace, ambient }: BenchContext): { findings: Finding[]; drawings: Drawing[] } {
  const kinds = requestTypes.map(type => kindOf(type))
  const slices = pace.isQuick ? 5 : 25
  const doubts = ambientDoubts(ambient, [])
  const sizes = (of: (values: readonly Buffer[]) => number): number[] =>
    kinds.map(kind => of(kind.json) / of(kind.avro))
  const plain = sizes(totalOf)
  const packed = sizes(compressedOf)
  const byKind = (name: string, unit: string, ratiosOf: (kind: Kind, i: number) => number[]): Finding[] =>
    kinds.map((kind, i) => finding(`${name}.${kind.type}`, unit, ratiosOf(kind, i), doubts))
  const smaller = 'times smaller'
  const faster = 'times faster'
  const all = <Item>(of: (kind: Kind) => Item): Item[] => kinds.map(of)
  const findings = [
    finding('codec.avro_over_json_bytes', smaller, [sizeOfAll(kinds, totalOf)], []),
    finding('codec.avro_over_json_bytes.lz4', smaller, [sizeOfAll(kinds, compressedOf)], []),
    ...kinds.flatMap((kind, i) => [
      finding(`codec.avro_over_json_bytes.${kind.type}`, smaller, [plain[i]!], []),
      finding(`codec.avro_over_json_bytes.${kind.type}.lz4`, smaller, [packed[i]!], [])
    ]),
    finding(
      'codec.avro_vs_json_speed',
      faster,
      ratios(
        { ours: () => all(kind => kind.toAvro()), theirs: () => all(kind => kind.toJson()) },
        slices,
        sliceMs
      ),
      doubts
    ),
    ...byKind('codec.avro_vs_json_speed', faster, kind =>
      ratios({ ours: kind.toAvro, theirs: kind.toJson }, slices, sliceMs)
    ),
    finding(
      'codec.avro_vs_json_speed.lz4',
      faster,
      ratios(
        {
          ours: () => all(kind => compressedOf(kind.toAvro())),
          theirs: () => all(kind => compressedOf(kind.toJson()))
        },
        slices,
        sliceMs
      ),
      doubts
    ),
    ...byKind('codec.avro_vs_json_encode', faster, kind =>
      ratios({ ours: kind.encodeAvro, theirs: kind.encodeJson }, slices, sliceMs)
    )
  ]
  return { findings, drawings: [drawingOf(kinds)] }
}

function sizeOfAll(kinds: readonly Kind[], of: (values: readonly Buffer[]) => number): number {
  const sum = (select: (kind: Kind) => readonly Buffer[]): number =>
    kinds.reduce((total, kind) => total + of(select(kind)), 0)
  return sum(kind => kind.json) / sum(kind => kind.avro)
}

function kindOf(type: RequestType): Kind {
  const transcoder = createTranscoder()
  const lots = channels
    .filter(channel => channel.endsWith(`/${type}`))
    .map((channel, connection) => {
      const exchange = channel.slice(0, channel.indexOf('/')) as ExchangeName & keyof typeof floodSymbols
      const natives = floodSymbols[exchange]
      const counters = new Map(natives.map(native => [native, newCounters()]))
      const blocks = Array.from({ length: 4 }, (_, i) => renderBlock(channel, natives, counters, i * 192))
      const frames = blocks.flatMap(block => {
        block.renew()
        return payloadsOf(block)
      })
      return { frames, connection, context: contextOf(exchange, type, natives, connection) }
    })
  const toAvro = (): Buffer[] => {
    const values: Buffer[] = []
    for (const { frames, connection, context } of lots) {
      const writer = new FrameBatchWriter(connection, frameBatchBytes)
      const flush = (): void => {
        const batch = new RecordBatch(transcoder.transcode(writer.take(0), context))
        for (let row = 0; row < batch.records; row++)
          values.push(
            Buffer.from(batch.buffer, batch.valueStart(row), batch.valueEnd(row) - batch.valueStart(row))
          )
      }
      for (let i = 0; i < frames.length; i++) {
        const frame = frames[i]!
        if (writer.isFullFor(frame.length)) flush()
        writer.append(frame, startMicros + i, i + 1, unknownSubscription, FrameKind.stream)
      }
      flush()
    }
    return values
  }
  const toJson = (): Buffer[] =>
    lots.flatMap(({ frames }) =>
      frames.map((frame, i) =>
        Buffer.from(JSON.stringify(normalise(frame.toString(), startMicros + i, i + 1)!.record))
      )
    )
  const avro = toAvro()
  const records = avro.map(value => decodeRecord(type, value))
  const slab = Buffer.alloc(64 * 1024)
  return {
    type,
    avro,
    json: records.map(record => Buffer.from(JSON.stringify(record))),
    toAvro,
    toJson,
    encodeAvro: () => {
      for (const record of records) recordTypes[type].encode(record, slab, 0)
    },
    encodeJson: () => {
      for (const record of records) slab.write(JSON.stringify(record))
    }
  }
}

function totalOf(values: readonly Buffer[]): number {
  return values.reduce((sum, { length }) => sum + length, 0)
}

/** In batches as the producer makes them. */
function compressedOf(values: readonly Buffer[]): number {
  let bytes = 0
  let batch: Buffer[] = []
  let size = 0
  const flush = (): void => {
    bytes += compressFrameSync(Buffer.concat(batch)).length
    batch = []
    size = 0
  }
  for (const value of values) {
    batch.push(value)
    size += value.length
    if (size >= kafkaBatchBytes) flush()
  }
  if (batch.length > 0) flush()
  return bytes
}

function drawingOf(kinds: readonly Kind[]): Drawing {
  const each = (of: (values: readonly Buffer[]) => number, label: string) =>
    kinds.flatMap(({ type, avro, json }) => [
      { label: `${type}, Avro${label}`, value: of(avro) / avro.length, note: '' },
      { label: `${type}, JSON${label}`, value: of(json) / json.length, note: '' }
    ])
  return {
    kind: 'bars',
    title: 'Bytes per event',
    unit: 'bytes',
    bars: [...each(totalOf, ''), ...each(compressedOf, ' in lz4 batches')]
  }
}
