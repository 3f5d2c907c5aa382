import { type RunningService, type RunService, type ServiceOptions } from '../app/service.ts'
import { type Summary } from '../domain/summary.ts'
import { ExitCode, type Io } from './io.ts'
import { type LiveTable } from './live-table.ts'
import { summaryText } from './summary-text.ts'
import { verdict } from './verdict.ts'

const showEveryMs = 1000
const closeWithinMs = 10_000

export interface SessionOptions {
  readonly service: ServiceOptions
  readonly isJson: boolean
  readonly table: LiveTable
}

/**
 * Runs the service in the foreground: shows it once a second, stops it gracefully on the first signal and in a hurry on
 * the second, prints the summary and judges it.
 */
export async function runSession(runService: RunService, io: Io, options: SessionOptions): Promise<ExitCode> {
  const stopper = new Stopper(io)
  try {
    const starting = runService(options.service)
    // A signal while it starts is kept until there is something to stop; a second one gives up waiting.
    const running = await Promise.race([starting, stopper.abandoned])
    if (running === null) {
      starting.catch(() => undefined)
      return stopper.code(ExitCode.failed)
    }
    stopper.attach(running)
    try {
      const summary = await watched(running, io, options)
      return stopper.code(await report(summary, io, options))
    } finally {
      await closed(running)
    }
  } finally {
    stopper.release()
  }
}

/** The summary is there before everything is closed; a service that failed may never be. */
async function closed(running: RunningService): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>(resolve => {
    timer = setTimeout(resolve, closeWithinMs)
  })
  const stopped = running.stop('it has ended').then(
    () => undefined,
    () => undefined
  )
  await Promise.race([stopped, deadline])
  clearTimeout(timer)
}

async function watched(running: RunningService, io: Io, { table }: SessionOptions): Promise<Summary> {
  const show = () => table.show(running.snapshot(), Date.now())
  if (table.isInPlace) show()
  const timer = setInterval(show, showEveryMs)
  try {
    return await running.finished
  } finally {
    clearInterval(timer)
    if (table.isInPlace && !io.outClosed.aborted) show()
  }
}

async function report(summary: Summary, io: Io, { service, isJson }: SessionOptions): Promise<ExitCode> {
  await io.out(isJson ? `${JSON.stringify(summary)}\n` : summaryText(summary))
  const wasVerified = service.simulation?.verify === true
  const reasons = verdict(summary, wasVerified)
  for (const reason of reasons) io.err(`coin-stream: ${reason}\n`)
  if (reasons.length === 0 && wasVerified && !isJson) {
    await io.out('Verified: nothing is missing, doubled, misordered or altered, and both ledgers balance.\n')
  }
  return reasons.length === 0 ? ExitCode.done : ExitCode.failed
}

/** Turns signals, and a stdout that nobody reads any more, into `stop` and then `hurry`. */
class Stopper {
  /** Settles with null at the second signal of a service that has not started yet. */
  readonly abandoned: Promise<null>
  readonly #io: Io
  readonly #release: () => void
  readonly #onOutClosed = () => this.#request('nobody reads the output any more', false)
  #abandon: () => void = () => undefined
  #running: RunningService | null = null
  #reason: string | null = null
  #wasInterrupted = false

  constructor(io: Io) {
    this.#io = io
    this.abandoned = new Promise(resolve => {
      this.#abandon = () => resolve(null)
    })
    this.#release = io.onSignal(signal => this.#request(signal, signal === 'SIGINT'))
    io.outClosed.addEventListener('abort', this.#onOutClosed)
  }

  attach(running: RunningService): void {
    this.#running = running
    if (this.#reason !== null) this.#stop(running, this.#reason)
  }

  /** An interrupted run ends with 130, unless it has failed as well. */
  code(code: ExitCode): ExitCode {
    return this.#wasInterrupted && code === ExitCode.done ? ExitCode.interrupted : code
  }

  release(): void {
    this.#release()
    this.#io.outClosed.removeEventListener('abort', this.#onOutClosed)
  }

  #request(reason: string, isInterrupt: boolean): void {
    this.#wasInterrupted ||= isInterrupt
    if (this.#reason === null) {
      this.#reason = reason
      this.#io.err(`Stopping (${reason}): closing sockets and draining; signal again to hurry.\n`)
      if (this.#running !== null) this.#stop(this.#running, reason)
    } else if (this.#running === null) {
      this.#abandon()
    } else {
      this.#io.err('Hurrying: what is not acknowledged at once is declared lost.\n')
      this.#running.hurry()
      // A third signal ends the process as signals do.
      this.#release()
    }
  }

  #stop(running: RunningService, reason: string): void {
    // A failed stop is a failed run, and shows through `finished`.
    running.stop(reason).catch(() => undefined)
  }
}
