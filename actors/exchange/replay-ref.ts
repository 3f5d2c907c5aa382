import { type MessagePort } from 'node:worker_threads'
import { fromWire, type IngestError } from '../../src/core/errors.ts'
import { ThreadRef } from '../runtime/thread-ref.ts'
import { type ExchangeReport } from './messages.ts'
import {
  type ReplayOrder,
  type ReplayReport,
  type ReplayStats,
  type ReplayThreadPlan
} from './replay-messages.ts'

export interface ReplayEvents {
  fault(error: IngestError, report: ExchangeReport & { readonly type: 'fault' }): void
  remark(sentence: string): void
  progress(stats: ReplayStats): void
  finished(stats: ReplayStats): void
  /** The capture cannot be read. */
  failed(error: IngestError): void
}

/** The replay thread as main sees it: in the place of a connection thread. */
export class ReplayRef {
  /** Rejects when the thread ended before it was ready. */
  readonly ready: Promise<void>
  readonly exited: Promise<IngestError | null>
  readonly #thread: ThreadRef<ReplayOrder, ReplayReport>
  #onStopped: () => void = () => undefined

  constructor(plan: ReplayThreadPlan, events: ReplayEvents) {
    let onReady: () => void = () => undefined
    let onFailed: (error: IngestError) => void = () => undefined
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve
      onFailed = reject
    })
    const entry = new URL('./replay-thread.js', import.meta.url)
    this.#thread = new ThreadRef('replay', entry, plan, [], report => {
      switch (report.type) {
        case 'ready':
          onReady()
          break
        case 'fault':
          events.fault(fromWire(report.error), report)
          break
        case 'remark':
          events.remark(report.sentence)
          break
        case 'progress':
          events.progress(report.stats)
          break
        case 'finished':
          events.finished(report.stats)
          break
        case 'failed':
          events.failed(fromWire(report.error))
          break
        case 'stopped':
          this.#onStopped()
          break
      }
    })
    this.exited = this.#thread.exited
    void this.exited.then(error => {
      if (error !== null) onFailed(error)
      this.#onStopped()
    })
  }

  /** Gives the thread the port of the producer: the first begins the replay, a later one is a new producer's. */
  connect(port: MessagePort): void {
    this.#thread.post({ type: 'producer', port }, [port])
  }

  /** Ends the replay where it is; resolves when the drain mark is on the producer's port, or at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const late = setTimeout(resolve, deadlineMs)
      this.#onStopped = () => {
        clearTimeout(late)
        resolve()
      }
      this.#thread.post({ type: 'stop' })
    })
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate()
  }

  /** Ends the thread as a crash would. */
  async kill(): Promise<void> {
    await this.#thread.kill()
  }
}
