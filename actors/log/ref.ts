import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { fromWire, IngestError } from '../../src/core/errors.ts'
import { type FromTail, type TailRecord, type ToTail } from '../../src/wire/log-port.ts'
import { ThreadRef } from '../runtime/thread-ref.ts'
import { type LogOrder, type LogPlan, type LogReport, type LogStats, type TailQuery } from './messages.ts'

/** Who takes the records of a tail. */
export interface TailTaker {
  record(record: TailRecord): void
  /** Records had left the log before they could be read. */
  skipped(count: number): void
  /** The log ends, or has too many readers already. */
  end(): void
}

/** The log's thread as main sees it. */
export class LogRef {
  readonly ready: Promise<void>
  readonly exited: Promise<IngestError | null>
  stats: LogStats = { topics: [], checkers: 0, heldAcks: 0, limitHits: {} }
  readonly #thread: ThreadRef<LogOrder, LogReport>
  #onClosed: (() => void) | null = null
  #closing: Promise<void> | null = null

  constructor(plan: LogPlan, onFault: (error: IngestError) => void) {
    let onReady: () => void = () => undefined
    let onFailed: (error: IngestError) => void = () => undefined
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve
      onFailed = reject
    })
    this.#thread = new ThreadRef('log', new URL('./thread.js', import.meta.url), plan, [], report => {
      switch (report.type) {
        case 'ready':
          onReady()
          break
        case 'stats':
          this.stats = report.stats
          break
        case 'fault': {
          const error = fromWire(report.error)
          onFault(error)
          onFailed(error)
          break
        }
        case 'closed':
          this.stats = report.stats
          this.#onClosed?.()
          break
      }
    })
    this.exited = this.#thread.exited
    void this.exited.then(error => {
      onFailed(error ?? new IngestError('THREAD_EXITED', 'the log thread was ended before it was ready'))
      this.#onClosed?.()
    })
    // Who does not wait for `ready` learns of a failure through `onFault` and `exited`.
    this.ready.catch(() => undefined)
  }

  /** A port for the sink of a producer; the log keeps the other end. */
  producerPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#thread.post({ type: 'producer', port: port1 }, [port1])
    return port2
  }

  /** Reads a topic from its earliest kept record or from now on; the answer stops it. */
  tail(query: TailQuery, taker: TailTaker): () => void {
    const { port1, port2 } = new MessageChannel()
    let isOver = false
    port2.on('message', (message: FromTail) => {
      if (isOver) return
      if (message.skipped > 0) taker.skipped(message.skipped)
      for (const record of message.records) {
        taker.record(record)
        // The taker may have had enough, and stopped the tail from within the call.
        if (isOver) return
      }
      port2.postMessage({ type: 'taken' } satisfies ToTail)
    })
    port2.on('close', () => {
      if (isOver) return
      isOver = true
      taker.end()
    })
    this.#thread.post({ type: 'tail', port: port1, query }, [port1])
    return () => {
      isOver = true
      port2.close()
    }
  }

  /** Tells the checkers the end and gives them the time to read it; then ends the thread. Harmless when repeated. */
  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  /** Ends the thread as a crash would. */
  async kill(): Promise<void> {
    await this.#thread.kill()
  }

  async #close(deadlineMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const late = setTimeout(resolve, deadlineMs + 1000)
      this.#onClosed = () => {
        clearTimeout(late)
        resolve()
      }
      this.#thread.post({ type: 'close', deadlineMs })
    })
    await this.#thread.terminate()
  }
}
