import { type Clock } from '../../src/core/clock.ts'
import { asIngestError, IngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { RestartWindow } from '../../src/core/restart-window.ts'
import { type Child, type ChildSpec, type ExitReason } from './child-spec.ts'

interface Running {
  readonly spec: ChildSpec
  readonly child: Child
}

/**
 * A supervisor with the strategy one_for_one: children start in order and stop in reverse; one that fails is started
 * again alone, until it fails more often than the intensity allows, which ends the service.
 */
export class Supervisor {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onExhausted: (error: IngestError) => void
  readonly #windows = new Map<string, RestartWindow>()
  readonly #intensity: number
  readonly #periodMs: number
  #running: Running[] = []
  #isStopping = false
  readonly restarts = new Map<string, number>()

  constructor(options: {
    clock: Clock
    logger: Logger
    intensity: number
    periodMs: number
    onExhausted: (error: IngestError) => void
  }) {
    this.#clock = options.clock
    this.#logger = options.logger
    this.#intensity = options.intensity
    this.#periodMs = options.periodMs
    this.#onExhausted = options.onExhausted
  }

  /** Starts one more child, after those that run. */
  async start(spec: ChildSpec): Promise<void> {
    const child = await spec.start()
    this.#adopt(spec, child)
  }

  /** Stops one child, or with no id all of them in reverse order. */
  async stop(id?: string): Promise<void> {
    if (id === undefined) this.#isStopping = true
    for (const running of this.#running.toReversed()) {
      if (id !== undefined && running.spec.id !== id) continue
      this.#running = this.#running.filter(other => other !== running)
      await running.child.stop(running.spec.shutdownMs)
    }
  }

  #adopt(spec: ChildSpec, child: Child): void {
    const running = { spec, child }
    this.#running.push(running)
    void child.exited.then(reason => this.#exited(running, reason))
  }

  async #exited(running: Running, reason: ExitReason): Promise<void> {
    if (this.#isStopping || !this.#running.includes(running)) return
    this.#running = this.#running.filter(other => other !== running)
    const { spec } = running
    if (spec.restart === 'temporary' || (spec.restart === 'transient' && reason === null)) return
    await this.#restart(spec, reason)
  }

  /** Starts a failed child again, and again when that fails, as often as the window admits. */
  async #restart(spec: ChildSpec, first: ExitReason): Promise<void> {
    const window = this.#windows.get(spec.id) ?? new RestartWindow(this.#intensity, this.#periodMs)
    this.#windows.set(spec.id, window)
    let reason = first
    while (!this.#isStopping) {
      this.restarts.set(spec.id, (this.restarts.get(spec.id) ?? 0) + 1)
      if (!window.admit(this.#clock.nowMicros())) {
        const message = `${spec.id} failed more than ${this.#intensity} times in ${this.#periodMs / 1000} s: ${reason?.message ?? 'it ended'}.`
        this.#onExhausted(new IngestError('RESTARTS_EXHAUSTED', message, { cause: reason }))
        return
      }
      this.#logger.error({ code: 'THREAD_EXITED', child: spec.id, err: reason }, `${spec.id} ended and is restarted`)
      try {
        this.#adopt(spec, await spec.start())
        return
      } catch (error) {
        reason = asIngestError(error)
      }
    }
  }
}
