import { type Logger } from '../../src/core/logger.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { BookChecks, checksumOf } from './book-checks.ts'
import { type BookSync, type WaitingDelta } from './book-sync.ts'
import { type Gaps } from './gaps.ts'
import { type ContinuityOutput, type GoodRecords } from './good-records.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { integerOf } from './trade-ids.ts'

/** How long after a request its snapshot may take before it is asked for again. */
const snapshotMicros = 10_000_000
/** So many updates that followed show that sequences are understood: one that is missing then was lost. */
const followedEnough = 50
/** A venue that sends crossed snapshots is asked for another no more often than this. */
const crossedEveryMicros = 60_000_000

/**
 * Decides over the records of books that come as a snapshot and deltas: what may be published, what waits or is covered,
 * and when the book is out of step, by its sequences or by the levels they leave.
 */
export class BookContinuity {
  readonly #gaps: Gaps
  readonly #good: GoodRecords
  readonly #output: ContinuityOutput
  readonly #logger: Logger
  readonly #checks = new BookChecks()
  /** Updates that went because more than limits.bookPendingBytes of a book waited for its snapshot. */
  updatesOverflown = 0

  constructor(gaps: Gaps, good: GoodRecords, output: ContinuityOutput, logger: Logger) {
    this.#gaps = gaps
    this.#good = good
    this.#output = output
    this.#logger = logger
  }

  /** Levels that went because a side of a book had more than limits.bookLevelsMax. */
  get levelsOverflown(): number {
    return this.#checks.levelsOverflown
  }

  /** Books that go on without their check, since their venue's checksums contradict its snapshots. */
  get checksGivenUp(): number {
    return this.#checks.givenUp
  }

  record(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number, owner: number): void {
    const isSnapshot = (batch.flags(row) & RecordFlag.bookSnapshot) !== 0
    // A newer connection has taken the book over.
    if (batch.connection < book.source) {
      this.#output.drop(owner, 'superseded')
      return
    }
    if (batch.connection > book.source && (isSnapshot || !book.isInStream)) {
      this.#takeOver(book, batch.connection)
    }
    if (isSnapshot) this.#snapshot(track, book, batch, row, owner)
    // Where the snapshot comes in the stream an update before it belongs to nothing.
    else if (batch.connection !== book.source) this.#output.drop(owner, 'superseded')
    else this.#delta(track, book, batch, row, owner)
  }

  /** The venue confirmed the symbol on the connection that now carries it. */
  confirmed(track: SymbolTrack, book: BookSync, atMicros: number): void {
    if (book.isInStream) {
      // Its snapshot may have come before the confirmation; an older connection's book goes on until it comes.
      if (!book.isSynced || book.source !== track.connection) book.recovery.promised(atMicros)
      return
    }
    this.#takeOver(book, track.connection)
    this.#wantSnapshot(track, book, atMicros)
  }

  /** The symbol's stream broke off (socket lost, frames shed): what comes next does not follow what was. */
  broke(book: BookSync): void {
    book.invalidate()
    this.#dropAll(book.release())
    book.isSnapshotWanted = false
  }

  /**
   * A frame could not be decoded that was (`isOurs`) or may have been of this book. With sequences that follow each other
   * the next update tells whether one is missing; a checksum does not, since it covers the best levels only.
   */
  frameLost(
    track: SymbolTrack,
    book: BookSync,
    connection: number,
    isOurs: boolean,
    receivedMicros: number
  ): void {
    if (book.isSynced && connection === book.source) {
      if (book.missesLosses) this.#break(track, book, 'decode', receivedMicros)
    } else if (isOurs && book.isInStream && connection === track.connection) {
      this.#resubscribe(track, book, receivedMicros, false)
    }
  }

  /** The venue's checksum of the book as it must be now. */
  checksum(
    track: SymbolTrack,
    book: BookSync,
    connection: number,
    expected: number,
    receivedMicros: number
  ): void {
    if (book.levels === null || !book.isSynced || connection !== book.source) return
    const verdict = this.#checks.compare(book, expected)
    if (verdict === 'right') verifiedHere(track, book)
    else if (verdict === 'given-up') this.#gaveUp(track)
    else {
      this.#warn(track, 'the book differs from the checksum of the venue; it is subscribed anew')
      this.#break(track, book, 'checksum', receivedMicros)
    }
  }

  /** The connection that was to take the book over is lost, and the one before goes on: its book begins anew. */
  returned(track: SymbolTrack, book: BookSync, nowMicros: number): void {
    this.#takeOver(book, track.connection)
    if (book.isInStream) this.#resubscribe(track, book, nowMicros, true)
    else this.#wantSnapshot(track, book, nowMicros)
  }

  /** About once a second: asks again for snapshots that are owed for too long. */
  tick(track: SymbolTrack, book: BookSync, nowMicros: number): void {
    if (!track.isConnected || track.confirmedMicros === 0) return
    if (!book.isInStream) {
      if (book.rules.snapshot.from !== 'request' || !book.isSnapshotWanted) return
      if (nowMicros - book.snapshotAskedMicros >= snapshotMicros)
        this.#requestSnapshot(track, book, nowMicros)
      return
    }
    if (book.isSynced && book.source === track.connection) return
    if (!book.recovery.isDue(nowMicros)) return
    if (track.lastReceivedMicros > 0) this.#gaps.open(track, 'stale', nowMicros, {})
    this.#warn(track, 'the book is still without a snapshot; it is subscribed anew')
    book.recovery.asked(nowMicros)
    this.#output.requestResubscribe(track)
  }

  /** The symbol is subscribed anew for another reason than its book. */
  healed(book: BookSync, nowMicros: number): void {
    if (!book.isInStream) return
    book.invalidate()
    book.recovery.asked(nowMicros)
  }

  #takeOver(book: BookSync, connection: number): void {
    book.source = connection
    book.invalidate()
    this.#dropAll(book.release())
    book.isSnapshotWanted = false
  }

  #delta(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number, owner: number): void {
    const { bytes } = batch
    const first = integerOf(bytes, batch.sequenceFirstStart(row), batch.sequenceFirstEnd(row))
    const last = integerOf(bytes, batch.sequenceLastStart(row), batch.sequenceLastEnd(row))
    const previous = integerOf(bytes, batch.sequencePreviousStart(row), batch.sequencePreviousEnd(row))
    const before = book.lastSequence
    const received = batch.receivedMicros(row)
    const decision = book.decide(first, last, previous)
    switch (decision) {
      case 'publish':
        if (
          !this.#isRight(
            track,
            book,
            bytes,
            batch.valueStart(row),
            batch.valueEnd(row),
            checksumOf(batch, row),
            received
          )
        ) {
          this.#output.drop(owner, 'superseded')
          break
        }
        this.#good.note(track, batch, row, false)
        this.#noteVerified(track, book, checksumOf(batch, row))
        this.#good.publish(track, batch, row, owner)
        break
      case 'superseded':
      case 'duplicate':
        this.#output.drop(owner, decision)
        break
      case 'broken':
        this.#gaps.open(track, 'sequence', received, { lastSequence: String(before) })
        this.#logger.warn(
          {
            code: 'BOOK_BROKEN',
            exchange: track.target.exchange,
            symbol: track.symbol,
            last: before,
            first,
            previous
          },
          'a book update is missing; the book is fetched anew'
        )
        book.invalidate()
        if (book.isInStream) {
          this.#output.drop(owner, 'superseded')
          this.#resubscribe(track, book, received, book.followed >= followedEnough)
          break
        }
        this.#hold(track, book, batch, row, owner, first, last, previous)
        this.#wantSnapshot(track, book, received)
        break
      case 'wait':
        this.#hold(track, book, batch, row, owner, first, last, previous)
        this.#wantSnapshot(track, book, received)
        break
    }
  }

  #snapshot(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number, owner: number): void {
    const { bytes } = batch
    const received = batch.receivedMicros(row)
    const last = integerOf(bytes, batch.sequenceLastStart(row), batch.sequenceLastEnd(row))
    const decision = book.rest(last)
    if (decision !== 'fits') {
      this.#output.drop(owner, 'superseded')
      book.isSnapshotWanted = false
      if (decision === 'too-old') this.#wantSnapshot(track, book, received)
      return
    }
    if (book.levels !== null && !this.#isSnapshotRight(track, book, batch, row)) {
      this.#output.drop(owner, 'superseded')
      return
    }
    if (batch.connection === track.connection) book.recovery.rested(received)
    this.#good.note(track, batch, row, false)
    verifiedHere(track, book)
    this.#good.publish(track, batch, row, owner)
    this.#replay(track, book)
  }

  /** Whether a snapshot may be published: one that contradicts itself may not at first, a crossed one is what the venue has. */
  #isSnapshotRight(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number): boolean {
    const received = batch.receivedMicros(row)
    const verdict = this.#checks.snapshot(book, batch, row)
    if (verdict === 'differs') {
      this.#warn(track, 'a snapshot of the book differs from its own checksum; it is subscribed anew')
      if (batch.connection === track.connection) book.recovery.rested(received)
      this.#break(track, book, 'checksum', received)
      return false
    }
    if (verdict === 'given-up') this.#gaveUp(track)
    if (verdict === 'crossed' && received - book.crossedMicros >= crossedEveryMicros) {
      book.crossedMicros = received
      this.#warn(track, 'the venue sent a crossed book; it is subscribed anew')
      this.#output.requestResubscribe(track)
    }
    return true
  }

  /** Takes an update into the levels and checks what they are then. When they are wrong the book is broken. */
  #isRight(
    track: SymbolTrack,
    book: BookSync,
    bytes: Uint8Array,
    start: number,
    end: number,
    expected: number,
    receivedMicros: number
  ): boolean {
    if (book.levels === null) return true
    const verdict = this.#checks.update(book, bytes, start, end, expected)
    if (verdict === 'right') return true
    if (verdict === 'given-up') {
      this.#gaveUp(track)
      return true
    }
    const why =
      verdict === 'crossed' ? 'is crossed, so an update was lost' : 'differs from the checksum of the venue'
    this.#warn(track, `the book ${why}; it is subscribed anew`)
    this.#break(track, book, 'checksum', receivedMicros)
    return false
  }

  /** For people: from here on nobody notices a lost update of this book by its checksum. */
  #gaveUp(track: SymbolTrack): void {
    const { exchange } = track.target
    const message =
      `${exchange} sends snapshots of the book of ${track.symbol} that differ from its own checksums, again and again; ` +
      'the book is published unchecked until one is right'
    this.#logger.error({ code: 'BOOK_BROKEN', exchange, symbol: track.symbol }, message)
    this.#output.reportBroken(track, message)
  }

  /** What the book was is in doubt since it was last known to be right. */
  #break(track: SymbolTrack, book: BookSync, reason: GapReason, receivedMicros: number): void {
    const isLate = reason === 'checksum' && book.verified.receivedMicros > 0
    this.#gaps.open(track, reason, receivedMicros, isLate ? { since: book.verified } : {})
    book.invalidate()
    if (book.isInStream) this.#resubscribe(track, book, receivedMicros, reason === 'decode')
    else this.#wantSnapshot(track, book, receivedMicros)
  }

  #resubscribe(track: SymbolTrack, book: BookSync, nowMicros: number, isChance: boolean): void {
    if (!book.recovery.broke(nowMicros, isChance) || !track.isConnected) return
    book.recovery.asked(nowMicros)
    this.#output.requestResubscribe(track)
  }

  /** A checksum in the record proves the book right up to it; a crossed book proves only that it was wrong before. */
  #noteVerified(track: SymbolTrack, book: BookSync, checksum: number): void {
    if (!Number.isNaN(checksum)) verifiedHere(track, book)
  }

  /** Decides the deltas that waited for the snapshot, in their order. */
  #replay(track: SymbolTrack, book: BookSync): void {
    for (const delta of book.release()) {
      const before = book.lastSequence
      const decision = book.decide(delta.first, delta.last, delta.previous)
      const { value, receivedMicros, owner } = delta
      if (decision === 'publish') {
        if (!this.#isRight(track, book, value, 0, value.length, delta.checksum, receivedMicros)) {
          this.#output.drop(owner, 'superseded')
          continue
        }
        track.lastReceivedMicros = receivedMicros
        track.lastFrameSeq = delta.frameSeq
        track.lastConnectionId = track.connectionId
        this.#noteVerified(track, book, delta.checksum)
        this.#output.publish(track.route, value, 0, value.length, receivedMicros, owner)
      } else if (decision === 'superseded' || decision === 'duplicate') {
        this.#output.drop(owner, decision)
      } else {
        // An update was lost among those that waited: the rest waits for another snapshot.
        if (decision === 'broken') {
          this.#gaps.open(track, 'sequence', receivedMicros, { lastSequence: String(before) })
          book.invalidate()
        }
        this.#dropAll(book.hold(delta))
        this.#wantSnapshot(track, book, receivedMicros)
      }
    }
  }

  #hold(
    track: SymbolTrack,
    book: BookSync,
    batch: RecordBatch,
    row: number,
    owner: number,
    first: number,
    last: number,
    previous: number
  ): void {
    const dropped = book.hold({
      value: batch.bytes.slice(batch.valueStart(row), batch.valueEnd(row)),
      first,
      last,
      previous,
      checksum: checksumOf(batch, row),
      receivedMicros: batch.receivedMicros(row),
      frameSeq: batch.frameSeq(row),
      owner
    })
    track.movesSeen = track.moves.count
    this.updatesOverflown += dropped.length
    this.#dropAll(dropped)
  }

  #wantSnapshot(track: SymbolTrack, book: BookSync, nowMicros: number): void {
    if (book.isSnapshotWanted || !track.isConnected) return
    book.isSnapshotWanted = true
    book.snapshotRequests = 0
    this.#requestSnapshot(track, book, nowMicros)
  }

  #requestSnapshot(track: SymbolTrack, book: BookSync, nowMicros: number): void {
    book.snapshotAskedMicros = nowMicros
    this.#output.requestSnapshot(track, ++book.snapshotRequests)
  }

  #dropAll(deltas: readonly WaitingDelta[]): void {
    for (const delta of deltas) this.#output.drop(delta.owner, 'superseded')
  }

  #warn(track: SymbolTrack, message: string): void {
    this.#logger.warn({ code: 'BOOK_BROKEN', exchange: track.target.exchange, symbol: track.symbol }, message)
  }
}

/** The last good record is the last one up to which the book is known to be right. */
function verifiedHere(track: SymbolTrack, book: BookSync): void {
  if (book.isUnchecked) return
  book.verified.connectionId = track.lastConnectionId
  book.verified.receivedMicros = track.lastReceivedMicros
  book.verified.frameSeq = track.lastFrameSeq
}
