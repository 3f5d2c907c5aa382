import { asciiText } from '../core/ascii-text.ts'
import {
  firstInt,
  frameBytes,
  frameDoubles,
  frameInts,
  headerBytes,
  i32,
  magic,
  rowDoubles,
  rowInts,
  version
} from './record-batch-layout.ts'

/** What became of a frame; the accounts of `contracts.md` §10 are sums of these. */
export const FrameOutcome = { transcoded: 0, ignored: 1, dead: 2, control: 3 } as const
export type FrameOutcome = (typeof FrameOutcome)[keyof typeof FrameOutcome]

/** Why a frame was ignored or is dead; the list is closed and its order is the number on the wire. */
export const frameReasons = [
  'none',
  // ignored
  'kind',
  'empty',
  'symbol',
  'unsupported protocol',
  // dead
  'malformed json',
  'invalid utf-8',
  'nested too deep',
  'oversized',
  'field missing',
  'field invalid',
  'unknown',
  'not decompressible',
  'codec failed'
] as const
export type FrameReason = (typeof frameReasons)[number]

export const RecordFlag = {
  /** `stream_type` is SNAPSHOT */
  snapshotStream: 1,
  /** `kind` of an order book is SNAPSHOT: it replaces the book */
  bookSnapshot: 2,
  /** the record carries a checksum (which may be 0) */
  checksum: 4
} as const

/** Reads a record batch in place. The views are public for the producer's loops; nothing here allocates per record. */
export class RecordBatch {
  bytes: Uint8Array
  connection: number
  batchNumber: number
  frames: number
  records: number
  #frameDoubles: Float64Array
  #frameInts: Int32Array
  #doubles: Float64Array
  #ints: Int32Array

  /** @throws RangeError when the buffer is not a record batch of this version */
  constructor(buffer: ArrayBuffer) {
    const header = new Int32Array(buffer, 0, headerBytes / 4)
    if (header[0] !== magic || header[1] !== version)
      throw new RangeError('not a record batch of this version')
    this.bytes = new Uint8Array(buffer)
    this.connection = header[2]!
    this.batchNumber = header[3]!
    this.frames = header[4]!
    this.records = header[5]!
    const rowsStart = headerBytes + this.frames * frameBytes
    this.#frameDoubles = new Float64Array(buffer, headerBytes, this.frames * frameDoubles)
    this.#frameInts = new Int32Array(buffer, headerBytes, this.frames * frameInts)
    this.#doubles = new Float64Array(buffer, rowsStart, this.records * rowDoubles)
    this.#ints = new Int32Array(buffer, rowsStart, this.records * rowInts)
  }

  /** For the writer: from now on this reads the writer's own arrays, whose values stand in `bytes`. */
  pointAt(
    bytes: Uint8Array,
    connection: number,
    batchNumber: number,
    frames: number,
    records: number,
    frameDoubles: Float64Array,
    frameInts: Int32Array,
    doubles: Float64Array,
    ints: Int32Array
  ): void {
    this.bytes = bytes
    this.connection = connection
    this.batchNumber = batchNumber
    this.frames = frames
    this.records = records
    this.#frameDoubles = frameDoubles
    this.#frameInts = frameInts
    this.#doubles = doubles
    this.#ints = ints
  }

  get buffer(): ArrayBuffer {
    return this.bytes.buffer as ArrayBuffer
  }

  frameReceivedMicros(frame: number): number {
    return this.#frameDoubles[frame * frameDoubles]!
  }
  frameSeqOf(frame: number): number {
    return this.#frameDoubles[frame * frameDoubles + 1]!
  }
  outcome(frame: number): FrameOutcome {
    return this.#frameInts[frame * frameInts + 4]! as FrameOutcome
  }
  reason(frame: number): FrameReason {
    return frameReasons[this.#frameInts[frame * frameInts + 5]!] ?? 'none'
  }
  recordsOf(frame: number): number {
    return this.#frameInts[frame * frameInts + 6]!
  }
  frameSubscription(frame: number): number {
    return this.#frameInts[frame * frameInts + 7]!
  }
  /**
   * Whether the frame carries nothing but the checksum of the book of its subscription, as that book is after the frames
   * before. Its outcome is `control` and it has no records.
   */
  hasChecksum(frame: number): boolean {
    return this.#frameInts[frame * frameInts + 8]! !== 0
  }
  /** The checksum of such a frame, as a signed 32-bit integer; 0 for every other frame. */
  frameChecksum(frame: number): number {
    return this.#frameInts[frame * frameInts + 9]!
  }

  /** NaN when the venue sent no event time. */
  exchangeMicros(row: number): number {
    return this.#doubles[row * rowDoubles]!
  }
  receivedMicros(row: number): number {
    return this.#doubles[row * rowDoubles + 1]!
  }
  frameSeq(row: number): number {
    return this.#doubles[row * rowDoubles + 2]!
  }
  /** A number that changes whenever the symbol traded (last trade's time or id), NaN when the kind carries none. */
  evidence(row: number): number {
    return this.#doubles[row * rowDoubles + 3]!
  }
  frame(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.frame]!
  }
  frameIndex(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.frameIndex]!
  }
  subscription(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.subscription]!
  }
  flags(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.flags]!
  }
  valueStart(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.valueStart]!
  }
  valueEnd(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.valueEnd]!
  }
  /** Signed 32-bit; 0 when there is none (see RecordFlag.checksum). */
  checksum(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.checksum]!
  }
  tradeId(row: number): string | null {
    return this.#text(row, i32.tradeIdStart)
  }
  tradeIdStart(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.tradeIdStart]!
  }
  tradeIdEnd(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.tradeIdStart + 1]!
  }
  sequenceFirst(row: number): string | null {
    return this.#text(row, i32.firstStart)
  }
  sequenceLast(row: number): string | null {
    return this.#text(row, i32.lastStart)
  }
  sequencePrevious(row: number): string | null {
    return this.#text(row, i32.previousStart)
  }
  /** Starts and ends of the sequence texts, for code that reads the digits without making a string. */
  sequenceFirstStart(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.firstStart]!
  }
  sequenceFirstEnd(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.firstStart + 1]!
  }
  sequenceLastStart(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.lastStart]!
  }
  sequenceLastEnd(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.lastStart + 1]!
  }
  sequencePreviousStart(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.previousStart]!
  }
  sequencePreviousEnd(row: number): number {
    return this.#ints[row * rowInts + firstInt + i32.previousStart + 1]!
  }

  #text(row: number, field: number): string | null {
    const at = row * rowInts + firstInt + field
    const start = this.#ints[at]!
    const end = this.#ints[at + 1]!
    if (end === 0) return null
    return asciiText(this.bytes, start, end)
  }
}
