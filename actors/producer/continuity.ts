import { type Logger } from '../../src/core/logger.ts'
import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { type BookSync, type WaitingDelta } from './book-sync.ts'
import { contentStart } from './content.ts'
import { type GapEnd, type Gaps } from './gaps.ts'
import { type RecentStates } from './recent-states.ts'
import { type Route } from './sinks/record-sink.ts'
import { showTicker, showTrade } from './symbol-moves.ts'
import { type OpenGap, type SymbolTrack } from './symbol-track.ts'
import { integerOf } from './trade-ids.ts'

/** What continuity does with a record, and what it asks of the connection. */
export interface ContinuityOutput {
  publish(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number
  ): void
  /** The record is not published; its account closes as this. */
  drop(owner: number, outcome: 'duplicate' | 'superseded'): void
  requestSnapshot(track: SymbolTrack): void
  requestResubscribe(track: SymbolTrack): void
}

/** Holes in the trade ids of a symbol that a late trade may still fill; one in a forgotten hole is taken for a repetition. */
const holesMax = 64
/** How long after a (re)subscribe what comes may repeat what was published before it. */
export const repeatWindowMicros = 10_000_000

/**
 * Decides record by record, in the order of the socket, what is published, what is a repetition, what waits for a
 * snapshot, and where something is missing. Works on encoded records and their rows of facts; nothing is decoded.
 */
export class Continuity {
  readonly #gaps: Gaps
  readonly #output: ContinuityOutput
  readonly #logger: Logger
  /** Updates that went because more than limits.bookPendingBytes of a book waited for its snapshot. */
  updatesOverflown = 0

  constructor(gaps: Gaps, output: ContinuityOutput, logger: Logger) {
    this.#gaps = gaps
    this.#output = output
    this.#logger = logger
  }

  record(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    switch (track.target.request_type) {
      case 'trade':
        this.#trade(track, batch, row, owner)
        break
      case 'ticker':
        showTicker(track.moves, batch.evidence(row), batch.receivedMicros(row))
        this.#whole(track, track.states!, batch, row, owner)
        break
      case 'orderbook':
        if (track.book === null) this.#whole(track, track.states!, batch, row, owner)
        else if ((batch.flags(row) & RecordFlag.bookSnapshot) !== 0) {
          this.#snapshot(track, track.book, batch, row, owner)
        } else this.#delta(track, track.book, batch, row, owner)
        break
    }
  }

  /** The venue confirmed the symbol: what it sends first may repeat what was published before. */
  confirmed(track: SymbolTrack, atMicros: number): void {
    track.repeatsUntilMicros = atMicros + repeatWindowMicros
    track.isHealing = false
    if (track.book !== null) {
      track.book.invalidate()
      this.#dropWaiting(track.book)
      this.#wantSnapshot(track, track.book)
    }
  }

  /** The symbol's stream broke off (socket lost, frames shed): what comes next does not follow what was. */
  broke(track: SymbolTrack): void {
    if (track.book === null) return
    track.book.invalidate()
    this.#dropWaiting(track.book)
    track.book.isSnapshotWanted = false
  }

  /** Nothing more comes: updates that still wait for their snapshot are lost, and declared. */
  ended(track: SymbolTrack): void {
    const first = track.book?.waiting[0]
    if (first !== undefined) this.#gaps.open(track, 'disconnect', first.receivedMicros - 1, {})
    this.broke(track)
  }

  /** The snapshot that was asked for has come and cannot be read: the next update of the book asks again. */
  snapshotUnreadable(track: SymbolTrack): void {
    if (track.book !== null) track.book.isSnapshotWanted = false
  }

  #trade(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    const bytes = batch.bytes
    const start = batch.tradeIdStart(row)
    const end = batch.tradeIdEnd(row)
    const received = batch.receivedMicros(row)
    if (track.idsAreContiguous) {
      const id = integerOf(bytes, start, end)
      if (!this.#contiguous(track, id, batch, row)) {
        this.#good(track, batch, row, null)
        this.#output.drop(owner, 'duplicate')
        return
      }
    } else if (track.tradeIds !== null) {
      const mayRepeat =
        (batch.flags(row) & RecordFlag.snapshotStream) !== 0 || received < track.repeatsUntilMicros
      if (mayRepeat && track.tradeIds.has(bytes, start, end)) {
        this.#good(track, batch, row, null)
        this.#output.drop(owner, 'duplicate')
        return
      }
      track.tradeIds.add(bytes, start, end)
    }
    showTrade(track.moves, received)
    this.#good(track, batch, row, batch)
    this.#publish(track, batch, row, owner)
  }

  /** Judges a contiguous id: false when it is a repetition. A jump declares a gap; a late id fills its hole. */
  #contiguous(track: SymbolTrack, id: number, batch: RecordBatch, row: number): boolean {
    // An id that is no exact integer says nothing of its neighbours; such a trade is never taken for a repetition.
    if (Number.isNaN(id)) return true
    const last = track.lastTradeId
    if (id === last + 1) {
      track.lastTradeId = id
      if (track.gap !== null) this.#gaps.close(track, this.#gapEnd(track, batch, row, String(id)), 0)
      return true
    }
    if (Number.isNaN(last)) {
      track.lastTradeId = id
      track.holes.push({ firstId: 0, lastId: id - 1, fill: null })
      return true
    }
    if (id > last) {
      track.lastTradeId = id
      this.#declareHole(track, last, id, batch, row)
      return true
    }
    const at = track.holes.findIndex(hole => id >= hole.firstId && id <= hole.lastId)
    const hole = track.holes[at]
    if (hole === undefined) return false
    const left = [
      { ...hole, lastId: id - 1 },
      { ...hole, firstId: id + 1 }
    ].filter(part => part.firstId <= part.lastId)
    track.holes.splice(at, 1, ...left)
    forgetHoles(track)
    hole.fill?.()
    return true
  }

  #declareHole(track: SymbolTrack, last: number, id: number, batch: RecordBatch, row: number): void {
    const missed = id - last - 1
    this.#gaps.open(track, 'sequence', batch.receivedMicros(row), { lastSequence: String(last) })
    const gap = track.gap!
    const end = this.#gapEnd(track, batch, row, String(id))
    this.#gaps.close(track, end, missed)
    const fill = (): void => {
      gap.missed = (gap.missed ?? 1) - 1
      this.#gaps.restate(track.target, track.symbol, gap satisfies OpenGap, end)
    }
    track.holes.push({ firstId: last + 1, lastId: id - 1, fill })
    forgetHoles(track)
  }

  /** Tickers and whole books: a state, of which a (re)subscribe repeats the last. */
  #whole(track: SymbolTrack, states: RecentStates, batch: RecordBatch, row: number, owner: number): void {
    const end = batch.valueEnd(row)
    const start = contentStart(batch.bytes, batch.valueStart(row), end)
    if (!states.isEmpty && this.#isRepeated(track, states, batch, row, start, end)) {
      this.#good(track, batch, row, null)
      this.#output.drop(owner, 'duplicate')
      return
    }
    states.add(batch.bytes, start, end, batch.exchangeMicros(row))
    this.#good(track, batch, row, batch)
    this.#publish(track, batch, row, owner)
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

  #delta(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number, owner: number): void {
    const first = integerOf(batch.bytes, batch.sequenceFirstStart(row), batch.sequenceFirstEnd(row))
    const last = integerOf(batch.bytes, batch.sequenceLastStart(row), batch.sequenceLastEnd(row))
    const before = book.lastSequence
    const decision = book.decide(first, last)
    switch (decision) {
      case 'publish':
        this.#good(track, batch, row, batch)
        this.#publish(track, batch, row, owner)
        break
      case 'superseded':
      case 'duplicate':
        this.#output.drop(owner, decision)
        break
      case 'broken':
        this.#gaps.open(track, 'sequence', batch.receivedMicros(row), { lastSequence: String(before) })
        this.#logger.warn(
          { code: 'BOOK_BROKEN', exchange: track.target.exchange, symbol: track.symbol, last: before, first },
          'a book update is missing; the book is fetched anew'
        )
        book.invalidate()
        this.#hold(track, book, batch, row, owner, first, last)
        this.#wantSnapshot(track, book)
        break
      case 'wait':
        this.#hold(track, book, batch, row, owner, first, last)
        this.#wantSnapshot(track, book)
        break
    }
  }

  #snapshot(track: SymbolTrack, book: BookSync, batch: RecordBatch, row: number, owner: number): void {
    const last = integerOf(batch.bytes, batch.sequenceLastStart(row), batch.sequenceLastEnd(row))
    const decision = book.rest(last)
    if (decision !== 'fits') {
      this.#output.drop(owner, 'superseded')
      book.isSnapshotWanted = false
      if (decision === 'too-old') this.#wantSnapshot(track, book)
      return
    }
    this.#good(track, batch, row, batch)
    this.#publish(track, batch, row, owner)
    this.#replay(track, book)
  }

  /** Decides the deltas that waited for the snapshot, in their order. */
  #replay(track: SymbolTrack, book: BookSync): void {
    for (const delta of book.release()) {
      const before = book.lastSequence
      const decision = book.decide(delta.first, delta.last)
      if (decision === 'publish') {
        track.lastReceivedMicros = delta.receivedMicros
        track.lastFrameSeq = delta.frameSeq
        track.lastConnectionId = track.connectionId
        const { value, receivedMicros, owner } = delta
        this.#output.publish(track.route, value, 0, value.length, receivedMicros, owner)
      } else if (decision === 'superseded' || decision === 'duplicate') {
        this.#output.drop(delta.owner, decision)
      } else {
        // An update was lost among those that waited: the rest waits for another snapshot.
        if (decision === 'broken') {
          this.#gaps.open(track, 'sequence', delta.receivedMicros, { lastSequence: String(before) })
          book.invalidate()
        }
        this.#dropAll(book.hold(delta))
        this.#wantSnapshot(track, book)
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
    last: number
  ): void {
    const dropped = book.hold({
      value: batch.bytes.slice(batch.valueStart(row), batch.valueEnd(row)),
      first,
      last,
      receivedMicros: batch.receivedMicros(row),
      frameSeq: batch.frameSeq(row),
      owner
    })
    track.movesSeen = track.moves.count
    this.updatesOverflown += dropped.length
    this.#dropAll(dropped)
  }

  #wantSnapshot(track: SymbolTrack, book: BookSync): void {
    if (book.isSnapshotWanted || !track.isConnected) return
    book.isSnapshotWanted = true
    this.#output.requestSnapshot(track)
  }

  #dropWaiting(book: BookSync): void {
    this.#dropAll(book.release())
  }

  #dropAll(deltas: readonly WaitingDelta[]): void {
    for (const delta of deltas) this.#output.drop(delta.owner, 'superseded')
  }

  /** Notes a good record. It closes an open gap; `sequenceOf` null means the record itself is a repetition. */
  #good(track: SymbolTrack, batch: RecordBatch, row: number, sequenceOf: RecordBatch | null): void {
    if (track.gap !== null) {
      const sequence = sequenceOf === null ? null : (batch.tradeId(row) ?? batch.sequenceLast(row))
      this.#gaps.close(track, this.#gapEnd(track, batch, row, sequence), null)
    }
    track.lastReceivedMicros = batch.receivedMicros(row)
    track.lastFrameSeq = batch.frameSeq(row)
    track.lastConnectionId = track.connectionId
    track.movesSeen = track.moves.count
    track.isHealing = false
  }

  #gapEnd(track: SymbolTrack, batch: RecordBatch, row: number, sequence: string | null): GapEnd {
    return {
      connectionId: track.connectionId,
      receivedMicros: batch.receivedMicros(row),
      frameSeq: batch.frameSeq(row),
      sequence
    }
  }

  #publish(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    this.#output.publish(
      track.route,
      batch.bytes,
      batch.valueStart(row),
      batch.valueEnd(row),
      batch.receivedMicros(row),
      owner
    )
  }
}

/** The hole before the first trade of all is kept; of the others the oldest is forgotten. Called whenever one was added. */
function forgetHoles(track: SymbolTrack): void {
  if (track.holes.length > holesMax) track.holes.splice(1, 1)
}
