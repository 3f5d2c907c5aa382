import { type SymbolTrack } from './symbol-track.ts'

const movesThatProveSilence = 3
/** How long after a trade a channel may take to show it where its venue says nothing else, milliseconds. */
export const showsWithinMsDefault = 1_500
/** Silence beyond that, while its siblings trade, which proves that a channel is dead. */
const provesAfterMs = 3_500
/** A channel that stays silent is subscribed anew after twice the time, and twice that, so many times. */
const doublingsMax = 6

/**
 * Whether a channel is dead although it is subscribed: its siblings have shown at least three trades since it was last
 * heard or confirmed, the last of them long after it. Channels of a venue move with a trade, some of them late
 * (`freshness` of its adapter), so that silence alone, in a quiet market, proves nothing and raises no alarm; nor does a
 * heartbeat hide it. A book whose promised snapshot is missing has evidence of its own, see `book-recovery.ts`.
 */
export function isProvenSilent(track: SymbolTrack): boolean {
  if (!track.isConnected || track.isHealing || track.confirmedMicros === 0) return false
  // What we shed ourselves is not the venue's silence.
  if (track.gap?.reason === 'shed') return false
  if (track.moves.count - track.movesSeen < movesThatProveSilence) return false
  if (track.book !== null && track.book.isInStream && !track.book.isSynced) return false
  const heardMicros = Math.max(track.lastReceivedMicros, track.confirmedMicros)
  const waitMs = (track.showsWithinMs + provesAfterMs) * 2 ** Math.min(track.heals, doublingsMax)
  return track.moves.lastMicros - heardMicros >= waitMs * 1000
}

/**
 * Whether a channel that ends now has been silent since well before a trade that its siblings have shown: too short for a
 * proof, yet something of it was lost. A sibling that moves sooner after the channel shows the very trade that the channel
 * has shown as well.
 */
export function owesEvents(track: SymbolTrack, nowMicros: number): boolean {
  const withinMicros = track.showsWithinMs * 1000
  return (
    track.gap === null &&
    track.lastReceivedMicros > 0 &&
    track.moves.count > track.movesSeen &&
    track.moves.lastMicros - track.lastReceivedMicros >= withinMicros &&
    nowMicros - track.owesSinceMicros >= withinMicros
  )
}
