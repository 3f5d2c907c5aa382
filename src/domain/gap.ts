import { type Target } from './target.ts'

export const gapReasons = [
  'disconnect',
  'stale',
  'sequence',
  'checksum',
  'shed',
  'decode',
  'undelivered',
  'restart'
] as const
export type GapReason = (typeof gapReasons)[number]

/**
 * A declared loss, published on `ws.gap.events` when it opens and again when it closes, with the same `gap_id`.
 * Times are microseconds since the epoch: `opened_ts` of the last good record before the gap, `closed_ts` of the first
 * after it. `symbol` null means the whole connection, in the frame range given.
 */
export interface Gap {
  readonly gap_id: string
  readonly status: 'open' | 'closed'
  readonly target: Target
  readonly symbol: string | null
  readonly connection_id: string
  readonly next_connection_id: string | null
  readonly reason: GapReason
  readonly opened_ts: number
  readonly closed_ts: number | null
  readonly last_frame_seq: number | null
  readonly first_frame_seq: number | null
  readonly last_sequence: string | null
  readonly first_sequence: string | null
  readonly missed: number | null
  readonly shed: number | null
}
