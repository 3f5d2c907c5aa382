import { type ErrorCode } from '../../src/core/errors.ts'
import { type FrameBatch, FrameKind } from '../../src/wire/frame-batch.ts'
import { FrameOutcome, type FrameReason, type RecordBatch } from '../../src/wire/record-batch.ts'
import { frameFieldAt, recordFieldAt } from '../../src/wire/shared-ledger.ts'
import { type Accounts } from './accounts.ts'
import { type ProducerConnection } from './connection.ts'
import { type Continuity } from './continuity.ts'
import { codeOfReason, type DeadLetters } from './dead-letters.ts'
import { type Gaps } from './gaps.ts'

const transcodedField = frameFieldAt('transcoded')
const ignoredField = frameFieldAt('ignored')
const codecControlField = frameFieldAt('codecControl')
const deadField = frameFieldAt('dead')
const lostField = frameFieldAt('lost')
const producerHeldField = frameFieldAt('producerHeld')
const madeField = recordFieldAt('made')
const heldField = recordFieldAt('held')

/**
 * Takes decoded batches in the order of their socket: closes the account of every frame, gives every record to continuity,
 * and keeps dead frames as dead letters behind a gap of their own.
 */
export class Intake {
  readonly deadByCode: Partial<Record<ErrorCode, number>> = {}
  readonly #accounts: Accounts
  readonly #gaps: Gaps
  readonly #continuity: Continuity
  readonly #deadLetters: DeadLetters

  constructor(accounts: Accounts, gaps: Gaps, continuity: Continuity, deadLetters: DeadLetters) {
    this.#accounts = accounts
    this.#gaps = gaps
    this.#continuity = continuity
    this.#deadLetters = deadLetters
  }

  decoded(connection: ProducerConnection, frames: FrameBatch, batch: RecordBatch): void {
    const { records } = batch
    const owner = this.#begin(connection, frames, records)
    const values = connection.frames.values
    const recordValues = connection.records.values
    recordValues[madeField] = recordValues[madeField]! + records
    recordValues[heldField] = recordValues[heldField]! + records
    let row = 0
    for (let frame = 0; frame < batch.frames; frame++) {
      const outcome = batch.outcome(frame)
      if (outcome === FrameOutcome.dead) {
        this.#dead(connection, frames, frame, batch.reason(frame))
        continue
      }
      if (connection.decodeGap !== null && outcome !== FrameOutcome.control) {
        this.closeDecodeGap(connection, batch.frameReceivedMicros(frame), batch.frameSeqOf(frame))
      }
      connection.lastGoodFrameSeq = batch.frameSeqOf(frame)
      connection.lastGoodMicros = batch.frameReceivedMicros(frame)
      if (outcome === FrameOutcome.transcoded) {
        values[transcodedField] = values[transcodedField]! + 1
        for (const end = row + batch.recordsOf(frame); row < end; row++) {
          this.#continuity.record(connection.tracks[batch.subscription(row)]!, batch, row, owner)
        }
      } else if (outcome === FrameOutcome.ignored) values[ignoredField] = values[ignoredField]! + 1
      else {
        values[codecControlField] = values[codecControlField]! + 1
        if (batch.hasChecksum(frame)) this.#checksum(connection, batch, frame)
      }
    }
    values[producerHeldField] = values[producerHeldField]! - frames.frames
    this.#accounts.release(owner, 1)
  }

  /** A whole batch whose codec failed twice: its frames are dead, and declared. */
  undecodable(connection: ProducerConnection, frames: FrameBatch): void {
    const owner = this.#begin(connection, frames, 0)
    for (let frame = 0; frame < frames.frames; frame++) this.#dead(connection, frames, frame, 'codec failed')
    const values = connection.frames.values
    values[producerHeldField] = values[producerHeldField]! - frames.frames
    this.#accounts.release(owner, 1)
  }

  /** A batch that nobody will decode any more: its frames are shed, and a gap declares them for each of their symbols. */
  abandoned(connection: ProducerConnection, frames: FrameBatch): void {
    const owner = this.#begin(connection, frames, 0)
    const values = connection.frames.values
    values[lostField] = values[lostField]! + frames.frames
    values[producerHeldField] = values[producerHeldField]! - frames.frames
    const bySubscription = new Map<number, number>()
    for (let frame = 0; frame < frames.frames; frame++) {
      const subscription = frames.subscription(frame)
      bySubscription.set(subscription, (bySubscription.get(subscription) ?? 0) + 1)
    }
    for (const [subscription, count] of bySubscription) this.shed(connection, subscription, count)
    this.#accounts.release(owner, 1)
  }

  /**
   * Frames that were dropped undecoded open a gap of their symbol; of all symbols of the connection where it is not known
   * whose they were.
   */
  shed(connection: ProducerConnection, subscription: number | null, frames: number): void {
    const only = subscription === null ? undefined : connection.tracks[subscription]
    for (const track of only === undefined ? connection.tracks : [only]) {
      const { connection: number } = connection.context
      // Of an older connection only as long as its records are taken.
      const isOlder = track.older?.connection === number
      const isLeft = isOlder && Math.max(track.source, track.book?.source ?? -1) > number
      if ((track.connection !== number && !isOlder) || isLeft) continue
      this.#gaps.open(track, 'shed', connection.openedMicros, { shed: frames })
      this.#continuity.broke(track)
    }
  }

  /** A frame that carries nothing but the checksum of a book, in its place among that book's updates. */
  #checksum(connection: ProducerConnection, batch: RecordBatch, frame: number): void {
    const track = connection.tracks[batch.frameSubscription(frame)]
    if (track === undefined) return
    this.#continuity.checksum(
      track,
      batch.connection,
      batch.frameChecksum(frame),
      batch.frameReceivedMicros(frame)
    )
  }

  #begin(connection: ProducerConnection, frames: FrameBatch, records: number): number {
    return this.#accounts.begin(connection, frames.payloadBytes, frames.frameSeq(frames.frames - 1), records)
  }

  #dead(connection: ProducerConnection, frames: FrameBatch, frame: number, reason: FrameReason): void {
    const values = connection.frames.values
    values[deadField] = values[deadField]! + 1
    const code = codeOfReason(reason)
    this.deadByCode[code] = (this.deadByCode[code] ?? 0) + 1
    const seq = frames.frameSeq(frame)
    const received = frames.receivedMicros(frame)
    const { context } = connection
    const bytes = frames.bytes.subarray(frames.start(frame), frames.end(frame))
    this.#deadLetters.frame(context, bytes, seq, reason, received)
    const ours = connection.tracks[frames.subscription(frame)]
    if (frames.kind(frame) === FrameKind.snapshot) {
      if (ours !== undefined) this.#continuity.snapshotUnreadable(ours)
    } else if (context.target.request_type === 'orderbook') {
      // A frame whose symbol cannot be told may have been of any book.
      for (const track of ours === undefined ? connection.tracks : [ours]) {
        this.#continuity.frameLost(track, context.connection, ours !== undefined, received)
      }
    }
    if (connection.decodeGap !== null) return
    connection.decodeGap = this.#gaps.begin(context.target, null, {
      reason: 'decode',
      connectionId: context.connectionId,
      openedMicros: connection.lastGoodMicros === 0 ? connection.openedMicros : connection.lastGoodMicros,
      lastFrameSeq: connection.lastGoodFrameSeq,
      lastSequence: null,
      missed: null,
      shed: null
    })
  }

  /** A frame was decoded well again, or the connection has ended. */
  closeDecodeGap(connection: ProducerConnection, receivedMicros: number, frameSeq: number): void {
    const gap = connection.decodeGap
    if (gap === null) return
    connection.decodeGap = null
    const { target, connectionId } = connection.context
    this.#gaps.end(target, null, gap, { connectionId, receivedMicros, frameSeq, sequence: null })
  }
}
