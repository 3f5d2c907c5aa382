import { type Clock } from '../../src/core/clock.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import { type ToProducer } from '../../src/wire/session-messages.ts'
import { type ProducerPort } from './batcher.ts'

/** How long nothing may be settled before the window is widened, and before an end is taken for the end. */
const widenAfterMs = 10_000
const quietMs = 2_000

/**
 * How much of a replay is on its way: it counts what goes to the producer and what comes back settled, so that the feeder
 * can wait for room. Book updates that wait for their snapshot are settled only with it, and it may lie behind the window:
 * when nothing at all is settled for a while the window grows by a quarter.
 */
export class ReplayFlow {
  readonly #clock: Clock
  readonly #onWidened: (windowBytes: number) => void
  #windowBytes: number
  #outstanding = 0
  #settlements = 0
  #wake: (() => void) | null = null

  constructor(clock: Clock, windowBytes: number, onWidened: (windowBytes: number) => void) {
    this.#clock = clock
    this.#windowBytes = windowBytes
    this.#onWidened = onWidened
  }

  get hasRoom(): boolean {
    return this.#outstanding < this.#windowBytes
  }

  /** The port, with an eye on what goes through it. */
  counted(port: ProducerPort): ProducerPort {
    this.#outstanding = 0
    return {
      postMessage: (message: ToProducer, transfer) => {
        if (message.type === 'batches') {
          for (const buffer of message.buffers) this.#outstanding += new FrameBatch(buffer).payloadBytes
        }
        port.postMessage(message, transfer as readonly ArrayBuffer[])
      }
    }
  }

  settled(bytes: number): void {
    this.#outstanding -= bytes
    this.#settlements++
    this.wake()
  }

  /** Ends whatever waits here. */
  wake(): void {
    this.#wake?.()
  }

  /** Resolves when there may be room; the caller looks again. */
  async room(): Promise<void> {
    if (await this.#somethingSettled(widenAfterMs)) return
    this.#windowBytes += Math.ceil(this.#windowBytes / 4)
    this.#onWidened(this.#windowBytes)
  }

  /** Resolves when everything is settled, or when nothing has been for a while. */
  async settledAll(isGivenUp: () => boolean): Promise<void> {
    while (this.#outstanding > 0 && !isGivenUp()) {
      if (!(await this.#somethingSettled(quietMs))) return
    }
  }

  /** Waits this long in real time, or until something wakes it. */
  async pause(ms: number): Promise<void> {
    await this.#woken(ms)
  }

  async #somethingSettled(withinMs: number): Promise<boolean> {
    const before = this.#settlements
    await this.#woken(withinMs)
    return this.#settlements !== before
  }

  async #woken(withinMs: number): Promise<void> {
    let timer: unknown = null
    await new Promise<void>(resolve => {
      this.#wake = resolve
      timer = this.#clock.setTimeout(resolve, withinMs)
    })
    this.#wake = null
    this.#clock.clearTimeout(timer)
  }
}
