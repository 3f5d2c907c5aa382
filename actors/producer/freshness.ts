import { type SymbolTrack } from './symbol-track.ts'

const movesThatProveSilence = 3
const showsWithinMicros = 1_500_000

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

/**
 * Whether a channel that ends now has been silent since well before a trade that its siblings have shown: too short for a
 * proof, yet something of it was lost. Every venue's channels show a trade within a second.
 */
export function owesEvents(track: SymbolTrack, nowMicros: number): boolean {
  return (
    track.gap === null &&
    track.lastReceivedMicros > 0 &&
    track.moves.count > track.movesSeen &&
    nowMicros - track.owesSinceMicros >= showsWithinMicros
  )
}
