import { type GapReason } from '../../src/domain/gap.ts'
import { type Target } from '../../src/domain/target.ts'
import { type BookSync } from './book-sync.ts'
import { type Carrier, type HandOver } from './hand-over.ts'
import { type RecentStates } from './recent-states.ts'
import { type Route } from './sinks/record-sink.ts'
import { type MoveFollower, type SymbolMoves } from './symbol-moves.ts'
import { type TradeIds } from './trade-ids.ts'

/** A gap that is open for a symbol (or, with `track` null, for a whole connection). */
export interface OpenGap {
  readonly id: string
  readonly reason: GapReason
  readonly connectionId: string
  readonly openedMicros: number
  readonly lastFrameSeq: number | null
  readonly lastSequence: string | null
  missed: number | null
  shed: number | null
}

/** A hole in contiguous trade ids that was declared and that a late trade may still fill. */
export interface TradeHole {
  readonly firstId: number
  readonly lastId: number
  readonly fill: (() => void) | null
}

/** What continuity remembers of one symbol of one target, across the connections that carry it. */
export interface SymbolTrack extends MoveFollower {
  readonly target: Target
  readonly symbol: string
  readonly route: Route
  readonly book: BookSync | null
  readonly tradeIds: TradeIds | null
  readonly idsAreContiguous: boolean
  readonly moves: SymbolMoves
  /** The connection that carries the symbol now, and its subscription there. */
  connection: number
  subscription: number
  connectionId: string
  isConnected: boolean
  /** The connection that it is to replace, while that one goes on; it takes the symbol back when the newer one fails. */
  older: Carrier | null
  /** While the newer connection's records wait for the older one's last. */
  handOver: HandOver | null
  /** A newer connection was refused the symbol: with this one it ends. */
  isRefused: boolean
  /** The oldest connection whose states are still wanted. */
  source: number
  /** Since when no connection is known to bring it: the older one ended before the newer one was confirmed. 0: one is. */
  uncoveredMicros: number
  /** When the venue confirmed the symbol on that connection, 0 before. */
  confirmedMicros: number
  /** The last good record: published, or dropped because it was known already. */
  lastReceivedMicros: number
  lastFrameSeq: number
  lastConnectionId: string
  /** Contiguous trade ids: the highest seen, NaN before the first; holes that late ids may fill. */
  lastTradeId: number
  holes: TradeHole[]
  /** Event time of the newest trade that was published, by this producer or the one before; 0 before the first. */
  newestTradeMicros: number
  /** The frame that last showed trades again, and what `newestTradeMicros` was before it. */
  readonly shown: { connection: number; frameSeq: number; newestMicros: number }
  /** Until then records may repeat what was published before a (re)subscribe. */
  repeatsUntilMicros: number
  /** Of a ticker or whole book: the last ones, to tell a repeated one. */
  readonly states: RecentStates | null
  /** Whether it was subscribed anew because it was silent, and how often since it was heard. */
  isHealing: boolean
  /** By then a subscription that was asked for anew, because of silence, has taken the place of the old one. */
  renewedMicros: number
  heals: number
  /** How long after a trade this channel may take to show it, milliseconds. */
  readonly showsWithinMs: number
  gap: OpenGap | null
}
