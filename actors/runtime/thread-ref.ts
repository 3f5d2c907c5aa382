import { type TransferListItem, Worker } from 'node:worker_threads'
import { IngestError } from '../../src/core/errors.ts'

/** A worker thread as its parent sees it: typed messages in both directions, one promise for its end. */
export class ThreadRef<Order, Report> {
  readonly name: string
  /** Null when the thread ended because it was asked to. */
  readonly exited: Promise<IngestError | null>
  readonly #worker: Worker
  #isAskedToEnd = false
  #lastError: Error | null = null

  constructor(
    name: string,
    entry: URL,
    workerData: unknown,
    transfer: readonly TransferListItem[],
    onReport: (report: Report) => void
  ) {
    this.name = name
    this.#worker = new Worker(entry, { name, workerData, transferList: [...transfer] })
    this.#worker.on('message', onReport)
    this.#worker.on('error', (error: Error) => {
      this.#lastError = error
    })
    this.exited = new Promise(resolve => {
      this.#worker.once('exit', code => resolve(this.#isAskedToEnd ? null : this.#failure(code)))
    })
  }

  post(order: Order, transfer: readonly TransferListItem[] = []): void {
    this.#worker.postMessage(order, transfer)
  }

  /** Ends the thread now. */
  async terminate(): Promise<void> {
    this.#isAskedToEnd = true
    await this.#worker.terminate()
  }

  /** Ends the thread as a crash would: for fault tests and the operator's hand. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  #failure(code: number): IngestError {
    const why = this.#lastError === null ? `exit code ${code}` : this.#lastError.message
    return new IngestError('THREAD_EXITED', `thread ${this.name} ended without being asked to: ${why}`, {
      cause: this.#lastError
    })
  }
}
