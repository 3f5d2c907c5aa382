import { type CodecContext, type Encoding } from '../../src/codec/context.ts'
import { asIngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { type Target } from '../../src/domain/target.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { type ConnectionContext, type SessionNotice } from '../../src/wire/session-messages.ts'
import { type ProducerConnection } from './connection.ts'
import { Fifo } from './fifo.ts'
import { Sequencer } from './sequencer.ts'

/** One item in the order of a connection: a decoded batch, or a fact of the connection's life. */
export type Item =
  | { readonly type: 'batch'; readonly frames: FrameBatch; readonly records: RecordBatch }
  | { readonly type: 'undecodable'; readonly frames: FrameBatch }
  /** Nobody will decode it any more: the time of the drain is up. */
  | { readonly type: 'abandoned'; readonly frames: FrameBatch }
  | { readonly type: 'notice'; readonly notice: SessionNotice }

export interface Work {
  readonly connection: ProducerConnection
  readonly item: Item
}

/** What is used of the codec. */
export interface FrameCodec {
  /** Batches decoded in the pool and here. */
  readonly offloaded: number
  readonly inlined: number
  readonly canOffload: boolean
  encodingOf(target: Target): Encoding
  transcode(batch: ArrayBuffer, context: CodecContext): ArrayBuffer
  /** Valid until the next call. */
  transcodeInPlace(batch: ArrayBuffer, context: CodecContext): RecordBatch
  offload(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer>
}

export interface DecodingOptions {
  readonly codec: FrameCodec
  /** Smaller batches are transcoded here, larger ones in the pool. */
  readonly inlineBytesMax: number
  /** Batches that the pool may have at once; more would only be copies of what waits here. */
  readonly pooledMax: number
  /** Whether the sink has no memory left for more records. */
  readonly isSinkFull: () => boolean
  readonly handOn: (work: Work) => void
  readonly logger: Logger
}

/** A batch with its place in the order that is not decoded yet. */
interface Undecoded {
  readonly connection: ProducerConnection
  readonly context: ConnectionContext
  readonly buffer: ArrayBuffer
  /** Payload bytes, as the credits count them. */
  readonly bytes: number
  readonly fill: (work: Work) => void
  isAbandoned: boolean
}

/** Raw bytes that are decoded in one go when the sink has room again: the sink's own I/O must have its turns. */
const turnBytes = 512 * 1024

/**
 * From frame batches to record batches, handed on in the order of each shard. While the sink is full nothing is decoded:
 * encoded records would be memory that nobody has bounded, whereas raw frames are bounded by the credits of their
 * connections. What waits is taken up again in the order in which it came, as the sink settles what it holds.
 */
export class Decoding {
  readonly #options: DecodingOptions
  /** By shard: the connections of a shard follow each other, and a new one's batch must not overtake the old one's. */
  readonly #sequencers = new Map<number, Sequencer<Work>>()
  /** Waits for the sink; then, when it is a large one, for the pool. */
  readonly #waiting = new Fifo<Undecoded>()
  readonly #forPool = new Fifo<Undecoded>()
  readonly #pooled = new Set<Undecoded>()
  readonly #onIdle: (() => void)[] = []
  #undecodedBytes = 0
  #isResuming = false
  #isAbandoned = false
  /** Batches that ever had to wait for the sink. */
  heldUp = 0

  constructor(options: DecodingOptions) {
    this.#options = options
  }

  /** Batches that are not decoded: they wait, or are with the pool. */
  get undecoded(): number {
    return this.#waiting.length + this.#forPool.length + this.#pooled.size
  }

  /** Their raw bytes. */
  get undecodedBytes(): number {
    return this.#undecodedBytes
  }

  /** Takes a batch; `frames` reads `buffer`. */
  batch(connection: ProducerConnection, context: ConnectionContext, frames: FrameBatch): void {
    const { buffer, payloadBytes: bytes } = frames
    const sequencer = this.#sequencerOf(context.shard)
    if (this.#isAbandoned) {
      sequencer.ready({ connection, item: { type: 'abandoned', frames } })
      return
    }
    const mustWait = this.#waiting.length > 0 || this.#options.isSinkFull()
    if (!mustWait && this.#isInline(bytes)) {
      // What is taken at once need not be copied out of the codec's memory.
      const records =
        sequencer.waiting === 0
          ? this.#options.codec.transcodeInPlace(buffer, this.#workOf(context))
          : new RecordBatch(this.#transcode(context, buffer))
      sequencer.ready({ connection, item: { type: 'batch', frames, records } })
      return
    }
    this.#undecodedBytes += bytes
    const fill = sequencer.reserve()
    const undecoded: Undecoded = { connection, context, buffer, bytes, fill, isAbandoned: false }
    if (mustWait) {
      this.heldUp++
      this.#waiting.push(undecoded)
    } else {
      this.#forPool.push(undecoded)
      this.#feedPool()
    }
  }

  /** Puts a fact in its place among the connection's frames. */
  notice(connection: ProducerConnection, notice: SessionNotice): void {
    this.#sequencerOf(connection.context.shard).ready({ connection, item: { type: 'notice', notice } })
  }

  /** The sink has settled something: what waits for it may go on, after the callbacks that are running now. */
  resume(): void {
    if (this.#isResuming || this.#waiting.length + this.#forPool.length === 0) return
    this.#isResuming = true
    setImmediate(this.#takeUp)
  }

  /** Resolves when everything has been handed on. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>(resolve => this.#onIdle.push(resolve))
  }

  /** Gives up what is not decoded: it is handed on as abandoned, in its place, and so is whatever still comes. */
  abandon(): void {
    this.#isAbandoned = true
    const all = [...this.#pooled]
    this.#pooled.clear()
    for (const queue of [this.#forPool, this.#waiting]) {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) all.push(next)
    }
    this.#undecodedBytes = 0
    for (const undecoded of all) {
      undecoded.isAbandoned = true
      const { connection, buffer, fill } = undecoded
      fill({ connection, item: { type: 'abandoned', frames: new FrameBatch(buffer) } })
    }
    this.#tellIdle()
  }

  readonly #takeUp = (): void => {
    this.#isResuming = false
    this.#feedPool()
    let taken = 0
    // A batch that finds the pool busy holds up those behind it; the pool's next answer brings us back here.
    while (taken < turnBytes && this.#forPool.length === 0 && !this.#options.isSinkFull()) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      taken += next.bytes
      if (this.#isInline(next.bytes)) {
        const records = new RecordBatch(this.#transcode(next.context, next.buffer))
        this.#fill(next, { type: 'batch', frames: new FrameBatch(next.buffer), records })
      } else {
        this.#forPool.push(next)
        this.#feedPool()
      }
    }
    if (taken >= turnBytes) this.resume()
    this.#tellIdle()
  }

  #isInline(bytes: number): boolean {
    return bytes < this.#options.inlineBytesMax || !this.#options.codec.canOffload
  }

  #transcode(context: ConnectionContext, buffer: ArrayBuffer): ArrayBuffer {
    return this.#options.codec.transcode(buffer, this.#workOf(context))
  }

  #workOf(connection: ConnectionContext): CodecContext {
    return { connection, encoding: this.#options.codec.encodingOf(connection.target) }
  }

  /** Gives the pool as much as it may have; while the sink is full nothing. */
  #feedPool(): void {
    const { codec, pooledMax, isSinkFull, logger } = this.#options
    while (this.#pooled.size < pooledMax && !isSinkFull()) {
      const next = this.#forPool.shift()
      if (next === undefined) return
      this.#pooled.add(next)
      const { context: connection, buffer } = next
      const encoding = codec.encodingOf(connection.target)
      codec.offload(buffer, { connection, encoding }).then(
        answer => {
          const records = new RecordBatch(answer)
          this.#pooledDone(next, { type: 'batch', frames: new FrameBatch(buffer), records })
        },
        (error: unknown) => {
          const known = asIngestError(error)
          logger.error({ code: known.code, err: known }, 'a batch of frames could not be decoded')
          this.#pooledDone(next, { type: 'undecodable', frames: new FrameBatch(buffer) })
        }
      )
    }
  }

  #pooledDone(undecoded: Undecoded, item: Item): void {
    if (undecoded.isAbandoned) return
    this.#pooled.delete(undecoded)
    this.#fill(undecoded, item)
    this.#feedPool()
    this.resume()
    this.#tellIdle()
  }

  #fill({ connection, bytes, fill }: Undecoded, item: Item): void {
    this.#undecodedBytes -= bytes
    fill({ connection, item })
  }

  #sequencerOf(shard: number): Sequencer<Work> {
    let sequencer = this.#sequencers.get(shard)
    if (sequencer === undefined) {
      sequencer = new Sequencer(this.#options.handOn)
      this.#sequencers.set(shard, sequencer)
    }
    return sequencer
  }

  #isIdle(): boolean {
    for (const sequencer of this.#sequencers.values()) if (sequencer.waiting > 0) return false
    return true
  }

  #tellIdle(): void {
    if (this.#onIdle.length > 0 && this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}
