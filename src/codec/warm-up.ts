import { type ExchangeName, type RequestType } from '../domain/target.ts'
import { sampleFrame } from '../exchange-kit/sample-frame.ts'
import { adapterOf } from '../exchanges/registry.ts'
import { FrameBatchWriter, FrameKind } from '../wire/frame-batch.ts'
import { type CodecContext } from './context.ts'
import { type Transcoder } from './transcode.ts'

/** The first frames run cold at 30 µs and more each; after so many the compiled code is optimised. */
const rounds = 6
const framesPerRound = 64

/**
 * Lets a thread transcode made-up frames of its exchanges before it takes traffic. The connections it makes up have
 * negative numbers, so that they meet none that is real.
 */
export function warmUp(transcoder: Transcoder, exchanges: readonly ExchangeName[]): void {
  const encoder = new TextEncoder()
  let connection = -1
  for (const exchange of exchanges) {
    const { frames, instruments } = adapterOf(exchange)
    const native = instruments.nativeOf('BTC-USD')
    for (const table of frames) {
      if (table.requestType === null) continue
      const frame = encoder.encode(sampleFrame(table, native))
      const context = contextOf(exchange, table.requestType, native, connection)
      const kind = table.source === 'snapshot' ? FrameKind.snapshot : FrameKind.stream
      const writer = new FrameBatchWriter(connection, Number.MAX_SAFE_INTEGER)
      for (let round = 0; round < rounds; round++) {
        for (let seq = 1; seq <= framesPerRound; seq++) writer.append(frame, 1e15 + seq, seq, 0, kind)
        transcoder.transcode(writer.take(0), context)
      }
      connection--
    }
  }
}

function contextOf(
  exchange: ExchangeName,
  requestType: RequestType,
  native: string,
  connection: number
): CodecContext {
  return {
    connection: {
      connection,
      version: 0,
      connectionId: `warm-up/${exchange}/${requestType}/0/0`,
      target: { exchange, region: adapterOf(exchange).region, request_type: requestType },
      shard: 0,
      targetIndex: 0,
      instruments: [{ symbol: 'BTC-USD', native }],
      projection: [],
      channelIds: { 1: 0 }
    },
    encoding: { format: 'avro', schemaId: 0 }
  }
}
