import { type ExchangeName } from '../../src/domain/target.ts'

/** One task of the codec pool. The batch is transferred; the context (JSON of a CodecContext) is shared memory. */
export interface CodecTask {
  readonly batch: ArrayBuffer
  readonly context: SharedArrayBuffer
  /** `[batch number, frame row]` on shared memory, written before each frame: when the worker ends, it names the frame. */
  readonly progress: Int32Array
}

/** What a worker of the pool must know at its start. */
export interface CodecWorkerPlan {
  readonly exchanges: readonly ExchangeName[]
}
