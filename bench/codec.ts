import ids from '../schemas/ids.json' with { type: 'json' }
import { type CodecContext } from '../src/codec/context.ts'
import { createTranscoder, type Transcoder } from '../src/codec/transcode.ts'
import { type ExchangeName, exchangeRegions, type RequestType } from '../src/domain/target.ts'
import { adapterOf } from '../src/exchanges/registry.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../src/wire/frame-batch.ts'
import { RecordBatch } from '../src/wire/record-batch.ts'
import { parseAndEncode } from './contenders/parse-and-avsc.ts'
import { type Finding, finding } from './figure.ts'
import { type Channel, channels, floodSymbols, newCounters, payloadsOf, renderBlock } from './flood/frames.ts'

const batchBytes = 64 * 1024
const startMicros = 1_790_000_000_000_000
const encodings: Readonly<Record<RequestType, number>> = {
  ticker: ids.Ticker,
  trade: ids.Trade,
  orderbook: ids.OrderBook
}

/** Both ways over the same frames; the frames of each slice are those of one rendered block. */
interface Lane {
  readonly channel: Channel
  readonly ours: () => void
  readonly theirs: () => void
}

/** Above this the machine is too busy for a wall clock. */
const ambientMax = 0.15

/**
 * From the bytes of frames to finished Avro records: our batch and transcoder against JSON.parse, an object and avsc,
 * in one thread. Short slices alternate between the two, so that a busy machine hits both alike.
 */
export function codecFindings(slices: number, sliceMs: number, ambient: number): Finding[] {
  const transcoder = createTranscoder()
  const lanes = channels.map((channel, connection) => newLane(transcoder, channel, connection))
  const mixed = {
    ours: () => lanes.forEach(lane => lane.ours()),
    theirs: () => lanes.forEach(lane => lane.theirs())
  }
  // All channels first: compiled code that has seen one shape only is faster than a service ever is.
  ratios(mixed, Math.ceil(slices / 2), sliceMs)
  const doubts =
    ambient > ambientMax
      ? [`other programs took ${(ambient * 100).toFixed(0)} % of the machine (at most ${ambientMax * 100} %)`]
      : []
  const name = 'codec.bytes_to_avro_vs_parse'
  return [
    finding(name, 'times faster', ratios(mixed, slices, sliceMs), doubts),
    ...lanes.map(lane =>
      finding(`${name}.${lane.channel}`, 'times faster', ratios(lane, slices, sliceMs), doubts)
    )
  ]
}

/** Our time against theirs, slice by slice. */
function ratios(pair: Pick<Lane, 'ours' | 'theirs'>, slices: number, sliceMs: number): number[] {
  return Array.from({ length: slices }, (_, slice) => {
    // Who comes first changes, since the first leaves its garbage to the second.
    if (slice % 2 === 0) {
      const ours = microsPerRun(pair.ours, sliceMs)
      return microsPerRun(pair.theirs, sliceMs) / ours
    }
    const theirs = microsPerRun(pair.theirs, sliceMs)
    return theirs / microsPerRun(pair.ours, sliceMs)
  })
}

/** CPU time, not the clock's: a program that takes the processor away for a while says nothing of either. */
function microsPerRun(run: () => void, sliceMs: number): number {
  const start = process.cpuUsage()
  const endMs = performance.now() + sliceMs
  let runs = 0
  do {
    run()
    runs++
  } while (performance.now() < endMs)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / runs
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

function contextOf(
  exchange: ExchangeName,
  request_type: RequestType,
  natives: readonly string[],
  connection: number
): CodecContext {
  const { instruments } = adapterOf(exchange)
  return {
    connection: {
      connection,
      version: 0,
      connectionId: 'bench/0',
      target: { exchange, region: exchangeRegions[exchange], request_type },
      shard: 0,
      targetIndex: 0,
      instruments: natives.map(native => ({ native, symbol: instruments.canonicalOf(native) ?? native })),
      projection: [],
      channelIds: {}
    },
    encoding: { format: 'avro', schemaId: encodings[request_type] }
  }
}
