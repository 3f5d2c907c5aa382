import ids from '../schemas/ids.json' with { type: 'json' }
import { type CodecContext } from '../src/codec/context.ts'
import { createTranscoder, type Transcoder } from '../src/codec/transcode.ts'
import { type ExchangeName, exchangeRegions, type RequestType } from '../src/domain/target.ts'
import { adapterOf } from '../src/exchanges/registry.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../src/wire/frame-batch.ts'
import { RecordBatch } from '../src/wire/record-batch.ts'
import { parseAndEncode } from './contenders/parse-and-avsc.ts'
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

export interface CodecRatios {
  /** Slices of a mix of all channels, frame for frame. */
  readonly mixed: readonly number[]
  readonly byChannel: ReadonlyMap<Channel, readonly number[]>
}

/**
 * From the bytes of frames to finished Avro records: our batch and transcoder against JSON.parse, an object and avsc,
 * in one thread. Short slices alternate between the two, so that a busy machine hits both alike.
 */
export function measureCodec(slices: number, sliceMs: number): CodecRatios {
  const transcoder = createTranscoder()
  const lanes = channels.map((channel, connection) => newLane(transcoder, channel, connection))
  const mixed = {
    ours: () => lanes.forEach(lane => lane.ours()),
    theirs: () => lanes.forEach(lane => lane.theirs())
  }
  // All channels first: compiled code that has seen one shape only is faster than a service ever is.
  ratios(mixed, Math.ceil(slices / 2), sliceMs)
  return {
    mixed: ratios(mixed, slices, sliceMs),
    byChannel: new Map(lanes.map(lane => [lane.channel, ratios(lane, slices, sliceMs)]))
  }
}

function ratios(pair: Pick<Lane, 'ours' | 'theirs'>, slices: number, sliceMs: number): number[] {
  return Array.from({ length: slices }, (_, slice) => {
    // Who comes first changes, since the first one leaves its garbage to the second.
    const first = slice % 2 === 0 ? timePerRun(pair.ours, sliceMs) : timePerRun(pair.theirs, sliceMs)
    const second = slice % 2 === 0 ? timePerRun(pair.theirs, sliceMs) : timePerRun(pair.ours, sliceMs)
    return slice % 2 === 0 ? second / first : first / second
  })
}

function timePerRun(run: () => void, sliceMs: number): number {
  const start = performance.now()
  let runs = 0
  let end = start
  for (; end - start < sliceMs; end = performance.now()) {
    run()
    runs++
  }
  return (end - start) / runs
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
