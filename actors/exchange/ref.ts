import { type MessagePort } from 'node:worker_threads'
import { type CaptureStats } from '../../src/capture/capture-writer.ts'
import { fromWire, type IngestError } from '../../src/core/errors.ts'
import { ThreadRef } from '../runtime/thread-ref.ts'
import { type ExchangeOrder, type ExchangeReport, type ExchangeThreadPlan } from './messages.ts'

export interface ExchangeEvents {
  lookedUp(report: ExchangeReport & { readonly type: 'lookedUp' }): void
  transition(report: ExchangeReport & { readonly type: 'transition' }): void
  circuit(report: ExchangeReport & { readonly type: 'circuit' }): void
  confirmed(report: ExchangeReport & { readonly type: 'confirmed' }): void
  fault(error: IngestError, report: ExchangeReport & { readonly type: 'fault' }): void
  captured(stats: CaptureStats): void
  captureStopped(error: IngestError): void
}

/** A connection thread as main sees it. */
export class ExchangeRef {
  /** Rejects when the thread ended before it was ready. */
  readonly ready: Promise<void>
  readonly exited: Promise<IngestError | null>
  readonly #thread: ThreadRef<ExchangeOrder, ExchangeReport>
  #onStopped: () => void = () => undefined

  constructor(name: string, plan: ExchangeThreadPlan, events: ExchangeEvents) {
    let onReady: () => void = () => undefined
    let onFailed: (error: IngestError) => void = () => undefined
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve
      onFailed = reject
    })
    this.#thread = new ThreadRef(name, new URL('./thread.js', import.meta.url), plan, [], report => {
      switch (report.type) {
        case 'ready':
          onReady()
          break
        case 'lookedUp':
          events.lookedUp(report)
          break
        case 'transition':
          events.transition(report)
          break
        case 'circuit':
          events.circuit(report)
          break
        case 'confirmed':
          events.confirmed(report)
          break
        case 'fault':
          events.fault(fromWire(report.error), report)
          break
        case 'captured':
          events.captured(report.stats)
          break
        case 'captureStopped':
          events.captureStopped(fromWire(report.error))
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

  /** Gives the thread the port of the producer: the first starts the dialling, a later one is a new producer's. */
  connect(port: MessagePort): void {
    this.#thread.post({ type: 'producer', port }, [port])
  }

  /** Closes all sockets; resolves when the drain mark is on the producer's port, or shortly after the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const late = setTimeout(resolve, deadlineMs + 1000)
      this.#onStopped = () => {
        clearTimeout(late)
        resolve()
      }
      this.#thread.post({ type: 'stop', deadlineMs })
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
