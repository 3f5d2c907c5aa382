import { type MessagePort } from 'node:worker_threads'
import { fromWire, type IngestError } from '../../src/core/errors.ts'
import { type ErrorEvent } from '../../src/domain/error-event.ts'
import { type Gap } from '../../src/domain/gap.ts'
import { ThreadRef } from '../runtime/thread-ref.ts'
import { type ProducerOrder, type ProducerPlan, type ProducerReport, type ProducerStats } from './messages.ts'

/**
 * What a drain may take beyond its deadline before it is given up: the gaps of what it could not deliver are still to be
 * sent, and the sink's connections to be closed.
 */
const lateAfterMs = 6_000

export interface ProducerEvents {
  stats(stats: ProducerStats): void
  gapOpened(gap: Gap): void
  /** The sink has the end of the gap. */
  gapClosed(gapId: string): void
  fault(error: IngestError): void
}

/** The producer thread as main sees it. */
export class ProducerRef {
  readonly ready: Promise<void>
  readonly exited: Promise<IngestError | null>
  readonly #thread: ThreadRef<ProducerOrder, ProducerReport>
  /** Resolves when the producer has drained, or is gone. */
  readonly #drained: Promise<void>

  constructor(plan: ProducerPlan, events: ProducerEvents) {
    let onReady: () => void = () => undefined
    let onFailed: (error: IngestError) => void = () => undefined
    let onDrained: () => void = () => undefined
    this.#drained = new Promise(resolve => {
      onDrained = resolve
    })
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve
      onFailed = reject
    })
    const transfer = plan.sink.kind === 'embedded' ? [plan.sink.port] : []
    this.#thread = new ThreadRef(
      'producer',
      new URL('./thread.js', import.meta.url),
      plan,
      transfer,
      report => {
        switch (report.type) {
          case 'ready':
            onReady()
            break
          case 'stats':
            events.stats(report.stats)
            break
          case 'gapOpened':
            events.gapOpened(report.gap)
            break
          case 'gapClosed':
            events.gapClosed(report.gapId)
            break
          case 'fault':
            events.fault(fromWire(report.error))
            onFailed(fromWire(report.error))
            break
          case 'drained':
            events.stats(report.stats)
            onDrained()
            break
        }
      }
    )
    this.exited = this.#thread.exited
    void this.exited.then(error => {
      if (error !== null) onFailed(error)
      onDrained()
    })
  }

  /** Gives the producer the port of a connection thread. */
  connect(thread: number, port: MessagePort): void {
    this.#thread.post({ type: 'port', thread, port }, [port])
  }

  /** Publishes an error that another thread has met. */
  publishError(event: ErrorEvent): void {
    this.#thread.post({ type: 'error', event })
  }

  /**
   * Resolves when everything is settled, at the latest shortly after the deadline. A second drain, with a shorter
   * deadline, hurries the first: whichever is done ends both.
   */
  async drain(threads: number, deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, deadlineMs + lateAfterMs)
    })
    this.#thread.post({ type: 'drain', threads, deadlineMs })
    await Promise.race([this.#drained, late])
    clearTimeout(timer)
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate()
  }

  /** Ends the thread as a crash would. */
  async kill(): Promise<void> {
    await this.#thread.kill()
  }
}
