import { type SymbolTrack } from './symbol-track.ts'

/** Trades of one symbol as its channels show them: each trade record, and each ticker whose last trade changed. */
export interface SymbolMoves {
  count: number
  lastMicros: number
  /** The last ticker's evidence (time or id of its last trade), NaN before the first. */
  evidence: number
}

const movesThatProveSilence = 3

/**
 * Whether a channel is dead although it is subscribed: its siblings have shown at least three trades since it was last
 * heard, the last of them `healAfterMicros` after it. Every venue's ticker and book move with a trade, so that silence
 * alone, in a quiet market, proves nothing and raises no alarm.
 */
export function isProvenSilent(track: SymbolTrack, healAfterMicros: number): boolean {
  return (
    track.isConnected &&
    track.gap === null &&
    !track.isHealing &&
    track.lastReceivedMicros > 0 &&
    track.moves.count - track.movesSeen >= movesThatProveSilence &&
    track.moves.lastMicros - track.lastReceivedMicros >= healAfterMicros
  )
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
