import { type SymbolTrack } from './symbol-track.ts'

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
