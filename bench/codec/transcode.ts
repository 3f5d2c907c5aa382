import { createTranscoder, type Transcoder } from '../../src/codec/transcode.ts'
import { type ExchangeName, type RequestType } from '../../src/domain/target.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { parseAndEncode } from '../contenders/parse-and-avsc.ts'
import { ambientDoubts } from '../doubts.ts'
import { type Finding, finding } from '../figure.ts'
import {
  type Channel,
  channels,
  floodSymbols,
  newCounters,
  payloadsOf,
  renderBlock
} from '../flood/frames.ts'
import { type Pace, type Suite } from '../suite.ts'
import { contextOf } from './bench-context.ts'
import { type Pair, ratios } from './slices.ts'

const batchBytes = 64 * 1024
const startMicros = 1_790_000_000_000_000

/** Both ways over the same frames; the frames of each slice are those of one rendered block. */
interface Lane extends Pair {
  readonly channel: Channel
}

export const transcodeSuite: Suite = {
  name: 'codec',
  figures: ['codec.bytes_to_avro_vs_parse'],
  needsKafka: false,
  run: async ({ pace, ambient }) => ({ findings: transcodeFindings(pace, ambient) })
}

const sliceMs = 60

/**
 * From the bytes of frames to finished Avro records: our batch and transcoder against JSON.parse, an object and avsc,
 * in one thread. Short slices alternate between the two, so that a busy machine hits both alike.
 */
function transcodeFindings(pace: Pace, ambient: number): Finding[] {
  const transcoder = createTranscoder()
  const lanes = channels.map((channel, connection) => newLane(transcoder, channel, connection))
  const mixed = {
    ours: () => lanes.forEach(lane => lane.ours()),
    theirs: () => lanes.forEach(lane => lane.theirs())
  }
  const [mixedSlices, laneSlices] = pace.isQuick ? [15, 5] : [35, 35]
  // All channels first: compiled code that has seen one shape only is faster than a service ever is.
  ratios(mixed, Math.ceil(mixedSlices / 2), sliceMs)
  const doubts = ambientDoubts(ambient, [])
  const name = 'codec.bytes_to_avro_vs_parse'
  return [
    finding(name, 'times faster', ratios(mixed, mixedSlices, sliceMs), doubts),
    ...lanes.map(lane =>
      finding(`${name}.${lane.channel}`, 'times faster', ratios(lane, laneSlices, sliceMs), doubts)
    )
  ]
}

function newLane(transcoder: Transcoder, channel: Channel, connection: number): Lane {
  const [exchange, requestType] = channel.split('/') as [ExchangeName, RequestType]
  const natives = floodSymbols[exchange as keyof typeof floodSymbols]
  const counters = new Map(natives.map(native => [native, newCounters()]))
  const block = renderBlock(channel, natives, counters)
  block.renew()
  const frames = payloadsOf(block)
  const context = contextOf(exchange, requestType, natives, connection)
  const writer = new FrameBatchWriter(connection, batchBytes)
  let records = 0
  const flush = (): void => {
    records += new RecordBatch(transcoder.transcode(writer.take(0), context)).records
  }
  const ours = (): void => {
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!
      if (writer.isFullFor(frame.length)) flush()
      writer.append(frame, startMicros + i, i + 1, unknownSubscription, FrameKind.stream)
    }
    flush()
  }
  const theirs = (): void => {
    for (let i = 0; i < frames.length; i++) parseAndEncode(frames[i]!, startMicros + i, i + 1)
  }
  ours()
  if (records !== frames.length) {
    throw new RangeError(`${frames.length - records} frames of ${channel} did not become records`)
  }
  return { channel, ours, theirs }
}
