import { type Clock, SystemClock } from '../core/clock.ts'
import { IngestError } from '../core/errors.ts'
import { type Instrument } from '../domain/instrument.ts'
import {
  type ExchangeName,
  exchangeRegions,
  isExchangeName,
  type RequestType,
  requestTypes
} from '../domain/target.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { parseJson } from '../exchange-kit/json.ts'
import { adapterOf } from '../exchanges/registry.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../wire/frame-batch.ts'
import { FrameOutcome, type FrameReason, RecordBatch } from '../wire/record-batch.ts'
import { decodeRecord } from './avro-types.ts'
import { type CodecContext } from './context.ts'
import { isAliveFrame } from './control-frame.ts'
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

interface Answer {
  readonly explanation: FrameExplanation
  readonly events: readonly string[]
}

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Decodes recorded frames of one exchange without a network: every frame goes through the transcoder of the service, and
 * what comes out is decoded from its Avro bytes. A recording does not say when and where a frame was received, so
 * `received_ts` is the time of decoding, `connection_id` is `decode/<exchange>/<request type>/0/0` and `frame_seq` the
 * line number. Symbols are split by the exchange's rule, since there is no listing to ask. Where the exchange numbers its
 * channels, a confirmation in the recording tells whose the frames after it are.
 */
export class FrameDecoder {
  readonly #explain: boolean
  readonly #clock: Clock
  readonly #adapter: ExchangeAdapter
  #contexts: readonly CodecContext[]
  readonly #writer = new FrameBatchWriter(0, lineBytesMax)
  readonly #transcoder
  #line = 0

  constructor(exchange: ExchangeName, options: DecodeOptions = {}) {
    this.#adapter = adapterOf(exchange)
    this.#explain = options.explain ?? false
    this.#clock = options.clock ?? new SystemClock()
    this.#contexts = requestTypes.map((requestType, index) => contextOf(exchange, requestType, index))
    this.#transcoder = createTranscoder({ resolve: native => this.#instrumentOf(native) })
  }

  /** The lines that one line of input gives: its events, then its explanation if asked for. */
  decode(line: Uint8Array): readonly string[] {
    this.#line++
    if (line.every(byte => byte <= 0x20)) return []
    let best: Answer | null = null
    // A recording may mix the channels, so each kind of target is asked in turn.
    for (const context of this.#contexts) {
      const answer = this.#ask(line, context)
      if (best === null || rankOf(answer) < rankOf(best)) best = answer
      if (answer.explanation.kind === 'data') break
    }
    if (best === null) return []
    if (best.explanation.kind === 'control') this.#learn(line)
    return this.#explain ? [...best.events, JSON.stringify(best.explanation)] : best.events
  }

  #instrumentOf(native: string): Instrument | null {
    const symbol = this.#adapter.instruments.canonicalOf(native)
    return symbol === null ? null : { symbol, native }
  }

  /** Takes the channel numbers that a confirmation gives to symbols into the contexts of the frames to come. */
  #learn(line: Uint8Array): void {
    if (isAliveFrame(this.#adapter, line, 0, line.length)) return
    for (const event of this.#adapter.control(parseJson(line, 0, line.length))) {
      if (event.type !== 'confirmed' || event.channelId === null) continue
      const instrument = this.#instrumentOf(event.natives[0] ?? '')
      if (instrument === null) continue
      const { channelId } = event
      this.#contexts = this.#contexts.map(({ connection, encoding }) => ({
        connection: {
          ...connection,
          version: connection.version + 1,
          instruments: [...connection.instruments, instrument],
          channelIds: { ...connection.channelIds, [channelId]: connection.instruments.length }
        },
        encoding
      }))
    }
  }

  #ask(line: Uint8Array, context: CodecContext): Answer {
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

/** Which of several answers says most about a frame: the lowest. */
function rankOf({ explanation }: Answer): number {
  // What is broken for one kind of target is of another kind for the others, and so ignored there.
  const order = ['data', 'control', 'malformed', 'ignored', 'unknown'] as const
  const isOtherKind = explanation.kind === 'ignored' && explanation.reason === 'kind'
  return order.indexOf(explanation.kind) + (isOtherKind ? 0.5 : 0)
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
