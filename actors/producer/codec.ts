import { type CodecContext, type Encoding } from '../../src/codec/context.ts'
import { createTranscoder, type Transcoder } from '../../src/codec/transcode.ts'
import { warmUp } from '../../src/codec/warm-up.ts'
import { dataTopic } from '../../src/domain/routing.ts'
import { type ExchangeName, type Target } from '../../src/domain/target.ts'
import { type RecordBatch } from '../../src/wire/record-batch.ts'
import { type CodecPool } from '../codec/pool.ts'
import { type OffloadGauge } from './offload-gauge.ts'

/** The one function from frames to records, run here for small batches and in the pool for large ones. */
export class Codec {
  readonly #transcoder: Transcoder = createTranscoder()
  readonly #pool: CodecPool | null
  readonly #gauge: OffloadGauge | null
  /** By topic: a registry may know one schema by different ids under different subjects. */
  readonly #encodings: ReadonlyMap<string, Encoding>
  offloaded = 0
  inlined = 0

  /**
   * @param schemaIds by topic, of every topic whose records will be encoded
   * @param pool null when no worker is wanted: then everything is done on the calling thread
   * @param gauge when the pool is worth its hop; null: always
   * @param exchanges those whose frames are coming; the codec is warm for them when this returns
   */
  constructor(
    format: Encoding['format'],
    schemaIds: Readonly<Record<string, number>>,
    pool: CodecPool | null,
    gauge: OffloadGauge | null,
    exchanges: readonly ExchangeName[]
  ) {
    this.#pool = pool
    this.#gauge = gauge
    warmUp(this.#transcoder, exchanges)
    const topics = Object.entries(schemaIds)
    this.#encodings = new Map(topics.map(([topic, schemaId]) => [topic, { format, schemaId }]))
  }

  get canOffload(): boolean {
    return this.#pool !== null && (this.#gauge === null || this.#gauge.isOn)
  }

  encodingOf(target: Target): Encoding {
    const encoding = this.#encodings.get(dataTopic(target))
    if (encoding === undefined) throw new RangeError(`${dataTopic(target)} has no schema id`)
    return encoding
  }

  transcode(batch: ArrayBuffer, context: CodecContext): ArrayBuffer {
    this.inlined++
    return this.#transcoder.transcode(batch, context)
  }

  /** Valid until the next call: for what is taken at once. */
  transcodeInPlace(batch: ArrayBuffer, context: CodecContext): RecordBatch {
    this.inlined++
    return this.#transcoder.transcodeInPlace(batch, context)
  }

  /** @throws the worker's error when a batch failed twice */
  offload(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer> {
    this.offloaded++
    return this.#pool!.transcode(batch, context)
  }

  async close(): Promise<void> {
    await this.#pool?.close()
  }
}
