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
  /** Ids in the order of their first start: a child that was restarted keeps its place when all are stopped. */
  readonly #order: string[] = []
  readonly #restarting = new Map<ChildSpec, Promise<void>>()
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
    if (!this.#order.includes(spec.id)) this.#order.push(spec.id)
    this.#adopt(spec, await spec.start())
  }

  /** Stops one child, or with no id all of them in reverse order. */
  async stop(id?: string): Promise<void> {
    if (id === undefined) this.#isStopping = true
    const place = ({ spec }: Running): number => this.#order.indexOf(spec.id)
    for (const running of this.#running.toSorted((a, b) => place(b) - place(a))) {
      if (id !== undefined && running.spec.id !== id) continue
      this.#running = this.#running.filter(other => other !== running)
      await running.child.stop(running.spec.shutdownMs)
    }
    if (id === undefined) await this.#restartsEnd()
  }

  /** Waits for children that were just being started again, which then stop at once, but no longer than they may take. */
  async #restartsEnd(): Promise<void> {
    if (this.#restarting.size === 0) return
    const deadlineMs = Math.max(...[...this.#restarting.keys()].map(spec => spec.shutdownMs))
    let timer: unknown
    const deadline = new Promise<void>(resolve => {
      timer = this.#clock.setTimeout(resolve, deadlineMs)
    })
    await Promise.race([Promise.all(this.#restarting.values()), deadline])
    this.#clock.clearTimeout(timer)
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
    const restart = this.#restart(spec, reason)
    this.#restarting.set(spec, restart)
    await restart
    this.#restarting.delete(spec)
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
      this.#logger.error(
        { code: 'THREAD_EXITED', child: spec.id, err: reason },
        `${spec.id} ended and is restarted`
      )
      try {
        const child = await spec.start()
        // When all were stopped meanwhile, nobody else knows of this child.
        if (this.#isStopping) await child.stop(spec.shutdownMs)
        else this.#adopt(spec, child)
        return
      } catch (error) {
        reason = asIngestError(error)
      }
    }
  }
}
