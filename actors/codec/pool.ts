import { Piscina } from 'piscina'
import { type CodecContext } from '../../src/codec/context.ts'
import { type CodecTask } from './messages.ts'

const encoder = new TextEncoder()

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

  constructor(threads: number) {
    this.#piscina = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY
    })
  }

  /**
   * A batch that fails with its worker (a crash of the thread) is tried once more, from the bytes that stay here: what
   * the pool gets is a copy, which costs about 0.1 ns a byte.
   */
  async transcode(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer> {
    try {
      return await this.#run(batch, context)
    } catch {
      return await this.#run(batch, context)
    }
  }

  async close(): Promise<void> {
    await this.#piscina.destroy()
  }

  async #run(batch: ArrayBuffer, context: CodecContext): Promise<ArrayBuffer> {
    const copy = batch.slice(0)
    const task: CodecTask = { batch: copy, context: this.#contexts.textOf(context) }
    return (await this.#piscina.run(task, { transferList: [copy] })) as ArrayBuffer
  }
}
