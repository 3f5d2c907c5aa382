import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { type BookLevels } from './book-levels.ts'
import { type BookSync } from './book-sync.ts'

/** So many snapshots in a row that differ from their own checksums are no accident: the check is given up. */
const wrongSnapshotsMax = 3
/** So many where updates came between snapshot and checksum, of which one may have been lost each time. */
const wrongSnapshotsFollowedMax = 6

/** What a record's levels say of its book: nothing wrong, in which way it is, or that they cannot be checked any more. */
export type BookVerdict = 'right' | 'differs' | 'crossed' | 'given-up'

/** The checksum that a record carries; NaN for none. */
export function checksumOf(batch: RecordBatch, row: number): number {
  return (batch.flags(row) & RecordFlag.checksum) === 0 ? Number.NaN : batch.checksum(row)
}

/** Takes records into the levels of their books and compares what comes out with what their venue says. */
export class BookChecks {
  /** Levels that went because a side of a book had more than limits.bookLevelsMax. */
  levelsOverflown = 0
  /** How often the check of a book was given up. */
  givenUp = 0

  /** @param expected the checksum after the update, NaN for none */
  update(book: BookSync, bytes: Uint8Array, start: number, end: number, expected: number): BookVerdict {
    if (book.isUnchecked) return 'right'
    const levels = book.levels!
    this.#apply(levels, bytes, start, end, false)
    if (!Number.isNaN(expected)) return this.compare(book, expected)
    if (book.rules.check !== 'crossed' || !levels.isCrossed) book.isCrossedByVenue = false
    else if (!book.isCrossedByVenue) return 'crossed'
    return 'right'
  }

  snapshot(book: BookSync, batch: RecordBatch, row: number): BookVerdict {
    const levels = book.levels!
    this.#apply(levels, batch.bytes, batch.valueStart(row), batch.valueEnd(row), true)
    const expected = checksumOf(batch, row)
    if (!Number.isNaN(expected)) return this.compare(book, expected)
    // What the venue itself sends crossed is no proof of a loss, nor are the updates that leave it so.
    book.isCrossedByVenue = book.rules.check === 'crossed' && levels.isCrossed
    return book.isCrossedByVenue ? 'crossed' : 'right'
  }

  /**
   * Compares the levels with the checksum of the venue. When the first one behind each of several snapshots in a row
   * differs, no update was lost, and the venue contradicts itself: the book goes on without its check, which is tried again
   * with each new snapshot.
   */
  compare(book: BookSync, expected: number): BookVerdict {
    if (book.isUnchecked) return 'right'
    if (book.levels!.sum() === expected) {
      book.isProven = true
      book.isGivenUp = false
      book.wrongSnapshots = 0
      return 'right'
    }
    if (book.isProven) return 'differs'
    book.wrongSnapshots++
    const most = book.followed === 0 ? wrongSnapshotsMax : wrongSnapshotsFollowedMax
    if (!book.isGivenUp && book.wrongSnapshots < most) return 'differs'
    book.isUnchecked = true
    if (book.isGivenUp) return 'right'
    book.isGivenUp = true
    this.givenUp++
    return 'given-up'
  }

  #apply(levels: BookLevels, bytes: Uint8Array, start: number, end: number, isSnapshot: boolean): void {
    const { forgotten } = levels
    levels.apply(bytes, start, end, isSnapshot)
    this.levelsOverflown += levels.forgotten - forgotten
  }
}
