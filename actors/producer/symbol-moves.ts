/** Trades of one symbol as its channels show them: each trade record, and each ticker whose last trade changed. */
export interface SymbolMoves {
  count: number
  lastMicros: number
  /** The last ticker's evidence (time or id of its last trade), NaN before the first. */
  evidence: number
}

export function showTrade(moves: SymbolMoves, receivedMicros: number): void {
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
