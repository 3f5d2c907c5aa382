import ids from '../../schemas/ids.json' with { type: 'json' }
import { type CodecContext, type Encoding } from '../../src/codec/context.ts'
import { createTranscoder, type Transcoder } from '../../src/codec/transcode.ts'
import { warmUp } from '../../src/codec/warm-up.ts'
import { type ExchangeName, type RequestType } from '../../src/domain/target.ts'
import { type CodecPool } from '../codec/pool.ts'

const schemaIds: Readonly<Record<RequestType, number>> = {
  ticker: ids.Ticker,
  trade: ids.Trade,
  orderbook: ids.OrderBook
}

/** The one function from frames to records, run here for small batches and in the pool for large ones. */
export class Codec {
  readonly #transcoder: Transcoder = createTranscoder()
  readonly #pool: CodecPool | null
  readonly #encodings: Readonly<Record<RequestType, Encoding>>
  offloaded = 0
  inlined = 0

  /**
   * @param pool null when no worker is wanted: then everything is done on the calling thread
   * @param exchanges those whose frames are coming; the codec is warm for them when this returns
   */
  constructor(format: Encoding['format'], pool: CodecPool | null, exchanges: readonly ExchangeName[]) {
    this.#pool = pool
    warmUp(this.#transcoder, exchanges)
    this.#encodings = {
      ticker: { format, schemaId: schemaIds.ticker },
      trade: { format, schemaId: schemaIds.trade },
      orderbook: { format, schemaId: schemaIds.orderbook }
    }
  }

  get canOffload(): boolean {
    return this.#pool !== null
  }

  encodingOf(requestType: RequestType): Encoding {
    return this.#encodings[requestType]
  }

  transcode(batch: ArrayBuffer, context: CodecContext): ArrayBuffer {
    this.inlined++
    return this.#transcoder.transcode(batch, context)
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
