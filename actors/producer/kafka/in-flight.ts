import { type Partition } from './partition.ts'

interface Request {
  readonly correlationId: number
  readonly sentAtMs: number
  readonly partitions: readonly Partition[]
}

/** Requests of one connection that have no answer yet, the oldest first, and with them which partitions are on their way. */
export class InFlight {
  readonly #requests: Request[] = []

  get count(): number {
    return this.#requests.length
  }

  /** When the oldest one was sent; Infinity without any. */
  get oldestMs(): number {
    return this.#requests[0]?.sentAtMs ?? Number.POSITIVE_INFINITY
  }

  add(correlationId: number, partitions: readonly Partition[], nowMs: number): void {
    this.#requests.push({ correlationId, sentAtMs: nowMs, partitions })
    for (const partition of partitions) partition.isInFlight = true
  }

  /** Null for an answer to nothing that was asked. */
  take(correlationId: number): readonly Partition[] | null {
    const at = this.#requests.findIndex(request => request.correlationId === correlationId)
    if (at === -1) return null
    const [request] = this.#requests.splice(at, 1)
    return landed(request!.partitions)
  }

  takeAll(): readonly Partition[] {
    return landed(this.#requests.splice(0).flatMap(({ partitions }) => partitions))
  }
}

function landed(partitions: readonly Partition[]): readonly Partition[] {
  for (const partition of partitions) partition.isInFlight = false
  return partitions
}
