import { type TestContext } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type FrameCodec } from '../../actors/producer/decoding.ts'
import { type ProducerPlan } from '../../actors/producer/messages.ts'
import { ProducerSession } from '../../actors/producer/session.ts'
import { decodeRecord } from '../../src/codec/avro-types.ts'
import { type CodecContext } from '../../src/codec/context.ts'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type Gap } from '../../src/domain/gap.ts'
import { profileBounds } from '../../src/domain/producer-tuning.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'
import { FrameBatchWriter, FrameKind } from '../../src/wire/frame-batch.ts'
import { type RecordBatch } from '../../src/wire/record-batch.ts'
import {
  type ConnectionContext,
  type FromProducer,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { frameFieldAt, SharedLedger } from '../../src/wire/shared-ledger.ts'
import { contextOf } from './codec.ts'
import { HeldSink } from './held-sink.ts'
import { ManualClock } from './manual-clock.ts'

const encoder = new TextEncoder()
export const dataTopic = 'trade-data.korea'
const receivedAt = frameFieldAt('received')
const handedOverAt = frameFieldAt('handedOver')

/** One trade of Upbit; the ids of a symbol are unique. */
export function tradeFrame(native: string, id: number): string {
  return (
    `{"type":"trade","code":"${native}","timestamp":1790000000423,"trade_date":"2026-09-21","trade_time":"14:13:20",` +
    `"trade_timestamp":1790000000377,"trade_price":91201000.0,"trade_volume":0.5,"ask_bid":"ASK",` +
    `"prev_closing_price":91200000.0,"change":"RISE","change_price":1000.0,"sequential_id":${id},"stream_type":"REALTIME"}`
  )
}

/** The codec of a test: a batch in the pool is decoded when the test says so. */
export class HeldCodec implements FrameCodec {
  readonly #transcoder = createTranscoder()
  readonly canOffload: boolean
  readonly pool: (() => void)[] = []
  offloaded = 0
  inlined = 0

  constructor(canOffload: boolean) {
    this.canOffload = canOffload
  }

  encodingOf() {
    return { format: 'avro', schemaId: 1 } as const
  }

  transcode(batch: ArrayBuffer, context: CodecContext): ArrayBuffer {
    this.inlined++
    return this.#transcoder.transcode(batch, context)
  }

  transcodeInPlace(batch: ArrayBuffer, context: CodecContext): RecordBatch {
    this.inlined++
    return this.#transcoder.transcodeInPlace(batch, context)
  }

  offload(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer> {
    this.offloaded++
    return new Promise(resolve => {
      this.pool.push(() => resolve(this.#transcoder.transcode(batch, context)))
    })
  }
}

export interface RigOptions {
  readonly sinkBytes?: number
  readonly inlineBytesMax?: number
  readonly pool?: boolean
  readonly gapFile?: string | null
}

/** A producer session between a connection thread and a sink that are both in the test's hand; one Upbit target. */
export class SessionRig {
  readonly clock = new ManualClock()
  readonly ledger = new SharedLedger(1, 1)
  readonly sink: HeldSink
  readonly codec: HeldCodec
  readonly session: ProducerSession
  readonly context: ConnectionContext
  /** Bytes given back to the connection thread. */
  refundedBytes = 0
  readonly #far: MessagePort
  readonly #writer: FrameBatchWriter
  #frameSeq = 0
  #nextId = 1

  constructor(test: TestContext, options: RigOptions = {}) {
    const { sinkBytes = 1024 * 1024, inlineBytesMax = 32 * 1024, pool = false, gapFile = null } = options
    const instruments = ['BTC', 'ETH'].map(base => ({ symbol: `${base}-KRW`, native: `KRW-${base}` }))
    this.context = contextOf('upbit', 'trade', instruments).connection
    this.#writer = new FrameBatchWriter(this.context.connection, Number.MAX_SAFE_INTEGER)
    this.codec = new HeldCodec(pool)
    this.sink = new HeldSink(
      {
        settled: (...facts) => this.session.settled(...facts),
        undelivered: (...facts) => this.session.undelivered(...facts),
        refused: (...facts) => this.session.refused(...facts),
        availability: isUp => {
          this.session.sinkIsUp = isUp
        }
      },
      sinkBytes
    )
    this.session = new ProducerSession({
      plan: planOf(this.ledger, sinkBytes, inlineBytesMax, gapFile),
      clock: this.clock,
      logger: createLogger('silent', 'producer'),
      ledger: this.ledger,
      codec: this.codec,
      sink: this.sink,
      adapterOf: target => adapterOf(target.exchange),
      onGapOpened: () => undefined,
      onGapClosed: () => undefined
    })
    const { port1, port2 } = new MessageChannel()
    this.#far = port2
    test.after(() => port2.close())
    this.session.attach(0, port1)
    port2.on('message', (message: FromProducer) => {
      if (message.type !== 'settled') return
      for (const { bytes } of message.entries) this.refundedBytes += bytes
    })
    this.#post({ type: 'context', context: this.context })
    this.#notice({ type: 'opened', atMicros: this.clock.nowMicros(), previous: null })
    this.#notice({ type: 'confirmed', subscriptions: [0, 1], atMicros: this.clock.nowMicros() })
  }

  /** Hands over one batch of so many trades of each symbol. Returns its payload bytes. */
  send(trades: number, symbols: readonly ('BTC' | 'ETH')[] = ['BTC', 'ETH']): number {
    for (let i = 0; i < trades; i++) {
      for (const base of symbols) {
        this.clock.advance(1)
        this.#append(tradeFrame(`KRW-${base}`, this.#nextId++), base === 'BTC' ? 0 : 1)
      }
    }
    return this.#take()
  }

  /** A frame that no codec understands. */
  sendBroken(): void {
    this.#append('{"type":', 0)
    this.#take()
  }

  close(): void {
    this.#notice({ type: 'closed', atMicros: this.clock.nowMicros() })
  }

  /** The connection thread has sent its last. */
  async drain(deadlineMs: number): Promise<void> {
    this.#post({ type: 'drain' })
    await this.session.drain(1, deadlineMs)
  }

  /** Trade ids as the sink got them, in order. */
  get ids(): number[] {
    return this.sink.all
      .filter(({ route }) => route.topic === dataTopic)
      .map(({ value }) => Number((decodeRecord('trade', value) as { trade_id: string }).trade_id))
  }

  get gaps(): Gap[] {
    return this.sink.textsOf('ws.gap.events').map(text => JSON.parse(text) as Gap)
  }

  #append(text: string, subscription: number): void {
    this.#writer.append(
      encoder.encode(text),
      this.clock.nowMicros(),
      ++this.#frameSeq,
      subscription,
      FrameKind.stream
    )
  }

  #take(): number {
    const { frames, bytes } = this.#writer
    const { values } = this.ledger.frames(0)
    values[receivedAt] = values[receivedAt]! + frames
    values[handedOverAt] = values[handedOverAt]! + frames
    this.#post({ type: 'batches', buffers: [this.#writer.take(this.context.version)] })
    return bytes
  }

  #notice(notice: Extract<ToProducer, { type: 'notice' }>['notice']): void {
    this.#post({ type: 'notice', connection: this.context.connection, notice })
  }

  #post(message: ToProducer): void {
    this.#far.postMessage(message)
  }
}

function planOf(
  ledger: SharedLedger,
  bufferBytes: number,
  inlineBytesMax: number,
  gapFile: string | null
): ProducerPlan {
  const { lingerMinMs, lingerMs, batchBytes, latencyTargetMs } = profileBounds.throughput
  return {
    pod: 'pod',
    logLevel: 'silent',
    sink: { kind: 'embedded', port: null as unknown as MessagePort },
    encoding: 'avro',
    schemaIds: { [dataTopic]: 1, 'ws.connect_success.korea': 1 },
    partitions: {},
    ledger: { memory: ledger.memory, shards: ledger.shards, targets: ledger.targets },
    gapFile,
    looksForSilence: true,
    openGaps: [],
    tuning: {
      lingerMinMs,
      lingerMaxMs: lingerMs,
      batchBytes,
      latencyTargetMs,
      compression: 'none',
      compressionByTopic: {},
      bufferBytes,
      requestBytesMax: 1024 * 1024,
      deliveryTimeoutMs: 1000
    },
    codecs: 1,
    offload: 'always',
    exchanges: ['upbit'],
    limits: {
      inlineBytesMax,
      tradeIdsPerSymbol: 4096,
      bookPendingBytes: 65_536,
      bookLevelsMax: 1_000,
      handOverBytes: 1_048_576,
      deadLettersPerSecond: 10,
      creditBytes: 64 * 1024 * 1024,
      controlReserveBytes: 65_536
    }
  }
}
