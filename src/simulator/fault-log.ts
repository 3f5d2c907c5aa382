import { type ExchangeName, type RequestType } from '../domain/target.ts'

/** What may break a stream and so excuse a gap. `kill` and `outage` are recorded by the harness. */
export type FaultKind =
  | 'drop'
  | 'corrupt'
  | 'mute'
  | 'stall'
  | 'reorder'
  | 'accept-close'
  | 'reject'
  | 'flood'
  | 'lose'
  | 'slow-client'
  | 'limit'
  | 'idle'
  | 'age'
  | 'kill'
  | 'outage'

/**
 * One fault. Null means all: a fault without exchange touched the whole process. Times are epoch milliseconds with
 * fraction; a fault that lasts has `untilMs` = Infinity until it ends.
 */
export interface Fault {
  readonly kind: FaultKind
  readonly exchange: ExchangeName | null
  /** Channels that the fault touched as `request_type:SYMBOL`; null: all. */
  readonly channels: readonly string[] | null
  /** The simulator's own number of the connection, and when it was opened: the service dialled just before that. */
  readonly connection: number | null
  readonly connectionOpenedMs: number | null
  readonly atMs: number
  untilMs: number
}

const faultsMax = 200_000

/** Everything that went wrong on purpose (or by a venue's limit), for the check to excuse gaps by. */
export class FaultLog {
  readonly #faults: Fault[] = []
  /** Faults beyond the limit of the log; the check must then excuse generously. */
  unlogged = 0

  record(fault: Fault): Fault {
    if (this.#faults.length < faultsMax) this.#faults.push(fault)
    else this.unlogged++
    return fault
  }

  /** In the order in which they began. */
  all(): readonly Fault[] {
    return this.#faults
  }
}

export function channelName(requestType: RequestType, symbol: string): string {
  return `${requestType}:${symbol}`
}

/** Wall-clock epoch milliseconds with a fraction, on the monotonic clock of the process. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
