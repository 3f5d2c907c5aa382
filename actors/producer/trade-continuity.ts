import { type RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { type Gaps } from './gaps.ts'
import { type ContinuityOutput, type GoodRecords, gapEnd } from './good-records.ts'
import { showTrade } from './symbol-moves.ts'
import { type OpenGap, type SymbolTrack } from './symbol-track.ts'
import { integerOf } from './trade-ids.ts'

/** Holes in the trade ids of a symbol that a late trade may still fill; one in a forgotten hole is taken for a repetition. */
const holesPerSymbolMax = 64

/** Decides over trades: by their ids, contiguous or only unique, which are repetitions and where some are missing. */
export class TradeContinuity {
  readonly #gaps: Gaps
  readonly #good: GoodRecords
  readonly #output: ContinuityOutput
  /** Holes that were forgotten, since a symbol had more of them than are kept. */
  holesForgotten = 0

  constructor(gaps: Gaps, good: GoodRecords, output: ContinuityOutput) {
    this.#gaps = gaps
    this.#good = good
    this.#output = output
  }

  record(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
    if (this.#isRepeated(track, batch, row)) {
      this.#good.note(track, batch, row, true)
      this.#output.drop(owner, 'duplicate')
      return
    }
    if (batch.exchangeMicros(row) > track.newestTradeMicros)
      track.newestTradeMicros = batch.exchangeMicros(row)
    showTrade(track.moves, batch.receivedMicros(row))
    this.#good.note(track, batch, row, false)
    this.#good.publish(track, batch, row, owner)
  }

  #isRepeated(track: SymbolTrack, batch: RecordBatch, row: number): boolean {
    const { bytes } = batch
    const start = batch.tradeIdStart(row)
    const end = batch.tradeIdEnd(row)
    const isSnapshot = (batch.flags(row) & RecordFlag.snapshotStream) !== 0
    // What a new subscription shows again is known, or lost and declared, unless it is newer than all that was published
    // before its frame: the trades within it need not be in the order of their times.
    if (isSnapshot && batch.exchangeMicros(row) < newestBeforeFrame(track, batch, row)) return true
    if (track.idsAreContiguous) return !this.#isNew(track, integerOf(bytes, start, end), batch, row)
    if (track.tradeIds === null) return false
    const isOverlapped = track.older !== null
    const mayRepeat = isSnapshot || isOverlapped || batch.receivedMicros(row) < track.repeatsUntilMicros
    if (mayRepeat && track.tradeIds.has(bytes, start, end)) return true
    track.tradeIds.add(bytes, start, end)
    return false
  }

  /** Judges a contiguous id: false when it is a repetition. A jump declares a gap; a late id fills its hole. */
  #isNew(track: SymbolTrack, id: number, batch: RecordBatch, row: number): boolean {
    // An id that is no exact integer says nothing of its neighbours; such a trade is never taken for a repetition.
    if (Number.isNaN(id)) return true
    const last = track.lastTradeId
    if (id === last + 1) {
      track.lastTradeId = id
      if (track.gap !== null) this.#gaps.close(track, gapEnd(track, batch, row, String(id)), 0)
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
    this.#forgetHoles(track)
    hole.fill?.()
    return true
  }

  #declareHole(track: SymbolTrack, last: number, id: number, batch: RecordBatch, row: number): void {
    const missed = id - last - 1
    this.#gaps.open(track, 'sequence', batch.receivedMicros(row), { lastSequence: String(last) })
    const gap = track.gap!
    const end = gapEnd(track, batch, row, String(id))
    this.#gaps.close(track, end, missed)
    const fill = (): void => {
      gap.missed = (gap.missed ?? 1) - 1
      this.#gaps.restate(track.target, track.symbol, gap satisfies OpenGap, end)
    }
    track.holes.push({ firstId: last + 1, lastId: id - 1, fill })
    this.#forgetHoles(track)
  }

  /** The hole before the first trade of all is kept; of the others the oldest goes. Called whenever one was added. */
  #forgetHoles(track: SymbolTrack): void {
    if (track.holes.length <= holesPerSymbolMax) return
    track.holes.splice(1, 1)
    this.holesForgotten++
  }
}

/** Event time of the newest trade that was published before the frame of this record. */
function newestBeforeFrame(track: SymbolTrack, batch: RecordBatch, row: number): number {
  const { shown } = track
  const frameSeq = batch.frameSeq(row)
  if (shown.frameSeq !== frameSeq || shown.connection !== batch.connection) {
    shown.connection = batch.connection
    shown.frameSeq = frameSeq
    shown.newestMicros = track.newestTradeMicros
  }
  return shown.newestMicros
}
