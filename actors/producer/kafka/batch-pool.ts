import { Batch, type BatchStore } from './batch.ts'
import { newSlab, type Slab } from './slab.ts'
import { SourceViews } from './source-views.ts'

const firstBytes = 16 * 1024
const idleBytesMaxDefault = 32 * 1024 * 1024

/**
 * Batches and their buffers, kept for reuse. A buffer starts at 16 KiB and is exchanged for one of twice the size as
 * records come, up to `batchBytes`, so that a cold partition does not hold the memory of a hot one through an outage.
 */
export class BatchPool implements BatchStore {
  readonly batchBytes: number
  readonly sources = new SourceViews()
  readonly #idleBytesMax: number
  /** Idle buffers by their size: 16 KiB, 32 KiB … `batchBytes`. */
  readonly #idleSlabs = new Map<number, Slab[]>()
  readonly #idleBatches: Batch[] = []
  readonly #inUse = new Set<Batch>()
  #idleBytes = 0
  #bytesInUse = 0

  /** `idleBytesMax` bounds what is kept for reuse. */
  constructor(batchBytes: number, idleBytesMax = idleBytesMaxDefault) {
    this.batchBytes = batchBytes
    this.#idleBytesMax = idleBytesMax
    for (let bytes = firstBytes; bytes < batchBytes; bytes *= 2) this.#idleSlabs.set(bytes, [])
    this.#idleSlabs.set(batchBytes, [])
  }

  /** Bytes of memory: of batches in use and of what is kept for reuse. */
  get bytes(): number {
    return this.#bytesInUse + this.#idleBytes
  }

  /** Bytes of memory of the batches that are taken and not released. */
  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /**
   * An open batch without records. `minBytes` is how large it is expected to become: a partition that fills its batches
   * asks for them whole, and saves the growing.
   */
  take(minBytes = 0): Batch {
    const batch = this.#idleBatches.pop()
    if (batch !== undefined) this.#idleBytes -= batch.capacity
    const taken = batch ?? new Batch(this)
    taken.open(this.takeSlab(Math.min(minBytes, this.batchBytes)))
    this.#bytesInUse += taken.capacity
    this.#inUse.add(taken)
    return taken
  }

  release(batch: Batch): void {
    if (!this.#inUse.delete(batch)) throw new RangeError('a batch was released that is not in use')
    this.#bytesInUse -= batch.capacity
    this.releaseSlab(batch.shut())
    const { capacity } = batch
    if (this.#idleBytes + capacity > this.#idleBytesMax) return
    this.#idleBatches.push(batch)
    this.#idleBytes += capacity
  }

  takeSlab(minBytes: number): Slab {
    for (const [bytes, slabs] of this.#idleSlabs) {
      if (bytes < minBytes) continue
      const slab = slabs.pop()
      if (slab === undefined) return newSlab(bytes)
      this.#idleBytes -= bytes
      return slab
    }
    // A record larger than a batch: in a buffer of its own size, which is not kept.
    return newSlab(minBytes)
  }

  releaseSlab(slab: Slab): void {
    const bytes = slab.bytes.length
    const slabs = this.#idleSlabs.get(bytes)
    if (slabs === undefined || this.#idleBytes + bytes > this.#idleBytesMax) return
    slabs.push(slab)
    this.#idleBytes += bytes
  }

  resized(bytes: number): void {
    this.#bytesInUse += bytes
  }
}
