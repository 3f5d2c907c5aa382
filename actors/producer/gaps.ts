import { type Gap, type GapReason } from '../../src/domain/gap.ts'
import { type Target, targetName } from '../../src/domain/target.ts'
import { type Place } from './place.ts'
import { type OpenGap, type SymbolTrack } from './symbol-track.ts'

/** The first good record after a gap, as far as the gap event needs it. */
export interface GapEnd {
  readonly connectionId: string
  readonly receivedMicros: number
  readonly frameSeq: number | null
  readonly sequence: string | null
}

export interface GapCounts {
  readonly opened: number
  readonly closed: number
  readonly open: number
}

/** Opens and closes gaps, and publishes each change. One gap at a time is open for a symbol. */
export class Gaps {
  readonly #publish: (gap: Gap) => void
  readonly #pod: string
  readonly #openByTarget = new Map<string, number>()
  #next = 0
  #opened = 0
  #closed = 0
  #adopted = 0

  constructor(pod: string, startedMicros: number, publish: (gap: Gap) => void) {
    this.#pod = `${pod}-${Math.floor(startedMicros / 1000).toString(36)}`
    this.#publish = publish
  }

  get counts(): GapCounts {
    return { opened: this.#opened, closed: this.#closed, open: this.#opened + this.#adopted - this.#closed }
  }

  openOf(target: Target): number {
    return this.#openByTarget.get(targetName(target)) ?? 0
  }

  /**
   * Opens a gap behind the symbol's last good record, or behind `since` where a loss shows late. An open one stays, since it
   * covers the new loss as well.
   */
  open(
    track: SymbolTrack,
    reason: GapReason,
    sinceMicros: number,
    facts: { missed?: number; shed?: number; lastSequence?: string | null; since?: Place }
  ): void {
    if (track.gap !== null) {
      if (facts.shed !== undefined) track.gap.shed = (track.gap.shed ?? 0) + facts.shed
      return
    }
    const hasRecord = track.lastReceivedMicros > 0
    const { since } = facts
    track.gap = this.begin(track.target, track.symbol, {
      reason,
      connectionId: since?.connectionId ?? (hasRecord ? track.lastConnectionId : track.connectionId),
      openedMicros: since?.receivedMicros ?? (hasRecord ? track.lastReceivedMicros : sinceMicros),
      lastFrameSeq: since?.frameSeq ?? (hasRecord ? track.lastFrameSeq : 0),
      lastSequence: facts.lastSequence ?? lastSequenceOf(track),
      missed: facts.missed ?? null,
      shed: facts.shed ?? null
    })
  }

  /** Closes the symbol's gap at a good record, when one is open. */
  close(track: SymbolTrack, end: GapEnd, missed: number | null): void {
    const gap = track.gap
    if (gap === null) return
    track.gap = null
    if (missed !== null) gap.missed = missed
    this.end(track.target, track.symbol, gap, end)
  }

  /** Opens a gap of a symbol, or of the whole connection (`symbol` null), and publishes it. */
  begin(target: Target, symbol: string | null, facts: Omit<OpenGap, 'id'>): OpenGap {
    const gap: OpenGap = { id: `${this.#pod}-${++this.#next}`, ...facts }
    this.#opened++
    this.#count(target, 1)
    this.#publish(gapEvent(target, symbol, gap, null))
    return gap
  }

  end(target: Target, symbol: string | null, gap: OpenGap, end: GapEnd): void {
    this.#closed++
    this.#count(target, -1)
    this.#publish(gapEvent(target, symbol, gap, end))
  }

  /** Publishes a closed gap again, because a late record has filled a part of it. */
  restate(target: Target, symbol: string | null, gap: OpenGap, end: GapEnd): void {
    this.#publish(gapEvent(target, symbol, gap, end))
  }

  /**
   * Takes over a gap that an earlier producer opened and did not live to close. That of a symbol goes on until its next
   * good record; that of a connection ends here, since what its symbols lost with the producer is declared for each.
   */
  adopt(gap: Gap, track: SymbolTrack | null, nowMicros: number): void {
    const adopted: OpenGap = {
      id: gap.gap_id,
      reason: gap.reason,
      connectionId: gap.connection_id,
      openedMicros: gap.opened_ts,
      lastFrameSeq: gap.last_frame_seq,
      lastSequence: gap.last_sequence,
      missed: gap.missed,
      shed: gap.shed
    }
    this.#adopted++
    this.#count(gap.target, 1)
    if (track !== null && track.gap === null) {
      track.gap = adopted
      return
    }
    const end = { connectionId: gap.connection_id, receivedMicros: nowMicros, frameSeq: null, sequence: null }
    this.end(gap.target, gap.symbol, adopted, end)
  }

  #count(target: Target, change: number): void {
    this.#openByTarget.set(targetName(target), this.openOf(target) + change)
  }
}

function gapEvent(target: Target, symbol: string | null, gap: OpenGap, end: GapEnd | null): Gap {
  return {
    gap_id: gap.id,
    status: end === null ? 'open' : 'closed',
    target,
    symbol,
    connection_id: gap.connectionId,
    next_connection_id: end === null || end.connectionId === gap.connectionId ? null : end.connectionId,
    reason: gap.reason,
    opened_ts: gap.openedMicros,
    closed_ts: end?.receivedMicros ?? null,
    last_frame_seq: gap.lastFrameSeq,
    first_frame_seq: end?.frameSeq ?? null,
    last_sequence: gap.lastSequence,
    first_sequence: end?.sequence ?? null,
    missed: gap.missed,
    shed: gap.shed
  }
}

/** The last sequence of a track where its venue has one. */
function lastSequenceOf(track: SymbolTrack): string | null {
  const last = track.book?.lastSequence ?? track.lastTradeId
  return Number.isNaN(last) ? null : String(last)
}
