import { type Clock, SystemClock } from '../core/clock.ts'
import { IngestError } from '../core/errors.ts'
import {
  type ExchangeName,
  exchangeRegions,
  isExchangeName,
  type RequestType,
  requestTypes
} from '../domain/target.ts'
import { adapterOf } from '../exchanges/registry.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../wire/frame-batch.ts'
import { FrameOutcome, type FrameReason, RecordBatch } from '../wire/record-batch.ts'
import { decodeRecord } from './avro-types.ts'
import { type CodecContext } from './context.ts'
import { createTranscoder } from './transcode.ts'

export interface DecodeOptions {
  /** One more line for each frame, behind its events: what the frame was. */
  readonly explain?: boolean
  readonly clock?: Clock
}

export interface FrameExplanation {
  /** Line number of the frame, from 1; blank lines count but are no frames. */
  readonly frame: number
  readonly kind: 'data' | 'control' | 'ignored' | 'unknown' | 'malformed'
  readonly events: number
  readonly reason: FrameReason | null
}

/** Longer lines are refused: no frame of a venue comes near, and a line must be held in memory. */
export const lineBytesMax = 64 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Decodes recorded frames of one exchange without a network: every frame goes through the transcoder of the service, and
 * what comes out is decoded from its Avro bytes. A recording does not say when and where a frame was received, so
 * `received_ts` is the time of decoding, `connection_id` is `decode/<exchange>/<request type>/0/0` and `frame_seq` the
 * line number. Symbols are split by the exchange's rule, since there is no listing to ask.
 */
export class FrameDecoder {
  readonly #explain: boolean
  readonly #clock: Clock
  readonly #contexts: readonly CodecContext[]
  readonly #writer = new FrameBatchWriter(0, lineBytesMax)
  readonly #transcoder
  #line = 0

  constructor(exchange: ExchangeName, options: DecodeOptions = {}) {
    const { instruments } = adapterOf(exchange)
    this.#explain = options.explain ?? false
    this.#clock = options.clock ?? new SystemClock()
    this.#contexts = requestTypes.map((requestType, index) => contextOf(exchange, requestType, index))
    this.#transcoder = createTranscoder({
      resolve(native) {
        const symbol = instruments.canonicalOf(native)
        return symbol === null ? null : { symbol, native }
      }
    })
  }

  /** The lines that one line of input gives: its events, then its explanation if asked for. */
  decode(line: Uint8Array): readonly string[] {
    this.#line++
    if (line.every(byte => byte <= 0x20)) return []
    let answer: { explanation: FrameExplanation; events: string[] } | null = null
    // A recording may mix the channels, so each kind of target is asked in turn.
    for (const context of this.#contexts) {
      answer = this.#ask(line, context)
      if (answer.explanation.kind !== 'ignored') break
    }
    if (answer === null) return []
    return this.#explain ? [...answer.events, JSON.stringify(answer.explanation)] : answer.events
  }

  #ask(line: Uint8Array, context: CodecContext): { explanation: FrameExplanation; events: string[] } {
    this.#writer.append(line, this.#clock.nowMicros(), this.#line, unknownSubscription, FrameKind.stream)
    const batch = new RecordBatch(this.#transcoder.transcode(this.#writer.take(0), context))
    const events: string[] = []
    for (let row = 0; row < batch.records; row++) {
      const value = batch.bytes.subarray(batch.valueStart(row), batch.valueEnd(row))
      events.push(JSON.stringify(decodeRecord(context.connection.target.request_type, value)))
    }
    const reason = batch.reason(0)
    const explanation: FrameExplanation = {
      frame: this.#line,
      kind: kindOf(batch.outcome(0), reason),
      events: events.length,
      reason: reason === 'none' ? null : reason
    }
    return { explanation, events }
  }
}

/**
 * Lines in, lines out, for `coin-stream decode`.
 * @throws IngestError USAGE for an unknown exchange, FRAME_OVERSIZED for a line that is too long to be a frame
 */
export async function* decodeLines(
  exchange: string,
  input: AsyncIterable<Uint8Array>,
  options: DecodeOptions = {}
): AsyncGenerator<string> {
  if (!isExchangeName(exchange)) {
    const known = Object.keys(exchangeRegions).join(', ')
    throw new IngestError('USAGE', `There is no exchange "${exchange}"; known are ${known}.`)
  }
  const decoder = new FrameDecoder(exchange, options)
  for await (const line of linesOf(input)) yield* decoder.decode(line)
}

/** Lines as bytes: a text decoder would repair invalid UTF-8 before anybody has seen it. */
async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    let from = 0
    for (;;) {
      const to = chunk.indexOf(newline, from)
      const part = chunk.subarray(from, to < 0 ? chunk.length : to)
      length += part.length
      if (length > lineBytesMax) {
        throw new IngestError(
          'FRAME_OVERSIZED',
          `A line is longer than ${lineBytesMax} bytes; it cannot be a frame.`
        )
      }
      // The chunk may be reused by its stream, so what is kept is copied.
      parts.push(to < 0 ? part.slice() : part)
      if (to < 0) break
      yield lineOf(parts, length)
      parts = []
      length = 0
      from = to + 1
    }
  }
  if (length > 0) yield lineOf(parts, length)
}

function lineOf(parts: readonly Uint8Array[], length: number): Uint8Array {
  const line = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    line.set(part, at)
    at += part.length
  }
  return line[length - 1] === carriageReturn ? line.subarray(0, length - 1) : line
}

function contextOf(exchange: ExchangeName, requestType: RequestType, connection: number): CodecContext {
  return {
    connection: {
      connection,
      version: 0,
      connectionId: `decode/${exchange}/${requestType}/0/0`,
      target: { exchange, region: exchangeRegions[exchange], request_type: requestType },
      shard: 0,
      targetIndex: 0,
      instruments: [],
      projection: [],
      channelIds: {}
    },
    encoding: { format: 'avro', schemaId: 0 }
  }
}

function kindOf(outcome: FrameOutcome, reason: FrameReason): FrameExplanation['kind'] {
  switch (outcome) {
    case FrameOutcome.transcoded:
      return 'data'
    case FrameOutcome.control:
      return 'control'
    case FrameOutcome.ignored:
      return 'ignored'
    case FrameOutcome.dead:
      return reason === 'unknown' ? 'unknown' : 'malformed'
  }
}
