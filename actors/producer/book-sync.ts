import { type DeltaBookRules } from '../../src/exchange-kit/adapter.ts'
import { BookLevels } from './book-levels.ts'
import { BookRecovery } from './book-recovery.ts'
import { type Place } from './place.ts'

/** A delta that waits, already encoded, for the snapshot it belongs on. */
export interface WaitingDelta {
  readonly value: Uint8Array
  readonly first: number
  readonly last: number
  readonly previous: number
  /** NaN when it carries none. */
  readonly checksum: number
  readonly receivedMicros: number
  readonly frameSeq: number
  readonly owner: number
}

export type DeltaDecision =
  /** Publish it now. */
  | 'publish'
  /** Keep it until a snapshot comes. */
  | 'wait'
  /** Already covered by the snapshot the book rests on, or by the one that is to come in the stream. */
  | 'superseded'
  /** Seen before. */
  | 'duplicate'
  /** An update is missing before it: the book is out of sync from here. */
  | 'broken'

export type SnapshotDecision = 'fits' | 'too-old' | 'not-needed'

export interface BookLimits {
  /** Bytes of waiting deltas; beyond it the oldest go, and the snapshot must cover them. */
  readonly bookPendingBytes: number
  /** Levels a side that are kept for a check. */
  readonly bookLevelsMax: number
}

/**
 * The state of one book of deltas: whether it rests on a snapshot, what may follow, and what waits.
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#how-to-manage-a-local-order-book-correctly
 */
export class BookSync {
  readonly rules: DeltaBookRules
  /** Where the venue's rules give something to check in it; null elsewhere. */
  readonly levels: BookLevels | null
  readonly recovery = new BookRecovery()
  /** The last record up to which the book is known to be right; of no meaning without levels, 0 before the first. */
  readonly verified: Place = { connectionId: '', receivedMicros: 0, frameSeq: 0 }
  /** The connection whose records make the book; those of older ones come too late. */
  source = -1
  /** Whether a snapshot was asked for and has not come yet, since when, and how often. */
  isSnapshotWanted = false
  snapshotAskedMicros = 0
  snapshotRequests = 0
  /** Updates that have followed the snapshot. */
  followed = 0
  /** Whether a checksum has proven the last snapshot right, and how many in a row were wrong. */
  isProven = false
  wrongSnapshots = 0
  /** The venue's checksums contradict its snapshots, so that the check was given up; until the next one nothing is checked. */
  isGivenUp = false
  isUnchecked = false
  /** The venue itself sent a crossed snapshot: until the book is uncrossed a crossing proves nothing. */
  isCrossedByVenue = false
  /** When a crossed snapshot last led to a resubscription. */
  crossedMicros = Number.NEGATIVE_INFINITY
  readonly #bytesMax: number
  readonly #isInStream: boolean
  #isSynced = false
  #lastSequence = Number.NaN
  /** Whether the next delta may start at or before the snapshot's sequence, as the first one after it does. */
  #isFirstAfterSnapshot = false
  #waiting: WaitingDelta[] = []
  #waitingBytes = 0

  constructor(rules: DeltaBookRules, limits: BookLimits) {
    this.rules = rules
    this.levels = rules.check === 'none' ? null : new BookLevels(rules, limits.bookLevelsMax)
    this.#bytesMax = limits.bookPendingBytes
    this.#isInStream = rules.snapshot.from === 'stream'
  }

  get isSynced(): boolean {
    return this.#isSynced
  }
  get waiting(): readonly WaitingDelta[] {
    return this.#waiting
  }
  get lastSequence(): number {
    return this.#lastSequence
  }
  /** Whether snapshots come by themselves after each subscription; deltas need not wait for them. */
  get isInStream(): boolean {
    return this.#isInStream
  }
  /** Whether an update that was lost goes unnoticed by the sequence of the next one. */
  get missesLosses(): boolean {
    return this.rules.sequence === 'none' || this.rules.sequence === 'increasing'
  }

  /** Sequences are NaN where the record has none. */
  decide(first: number, last: number, previous: number): DeltaDecision {
    if (!this.#isSynced) return this.#isInStream ? 'superseded' : 'wait'
    const decision = this.#follow(first, last, previous)
    if (decision !== 'publish') return decision
    this.#lastSequence = last
    this.#isFirstAfterSnapshot = false
    this.followed++
    return decision
  }

  #follow(first: number, last: number, previous: number): DeltaDecision {
    const before = this.#lastSequence
    switch (this.rules.sequence) {
      case 'none':
        return 'publish'
      case 'increasing':
        if (last === before) return 'duplicate'
        return last > before ? 'publish' : 'broken'
      case 'first-follows-last':
        if (last <= before) return this.#isFirstAfterSnapshot ? 'superseded' : 'duplicate'
        return (this.#isFirstAfterSnapshot ? first <= before + 1 : first === before + 1)
          ? 'publish'
          : 'broken'
      case 'previous-equals-last':
        // The venue says now and then that nothing has changed, and the last update may come twice.
        if (last === before) {
          return this.#isFirstAfterSnapshot && !this.#isInStream ? 'superseded' : 'duplicate'
        }
        // The venue may have set its counter back: then `last` is lower, and `previous` fits all the same.
        if (previous === before) return Number.isNaN(last) ? 'broken' : 'publish'
        if (!this.#isFirstAfterSnapshot || this.#isInStream) return 'broken'
        if (last < before) return 'superseded'
        // Sizes are absolute: an update that begins before the snapshot and ends behind it may follow it.
        return previous < before ? 'publish' : 'broken'
    }
  }

  /** Keeps a delta; returns those that had to go because the limit was reached, the oldest first. */
  hold(delta: WaitingDelta): readonly WaitingDelta[] {
    this.#waiting.push(delta)
    this.#waitingBytes += delta.value.length
    if (this.#waitingBytes <= this.#bytesMax) return []
    const dropped: WaitingDelta[] = []
    while (this.#waitingBytes > this.#bytesMax && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift()!
      this.#waitingBytes -= oldest.value.length
      dropped.push(oldest)
    }
    return dropped
  }

  /**
   * Whether a snapshot at `lastSequence` joins with the deltas that wait. When it fits, the book rests on it. One in the
   * stream always does: the venue sends it when what follows is to rest on it.
   */
  rest(lastSequence: number): SnapshotDecision {
    if (!this.#isInStream) {
      if (this.#isSynced) return 'not-needed'
      const next = this.#waiting.find(delta => delta.last > lastSequence)
      if (next !== undefined && !this.#joins(next, lastSequence)) return 'too-old'
    }
    this.#isSynced = true
    this.#lastSequence = lastSequence
    this.#isFirstAfterSnapshot = true
    this.followed = 0
    this.isProven = false
    this.isUnchecked = false
    this.isSnapshotWanted = false
    return 'fits'
  }

  /** The waiting deltas, given up by this object: to be decided anew after a snapshot, or dropped with their epoch. */
  release(): readonly WaitingDelta[] {
    const released = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return released
  }

  /** The book is out of sync; what waits stays, for it may follow the next snapshot. */
  invalidate(): void {
    this.#isSynced = false
    this.#isFirstAfterSnapshot = false
  }

  /** Whether the first delta behind a snapshot leaves no hole. */
  #joins(next: WaitingDelta, lastSequence: number): boolean {
    return this.rules.sequence === 'first-follows-last'
      ? next.first <= lastSequence + 1
      : !(next.previous > lastSequence)
  }
}
