/** How long after a (re)subscription the snapshot that the venue promises may take. */
const promiseMicros = 10_000_000
const firstDelayMicros = 1_000_000
const delayMaxMicros = 300_000_000
/** A book that was in sync for so long was steady: its next break has nothing to do with the one before. */
const steadyMicros = 5_000_000

/**
 * When a book whose snapshots come in the stream is subscribed anew: at once when it breaks, later and later while it
 * breaks again right after its snapshot, and when a promised snapshot does not come.
 */
export class BookRecovery {
  /** Resubscriptions since the book was steady. */
  #attempts = 0
  #askedMicros = Number.NEGATIVE_INFINITY
  #restedMicros = Number.NEGATIVE_INFINITY
  /** NaN while nothing is owed. */
  #dueMicros = Number.NaN

  /**
   * The book is out of sync. Returns whether it is to be subscribed anew now; if not, `isDue` says when.
   * @param isChance whether the cause lies outside of the book, so that the next snapshot will not break for it as well
   */
  broke(nowMicros: number, isChance: boolean): boolean {
    const wasSynced = Number.isNaN(this.#dueMicros)
    if (wasSynced && (isChance || nowMicros - this.#restedMicros >= steadyMicros)) this.#attempts = 0
    const earliest = Math.max(nowMicros, this.#askedMicros + this.#delayMicros())
    if (!(this.#dueMicros <= earliest)) this.#dueMicros = earliest
    return this.#dueMicros <= nowMicros
  }

  /** The venue was asked for a new subscription. */
  asked(nowMicros: number): void {
    this.#attempts++
    this.#askedMicros = nowMicros
    this.promised(nowMicros)
  }

  /** The venue confirmed a subscription, and so owes a snapshot. */
  promised(atMicros: number): void {
    this.#dueMicros = atMicros + Math.max(promiseMicros, this.#delayMicros())
  }

  /** A snapshot came. */
  rested(nowMicros: number): void {
    this.#dueMicros = Number.NaN
    this.#restedMicros = nowMicros
  }

  /** Whether the time is over; asked about a book that is out of sync. */
  isDue(nowMicros: number): boolean {
    if (Number.isNaN(this.#dueMicros)) this.promised(nowMicros)
    return nowMicros >= this.#dueMicros
  }

  #delayMicros(): number {
    if (this.#attempts === 0) return 0
    return Math.min(delayMaxMicros, firstDelayMicros * 2 ** (this.#attempts - 1))
  }
}
