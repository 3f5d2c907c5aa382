import { type Logger } from '../../src/core/logger.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { BookContinuity } from './book-continuity.ts'
import { contentStart } from './content.ts'
import { type Gaps } from './gaps.ts'
import { type ContinuityOutput, GoodRecords } from './good-records.ts'
import { HandOver } from './hand-over.ts'
import { type RecentStates } from './recent-states.ts'
import { showTicker } from './symbol-moves.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { TradeContinuity } from './trade-continuity.ts'

/** How long after a (re)subscribe what comes may repeat what was published before it. */
export const repeatWindowMicros = 10_000_000

/** A symbol that is subscribed anew has left its old subscription and got the new one within this time. */
const renewalMicros = 2_000_000
/** An older connection that was silent for so long, while the newer one was not, is left before it ends. */
const olderSilentMicros = 2_000_000
/** So long a newer connection may take to be confirmed behind the end of the older one before a gap says that it is not. */
const uncoveredMicrosMax = 2_000_000

/**
 * Decides record by record, in the order of the socket, what is published, what is a repetition, what waits for a
 * snapshot, and where something is missing. Works on encoded records and their rows of facts; nothing is decoded.
 */
export class Continuity {
  readonly #gaps: Gaps
  readonly #output: ContinuityOutput
  readonly #good: GoodRecords
  readonly #trades: TradeContinuity
  readonly #books: BookContinuity
  readonly #handOverBytesMax: number
  /** Hand-overs that did not wait for the end of the older connection, since more was held than is allowed. */
  #handOversCut = 0

  constructor(
    gaps: Gaps,
    output: ContinuityOutput,
    limits: { readonly handOverBytes: number },
    logger: Logger
  ) {
    this.#handOverBytesMax = limits.handOverBytes
    this.#gaps = gaps
    this.#output = output
    this.#good = new GoodRecords(gaps, output)
    this.#trades = new TradeContinuity(gaps, this.#good, output)
    this.#books = new BookContinuity(gaps, this.#good, output, logger)
  }

  /**
   * How often each limit was reached: updates and levels of books that went, hand-overs that were cut short, holes in trade
   * ids that no late trade can fill any more, checks of books that were given up.
   */
  get limitHits(): {
    readonly bookPendingBytes: number
    readonly bookLevelsMax: number
    readonly handOverBytes: number
    readonly tradeHolesPerSymbol: number
    readonly wrongBookSnapshots: number
  } {
    return {
      bookPendingBytes: this.#books.updatesOverflown,
      bookLevelsMax: this.#books.levelsOverflown,
      handOverBytes: this.#handOversCut,
      tradeHolesPerSymbol: this.#trades.holesForgotten,
      wrongBookSnapshots: this.#books.checksGivenUp
    }
  }

  record(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    const { handOver } = track
    if (handOver === null) this.#decide(track, batch, row, owner)
    else if (batch.connection <= handOver.older.connection) {
      // Trades are told by their ids.
      if (track.target.request_type === 'trade') handOver.olderMicros = batch.receivedMicros(row)
      else handOver.noteOlder(batch, row)
      this.#decide(track, batch, row, owner)
    } else {
      handOver.hold(batch, row, owner)
      const { book } = track
      const isOlderGood = book === null || (book.isSynced && book.source === handOver.older.connection)
      const isOver = handOver.hasEnded && !handOver.isBehind(batch.receivedMicros(row))
      const isFull = handOver.heldBytes > this.#handOverBytesMax
      if (isFull) this.#handOversCut++
      if (isOver || !isOlderGood || isFull) this.#takeOver(track, handOver)
    }
  }

  /** A connection is about to carry the symbol while the one before it still does. */
  overlaps(track: SymbolTrack, nowMicros: number): void {
    if (track.handOver !== null) this.#takeOver(track, track.handOver)
    const { connection, connectionId, subscription, confirmedMicros } = track
    track.older = { connection, connectionId, subscription, confirmedMicros }
    // Books whose snapshots are fetched begin anew with that of the newer connection; their sequences tell the rest.
    if (track.book !== null && !track.book.isInStream) return
    track.handOver = new HandOver(track.older, nowMicros)
  }

  /**
   * The older connection has brought its last: what the newer one brings beyond it goes on from there.
   * @param isLost whether the older one broke off, so that something between the two may be missing
   */
  olderEnded(track: SymbolTrack, isLost: boolean, atMicros: number): void {
    const { older, handOver, book } = track
    track.older = null
    if (track.confirmedMicros === 0) track.uncoveredMicros = atMicros
    // What still comes of the newer one may be what the older one brought.
    track.repeatsUntilMicros = Math.max(track.repeatsUntilMicros, atMicros + repeatWindowMicros)
    if (handOver === null) {
      if (!isLost || book === null || book.isInStream || book.source !== older?.connection) return
      // The newer one has brought nothing of this book yet.
      this.#gaps.open(track, 'disconnect', atMicros, {})
      this.#books.broke(book)
      return
    }
    handOver.endedMicros = atMicros
    handOver.isLost = isLost
    // Trades are told apart by their ids, whichever connection is behind.
    const isTrade = track.target.request_type === 'trade'
    if (isTrade || !handOver.isBehind(atMicros)) this.#takeOver(track, handOver)
  }

  #takeOver(track: SymbolTrack, handOver: HandOver): void {
    const { book, target } = track
    const { held, isLost, isLastKnown } = handOver
    track.handOver = null
    track.source = track.connection
    // Trades are told by their ids, and a book that is out of step goes on with the newer one's snapshot.
    const isTold = target.request_type === 'trade' || book?.isSynced === false
    if (isLost && (isTold || !isLastKnown) && !track.idsAreContiguous)
      this.#gaps.open(track, 'disconnect', handOver.olderMicros, {})
    // So does a book of which it cannot be said where the two connections meet.
    const known = isTold || (book !== null && !isLastKnown) ? 0 : handOver.known
    if (known > 0 && book !== null) book.source = track.connection
    for (let at = 0; at < held.length; at++) {
      const { batch, owner } = held[at]!
      const isKnown = at < known || (!isLastKnown && isOlderState(track, batch))
      if (isKnown) this.#output.drop(owner, 'duplicate')
      else this.#decide(track, batch, 0, owner)
    }
  }

  /**
   * The newer connection has ended. Returns whether the older one goes on in its place.
   * @param reason of the gap where the newer one's records had taken the place of the older one's, null for none
   */
  newerEnded(track: SymbolTrack, reason: GapReason | null, atMicros: number): boolean {
    const { older, handOver, book } = track
    track.uncoveredMicros = 0
    if (older === null) {
      if (handOver !== null) this.#takeOver(track, handOver)
      return false
    }
    track.older = null
    track.handOver = null
    for (const { owner } of handOver?.held ?? []) this.#output.drop(owner, 'superseded')
    const wasLeft = Math.max(track.source, book?.source ?? -1) > older.connection
    Object.assign(track, older)
    if (!wasLeft) return true
    track.source = older.connection
    // Of trades the older one's were never left out.
    const isTrade = track.target.request_type === 'trade'
    if (reason !== null && !isTrade) this.#gaps.open(track, reason, atMicros, {})
    if (book !== null) this.#books.returned(track, book, atMicros)
    return true
  }

  #decide(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    switch (track.target.request_type) {
      case 'trade':
        this.#trades.record(track, batch, row, owner)
        break
      case 'ticker':
        showTicker(track.moves, batch.evidence(row), batch.receivedMicros(row))
        this.#whole(track, track.states!, batch, row, owner)
        break
      case 'orderbook':
        if (track.book === null) this.#whole(track, track.states!, batch, row, owner)
        else this.#books.record(track, track.book, batch, row, owner)
        break
    }
  }

  /** The venue's checksum of a book, in a frame of its own. */
  checksum(track: SymbolTrack, connection: number, expected: number, receivedMicros: number): void {
    if (track.book !== null) this.#books.checksum(track, track.book, connection, expected, receivedMicros)
  }

  /** The venue confirmed the symbol: what it sends first may repeat what was published before. */
  confirmed(track: SymbolTrack, atMicros: number): void {
    if (atMicros > track.uncoveredMicros) this.#declareUncovered(track, atMicros)
    track.uncoveredMicros = 0
    track.repeatsUntilMicros = atMicros + repeatWindowMicros
    track.confirmedMicros = atMicros
    track.isHealing = false
    track.movesSeen = track.moves.count
    if (track.book !== null) this.#books.confirmed(track, track.book, atMicros)
  }

  /** The symbol's stream broke off (socket lost, frames shed): what comes next does not follow what was. */
  broke(track: SymbolTrack): void {
    if (track.book !== null) this.#books.broke(track.book)
  }

  /** Nothing more comes: updates that still wait for their snapshot are lost, and declared. */
  ended(track: SymbolTrack): void {
    if (track.handOver !== null) this.#takeOver(track, track.handOver)
    const first = track.book?.waiting[0]
    if (first !== undefined) this.#gaps.open(track, 'disconnect', first.receivedMicros - 1, {})
    this.broke(track)
  }

  /** The snapshot that was asked for has come and cannot be read: the next update of the book asks again. */
  snapshotUnreadable(track: SymbolTrack): void {
    if (track.book !== null) track.book.isSnapshotWanted = false
  }

  /** A frame could not be decoded; `isOurs` says that it was the symbol's, and not only that it may have been. */
  frameLost(track: SymbolTrack, connection: number, isOurs: boolean, receivedMicros: number): void {
    if (track.book !== null) this.#books.frameLost(track, track.book, connection, isOurs, receivedMicros)
  }

  /** The channel is subscribed anew because it is silent. */
  healed(track: SymbolTrack, nowMicros: number): void {
    track.isHealing = true
    track.renewedMicros = nowMicros + renewalMicros
    track.heals++
    if (track.book !== null) this.#books.healed(track.book, nowMicros)
  }

  /** About once a second, for every symbol. */
  tick(track: SymbolTrack, nowMicros: number): void {
    const { handOver } = track
    if (handOver !== null) {
      const silentSince = Math.max(handOver.olderMicros, handOver.heldSinceMicros)
      const isOver = handOver.hasEnded && !handOver.isBehind(nowMicros)
      const isLeft = handOver.held.length > 0 && nowMicros - silentSince >= olderSilentMicros
      if (isOver || isLeft) this.#takeOver(track, handOver)
    }
    if (nowMicros - track.uncoveredMicros >= uncoveredMicrosMax) this.#declareUncovered(track, nowMicros)
    if (track.book !== null) this.#books.tick(track, track.book, nowMicros)
  }

  #declareUncovered(track: SymbolTrack, nowMicros: number): void {
    if (track.uncoveredMicros === 0) return
    track.uncoveredMicros = 0
    if (track.lastReceivedMicros > 0) this.#gaps.open(track, 'disconnect', nowMicros, {})
  }

  /** Tickers and whole books: a state, of which a (re)subscribe repeats the last. */
  #whole(track: SymbolTrack, states: RecentStates, batch: RecordBatch, row: number, owner: number): void {
    if (batch.connection < track.source) {
      this.#output.drop(owner, 'superseded')
      return
    }
    const end = batch.valueEnd(row)
    const start = contentStart(batch.bytes, batch.valueStart(row), end)
    if (!states.isEmpty && this.#isRepeated(track, states, batch, row, start, end)) {
      this.#good.note(track, batch, row, true)
      this.#output.drop(owner, 'duplicate')
      return
    }
    states.add(batch.bytes, start, end, batch.exchangeMicros(row))
    this.#good.note(track, batch, row, false)
    this.#good.publish(track, batch, row, owner)
  }

  /**
   * Long after a subscription nothing is repeated. Soon after one, equal content of the same event time is. An older
   * event time proves it for a snapshot only: other states may have come in the wrong order, and are news all the same.
   */
  #isRepeated(
    track: SymbolTrack,
    states: RecentStates,
    batch: RecordBatch,
    row: number,
    start: number,
    end: number
  ): boolean {
    const isSnapshot = (batch.flags(row) & RecordFlag.snapshotStream) !== 0
    if (!isSnapshot && batch.receivedMicros(row) >= track.repeatsUntilMicros) return false
    const exchangeMicros = batch.exchangeMicros(row)
    if (isSnapshot && exchangeMicros < states.newestMicros) return true
    return states.has(batch.bytes, start, end, exchangeMicros)
  }
}

/** Whether a state that was held is older than what the older connection brought; `NaN` is of no age. */
function isOlderState(track: SymbolTrack, batch: RecordBatch): boolean {
  return track.states !== null && batch.exchangeMicros(0) < track.states.newestMicros
}
