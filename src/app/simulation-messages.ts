import { type ExchangeName } from '../domain/target.ts'

/** One simulated exchange: where to dial and what it lists. */
export interface SimulatedVenue {
  readonly exchange: ExchangeName
  readonly websocket: string
  readonly rest: string
  /** Canonical symbols. */
  readonly symbols: readonly string[]
}

/** `GET /v1/venues` */
export interface SimulationVenues {
  readonly seed: number
  readonly rate: number | 'max'
  readonly venues: readonly SimulatedVenue[]
  /** The markets stand still: a run has ended on them. */
  readonly frozen: boolean
}

/** `GET /v1/stats`; rates are events per second over all venues. */
export interface SimulationStats {
  readonly sent: number
  readonly asked: number | 'max'
  readonly reached: number
  /** Connects to each venue since the start. */
  readonly handshakes: Readonly<Record<string, number>>
  /** Records that the check has read back; null without a check. */
  readonly read: number | null
}

/** `POST /v1/faults`: a fault of the harness, on the whole service or on one exchange. */
export interface HarnessFault {
  readonly kind: 'kill' | 'outage'
  readonly exchange: ExchangeName | null
  /** Epoch milliseconds. A fault of a moment ends when it begins. */
  readonly at_ms: number
  readonly until_ms: number
}

/** What is left out: all exchanges, now, a moment. */
export type HarnessFaultReport = Pick<HarnessFault, 'kind'> & Partial<HarnessFault>
