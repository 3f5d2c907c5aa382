import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { type BookLevels } from './book-levels.ts'
import { type BookSync } from './book-sync.ts'

/** What a record's levels say of its book: nothing wrong, or in which way it is. */
export type BookVerdict = 'right' | 'differs' | 'crossed'

/** The checksum that a record carries; NaN for none. */
export function checksumOf(batch: RecordBatch, row: number): number {
  return (batch.flags(row) & RecordFlag.checksum) === 0 ? Number.NaN : batch.checksum(row)
}

/** Takes records into the levels of their books and compares what comes out with what their venue says. */
export class BookChecks {
  /** Levels that went because a side of a book had more than limits.bookLevelsMax. */
  levelsOverflown = 0

  /** @param expected the checksum after the update, NaN for none */
  update(book: BookSync, bytes: Uint8Array, start: number, end: number, expected: number): BookVerdict {
    const levels = book.levels!
    this.#apply(levels, bytes, start, end, false)
    if (!Number.isNaN(expected)) return levels.sum() === expected ? 'right' : 'differs'
    if (book.rules.check !== 'crossed' || !levels.isCrossed) book.isCrossedByVenue = false
    else if (!book.isCrossedByVenue) return 'crossed'
    return 'right'
  }

  snapshot(book: BookSync, batch: RecordBatch, row: number): BookVerdict {
    const levels = book.levels!
    this.#apply(levels, batch.bytes, batch.valueStart(row), batch.valueEnd(row), true)
    const expected = checksumOf(batch, row)
    if (!Number.isNaN(expected) && levels.sum() !== expected) return 'differs'
    // What the venue itself sends crossed is no proof of a loss, nor are the updates that leave it so.
    book.isCrossedByVenue = book.rules.check === 'crossed' && levels.isCrossed
    return book.isCrossedByVenue ? 'crossed' : 'right'
  }

  #apply(levels: BookLevels, bytes: Uint8Array, start: number, end: number, isSnapshot: boolean): void {
    const { forgotten } = levels
    levels.apply(bytes, start, end, isSnapshot)
    this.levelsOverflown += levels.forgotten - forgotten
  }
}
