import { IngestError } from '../core/errors.ts'

/** The most that a batch of frames can name: an i32. At a dial a second all day they last for 68 years. */
export const connectionNumberMax = 2 ** 31 - 1

/**
 * Numbers the socket sessions of a process, over all lives of all its threads: the last number given stands in shared
 * memory, so that a thread that starts again goes on behind the one that died. When the numbers are used up a dial ends
 * its thread, and with it the service, which begins anew at 1.
 */
export class ConnectionNumbers {
  readonly memory: SharedArrayBuffer
  readonly #last: Int32Array

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory
    this.#last = new Int32Array(memory)
  }

  /** @throws IngestError LIMIT_HIT when all are used up */
  next(): number {
    const before = Atomics.add(this.#last, 0, 1)
    if (before >= 0 && before < connectionNumberMax) return before + 1
    // Whoever asks again is refused as well.
    Atomics.store(this.#last, 0, connectionNumberMax)
    throw new IngestError(
      'LIMIT_HIT',
      `all ${connectionNumberMax} connection numbers of this process are used up; start it anew`
    )
  }
}
