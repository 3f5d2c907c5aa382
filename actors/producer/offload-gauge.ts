import { availableParallelism, cpus } from 'node:os'
import { performance } from 'node:perf_hooks'

/** What the gauge reads; tests bring their own. */
export interface LoadReadings {
  /** Part of the time since the last call in which this thread was busy, 0 to 1. */
  busyShare(): number
  /** Processors of the machine that had nothing to do since the last call. */
  idleCores(): number
}

const busyOn = 0.8
const busyOff = 0.25
/** Less than this is no room for a worker: it would only take time from us and pay for the hop. */
const idleCoresOn = 0.5

/**
 * Decides whether the codec pool is worth its hop. A batch costs more CPU when it goes through the pool, so a worker helps
 * only when this thread cannot keep up by itself and a processor is idle.
 */
export class OffloadGauge {
  readonly #readings: LoadReadings
  #isOn = false

  constructor(readings: LoadReadings = systemReadings()) {
    this.#readings = readings
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** Once a second. Once on it stays on until the load is gone, since the pool's work no longer shows on this thread. */
  look(): void {
    const busy = this.#readings.busyShare()
    const idleCores = this.#readings.idleCores()
    if (this.#isOn) this.#isOn = busy >= busyOff
    else this.#isOn = busy >= busyOn && idleCores >= idleCoresOn
  }
}

function systemReadings(): LoadReadings {
  let loop = performance.eventLoopUtilization()
  let [idleMs, atMs] = [machineIdleMs(), performance.now()]
  return {
    busyShare(): number {
      const before = loop
      loop = performance.eventLoopUtilization()
      return performance.eventLoopUtilization(loop, before).utilization
    },
    idleCores(): number {
      const [idleBefore, before] = [idleMs, atMs]
      idleMs = machineIdleMs()
      atMs = performance.now()
      const idle = (idleMs - idleBefore) / Math.max(1, atMs - before)
      // In a container the machine may be larger than what we may use of it.
      return Math.min(idle, availableParallelism())
    }
  }
}

function machineIdleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}
