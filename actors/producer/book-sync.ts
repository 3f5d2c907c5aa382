/** A delta that waits, already encoded, for the snapshot it belongs on. */
export interface WaitingDelta {
  readonly value: Uint8Array
  readonly first: number
  readonly last: number
  readonly receivedMicros: number
  readonly frameSeq: number
  readonly owner: number
}

export type DeltaDecision =
  /** Publish it now. */
  | 'publish'
  /** Keep it until a snapshot comes. */
  | 'wait'
  /** Already covered by the snapshot the book rests on. */
  | 'superseded'
  /** Seen before. */
  | 'duplicate'
  /** An update is missing before it: the book is out of sync from here. */
  | 'broken'

export type SnapshotDecision = 'fits' | 'too-old' | 'not-needed'

/**
 * The state of one book whose deltas must follow each other (`first` = last `last` + 1) on a snapshot fetched over REST.
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#how-to-manage-a-local-order-book-correctly
 */
export class BookSync {
  readonly #bytesMax: number
  #isSynced = false
  #lastSequence = Number.NaN
  /** Whether the next delta may start at or before the snapshot's sequence, as the first one after it does. */
  #isFirstAfterSnapshot = false
  #waiting: WaitingDelta[] = []
  #waitingBytes = 0
  /** Whether a snapshot was asked for and has not come yet. */
  isSnapshotWanted = false

  /** @param bytesMax bytes of waiting deltas; beyond it the oldest go, and the snapshot must cover them */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
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

  decide(first: number, last: number): DeltaDecision {
    if (!this.#isSynced) return 'wait'
    if (last <= this.#lastSequence) return this.#isFirstAfterSnapshot ? 'superseded' : 'duplicate'
    const follows = this.#isFirstAfterSnapshot
      ? first <= this.#lastSequence + 1
      : first === this.#lastSequence + 1
    if (!follows) return 'broken'
    this.#lastSequence = last
    this.#isFirstAfterSnapshot = false
    return 'publish'
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

  /** Whether a snapshot at `lastSequence` joins with the deltas that wait. When it fits, the book rests on it. */
  rest(lastSequence: number): SnapshotDecision {
    if (this.#isSynced) return 'not-needed'
    const next = this.#waiting.find(delta => delta.last > lastSequence)
    if (next !== undefined && next.first > lastSequence + 1) return 'too-old'
    this.#isSynced = true
    this.#lastSequence = lastSequence
    this.#isFirstAfterSnapshot = true
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
}
