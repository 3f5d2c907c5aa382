import { type RecordBatch } from '../../src/wire/record-batch.ts'
import { type GapEnd, type Gaps } from './gaps.ts'
import { type Route } from './sinks/record-sink.ts'
import { type SymbolTrack } from './symbol-track.ts'

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
  /** @param requests of the same snapshot so far, this one included */
  requestSnapshot(track: SymbolTrack, requests: number): void
  requestResubscribe(track: SymbolTrack): void
  /** The venue itself contradicts its book, which goes on unchecked. */
  reportBroken(track: SymbolTrack, message: string): void
}

/** Notes and publishes the records that continuity has found good. */
export class GoodRecords {
  readonly #gaps: Gaps
  readonly #output: ContinuityOutput

  constructor(gaps: Gaps, output: ContinuityOutput) {
    this.#gaps = gaps
    this.#output = output
  }

  /**
   * Notes a good record, which closes an open gap, but not while the symbol is being subscribed anew: until the old
   * subscription has ended and the new one begun, more may be lost. A repetition has no sequence of its own to tell.
   */
  note(track: SymbolTrack, batch: RecordBatch, row: number, isRepetition: boolean): void {
    if (track.gap !== null && batch.receivedMicros(row) >= track.renewedMicros) {
      const sequence = isRepetition ? null : (batch.tradeId(row) ?? batch.sequenceLast(row))
      this.#gaps.close(track, gapEnd(track, batch, row, sequence), null)
    }
    track.lastReceivedMicros = batch.receivedMicros(row)
    track.lastFrameSeq = batch.frameSeq(row)
    track.lastConnectionId = connectionIdOf(track, batch)
    track.movesSeen = track.moves.count
    track.isHealing = false
    track.heals = 0
  }

  publish(track: SymbolTrack, batch: RecordBatch, row: number, owner: number): void {
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

export function gapEnd(track: SymbolTrack, batch: RecordBatch, row: number, sequence: string | null): GapEnd {
  return {
    connectionId: connectionIdOf(track, batch),
    receivedMicros: batch.receivedMicros(row),
    frameSeq: batch.frameSeq(row),
    sequence
  }
}

/** The connection that brought a record: during a hand-over it may be the one that is to be replaced. */
function connectionIdOf({ older, connectionId }: SymbolTrack, batch: RecordBatch): string {
  return older !== null && batch.connection <= older.connection ? older.connectionId : connectionId
}
