import { Piscina } from 'piscina'
import { type CodecContext } from '../../src/codec/context.ts'
import { type ExchangeName } from '../../src/domain/target.ts'
import { poisonFrame } from '../../src/wire/frame-batch.ts'
import { type CodecTask, type CodecWorkerPlan } from './messages.ts'

const encoder = new TextEncoder()
/** A batch takes a millisecond or two; a worker that is silent for so long hangs and is replaced. */
const hangsAfterMs = 10_000

/** Contexts as workers take them: JSON on shared memory, written once per connection version. */
class SharedContexts {
  readonly #texts = new WeakMap<object, SharedArrayBuffer>()

  textOf(context: CodecContext): SharedArrayBuffer {
    const known = this.#texts.get(context.connection)
    if (known !== undefined) return known
    const bytes = encoder.encode(JSON.stringify(context))
    const shared = new SharedArrayBuffer(bytes.length)
    new Uint8Array(shared).set(bytes)
    this.#texts.set(context.connection, shared)
    return shared
  }
}

/** The Piscina pool that transcodes large batches: one task a batch, never a task a frame. */
export class CodecPool {
  readonly #piscina: Piscina
  readonly #contexts = new SharedContexts()

  constructor(threads: number, exchanges: readonly ExchangeName[]) {
    this.#piscina = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      workerData: { exchanges } satisfies CodecWorkerPlan
    })
  }

  /**
   * A batch that fails with its worker (a crash or a hang of the thread) is tried once more, from the bytes that stay here:
   * what the pool gets is a copy, which costs about 0.1 ns a byte. The second time the frame on which the worker ended is
   * poisoned, and the rest is transcoded without it.
   * @throws the worker's error when it fails a third time
   */
  async transcode(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer> {
    const progress = new Int32Array(new SharedArrayBuffer(8))
    try {
      return await this.#run(batch, context, progress)
    } catch {
      try {
        return await this.#run(batch, context, progress)
      } catch {
        poisonFrame(batch, progress[1]!)
        return await this.#run(batch, context, progress)
      }
    }
  }

  async close(): Promise<void> {
    await this.#piscina.destroy()
  }

  async #run(batch: ArrayBuffer, context: CodecContext, progress: Int32Array): Promise<ArrayBuffer> {
    const copy = batch.slice(0)
    const task: CodecTask = { batch: copy, context: this.#contexts.textOf(context), progress }
    // AbortSignal.timeout would cost more than the batch, and leave its timer behind for all of that time.
    const hang = new AbortController()
    const timer = setTimeout(() => hang.abort(), hangsAfterMs)
    try {
      return (await this.#piscina.run(task, { transferList: [copy], signal: hang.signal })) as ArrayBuffer
    } finally {
      clearTimeout(timer)
    }
  }
}
