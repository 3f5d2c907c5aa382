/** One channel of a symbol, as far as it follows the symbol's trades. */
export interface MoveFollower {
  /** Trades that had been shown when this channel was last heard. */
  movesSeen: number
  /** When the first trade was shown that this channel has not followed; of no meaning when it has seen all. */
  owesSinceMicros: number
}

/** Trades of one symbol as its channels show them: each trade record, and each ticker whose last trade changed. */
export interface SymbolMoves {
  count: number
  lastMicros: number
  /** The last ticker's evidence (time or id of its last trade), NaN before the first. */
  evidence: number
  readonly followers: MoveFollower[]
}

export function showTrade(moves: SymbolMoves, receivedMicros: number): void {
  for (const follower of moves.followers) {
    if (follower.movesSeen === moves.count) follower.owesSinceMicros = receivedMicros
  }
  moves.count++
  moves.lastMicros = receivedMicros
}

/** A ticker shows a trade when its evidence differs from the one before. */
export function showTicker(moves: SymbolMoves, evidence: number, receivedMicros: number): void {
  if (Number.isNaN(evidence) || evidence === moves.evidence) return
  const isFirst = Number.isNaN(moves.evidence)
  moves.evidence = evidence
  if (!isFirst) showTrade(moves, receivedMicros)
}
