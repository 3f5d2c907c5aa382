import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'

type Bounds = Pick<ProducerTuning, 'lingerMinMs' | 'lingerMaxMs' | 'batchBytes' | 'latencyTargetMs'>

const memoryMs = 1_000

/** The longest linger that the tuning allows: a record waits at most a quarter of the latency target for company. */
export function lingerBoundMs({ lingerMaxMs, latencyTargetMs }: Bounds): number {
  return Math.min(lingerMaxMs, latencyTargetMs / 4)
}

/**
 * How long a partition's records should wait for others. A hot partition fills its batch before the bound, and waits no
 * longer than that takes; a cold one waits as long as the latency target lets it. Rates are averages that forget within
 * about a second.
 */
export class Tuner {
  readonly #minMs: number
  readonly #boundMs: number
  readonly #batchBytes: number
  #bytesPerMs = 0
  #recordsPerMs = 0
  #fill = 0
  #lastMs: number | null = null

  constructor(bounds: Bounds) {
    this.#boundMs = lingerBoundMs(bounds)
    this.#minMs = Math.min(bounds.lingerMinMs, this.#boundMs)
    this.#batchBytes = bounds.batchBytes
  }

  /** A batch leaves whose first record came at `createdMs`. */
  left(records: number, bytes: number, createdMs: number, nowMs: number): void {
    const sinceMs = Math.max(1, nowMs - (this.#lastMs ?? createdMs))
    this.#lastMs = nowMs
    const share = 1 - Math.exp(-sinceMs / memoryMs)
    this.#bytesPerMs += share * (bytes / sinceMs - this.#bytesPerMs)
    this.#recordsPerMs += share * (records / sinceMs - this.#recordsPerMs)
    this.#fill += Math.max(share, 0.1) * (Math.min(1, bytes / this.#batchBytes) - this.#fill)
  }

  /** Milliseconds. */
  get lingerMs(): number {
    if (this.#bytesPerMs * this.#boundMs <= this.#batchBytes) return this.#boundMs
    return Math.max(this.#minMs, this.#batchBytes / this.#bytesPerMs)
  }

  /** 0 to 1. */
  get fill(): number {
    return this.#fill
  }

  /** Falls while nothing leaves. */
  recordsPerSecond(nowMs: number): number {
    if (this.#lastMs === null) return 0
    const idleMs = Math.max(0, nowMs - this.#lastMs - this.#boundMs)
    return this.#recordsPerMs * 1_000 * Math.exp(-idleMs / memoryMs)
  }
}
