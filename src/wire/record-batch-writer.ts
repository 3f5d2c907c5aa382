import { FrameOutcome, type FrameReason, frameReasons, RecordBatch } from './record-batch.ts'
import {
  firstInt,
  frameBytes,
  frameDoubles,
  frameInts,
  headerBytes,
  i32,
  magic,
  recordBatchBytes,
  rowDoubles,
  rowInts,
  version
} from './record-batch-layout.ts'

/**
 * Collects frames' outcomes and records' facts while the values are written elsewhere; `finish` lays everything out in
 * one buffer. Starts and ends given to it count from the start of the values; `finish` shifts them.
 */
export class RecordBatchWriter {
  #frames = 0
  #records = 0
  #frameDoubles = new Float64Array(64 * frameDoubles)
  #frameInts = new Int32Array(this.#frameDoubles.buffer)
  #doubles = new Float64Array(64 * rowDoubles)
  #ints = new Int32Array(this.#doubles.buffer)
  /** What `inPlace` answers, always the same object. */
  #inPlace: RecordBatch | null = null

  get frames(): number {
    return this.#frames
  }
  get records(): number {
    return this.#records
  }

  reset(): void {
    this.#frames = 0
    this.#records = 0
  }

  /** Closes the account of one frame. */
  frame(
    receivedMicros: number,
    frameSeq: number,
    outcome: FrameOutcome,
    reason: FrameReason,
    records: number,
    subscription: number
  ): void {
    const frame = this.#frames++
    if ((frame + 1) * frameDoubles > this.#frameDoubles.length) {
      const grown = new Float64Array(this.#frameDoubles.length * 2)
      grown.set(this.#frameDoubles)
      this.#frameDoubles = grown
      this.#frameInts = new Int32Array(grown.buffer)
    }
    this.#frameDoubles[frame * frameDoubles] = receivedMicros
    this.#frameDoubles[frame * frameDoubles + 1] = frameSeq
    const ints = this.#frameInts
    const at = frame * frameInts
    ints[at + 4] = outcome
    ints[at + 5] = outcome === FrameOutcome.transcoded ? 0 : frameReasons.indexOf(reason)
    ints[at + 6] = records
    ints[at + 7] = subscription
    ints[at + 8] = 0
    ints[at + 9] = 0
  }

  /** A fact of the frame closed last: it carries only this checksum, signed 32-bit. */
  frameChecksum(value: number): void {
    const at = (this.#frames - 1) * frameInts
    this.#frameInts[at + 8] = 1
    this.#frameInts[at + 9] = value
  }

  /** Opens a row for a record of the frame whose account is not closed yet; the absent texts are zero. */
  record(
    exchangeMicros: number,
    receivedMicros: number,
    frameSeq: number,
    frameIndex: number,
    subscription: number,
    flags: number,
    valueStart: number,
    valueEnd: number
  ): void {
    const row = this.#records++
    if ((row + 1) * rowDoubles > this.#doubles.length) {
      const grown = new Float64Array(this.#doubles.length * 2)
      grown.set(this.#doubles)
      this.#doubles = grown
      this.#ints = new Int32Array(grown.buffer)
    }
    const d = row * rowDoubles
    this.#doubles[d] = exchangeMicros
    this.#doubles[d + 1] = receivedMicros
    this.#doubles[d + 2] = frameSeq
    this.#doubles[d + 3] = Number.NaN
    const at = row * rowInts + firstInt
    const ints = this.#ints
    ints[at] = this.#frames
    ints[at + 1] = frameIndex
    ints[at + 2] = subscription
    ints[at + 3] = flags
    ints[at + 4] = valueStart
    ints[at + 5] = valueEnd
    for (let i = 6; i < 18; i++) ints[at + i] = 0
  }

  /** Facts of the record opened last. Texts lie inside its value. */
  tradeId(start: number, end: number): void {
    this.#span(i32.tradeIdStart, start, end)
  }
  sequenceFirst(start: number, end: number): void {
    this.#span(i32.firstStart, start, end)
  }
  sequenceLast(start: number, end: number): void {
    this.#span(i32.lastStart, start, end)
  }
  sequencePrevious(start: number, end: number): void {
    this.#span(i32.previousStart, start, end)
  }
  checksum(value: number): void {
    this.#ints[(this.#records - 1) * rowInts + firstInt + i32.checksum] = value
  }
  evidence(value: number): void {
    this.#doubles[(this.#records - 1) * rowDoubles + 3] = value
  }

  /** Forgets the records opened since `records`, for a frame that turned out dead half-way. */
  rollback(records: number): void {
    this.#records = records
  }

  /**
   * The batch as it stands here, for a reader on this thread: nothing is copied. Valid until the writer is used again.
   * @param values whose beginning the starts and ends count from
   */
  inPlace(connection: number, batchNumber: number, values: Uint8Array): RecordBatch {
    this.#inPlace ??= new RecordBatch(new RecordBatchWriter().finish(0, 0, new Uint8Array(0)))
    this.#inPlace.pointAt(
      values,
      connection,
      batchNumber,
      this.#frames,
      this.#records,
      this.#frameDoubles,
      this.#frameInts,
      this.#doubles,
      this.#ints
    )
    return this.#inPlace
  }

  /** The batch as one exact buffer, to be sent or kept. */
  finish(connection: number, batchNumber: number, values: Uint8Array): ArrayBuffer {
    const shift = recordBatchBytes(this.#frames, this.#records)
    const buffer = new ArrayBuffer(shift + values.length)
    const header = new Int32Array(buffer, 0, headerBytes / 4)
    header[0] = magic
    header[1] = version
    header[2] = connection
    header[3] = batchNumber
    header[4] = this.#frames
    header[5] = this.#records
    header[6] = headerBytes + this.#frames * frameBytes
    new Float64Array(buffer, headerBytes, this.#frames * frameDoubles).set(
      this.#frameDoubles.subarray(0, this.#frames * frameDoubles)
    )
    const rowsStart = headerBytes + this.#frames * frameBytes
    new Float64Array(buffer, rowsStart, this.#records * rowDoubles).set(
      this.#doubles.subarray(0, this.#records * rowDoubles)
    )
    const ints = new Int32Array(buffer, rowsStart, this.#records * rowInts)
    for (let row = 0; row < this.#records; row++) {
      const at = row * rowInts + firstInt
      for (let field = i32.valueStart; field < i32.checksum; field++) {
        // An absent text stays 0: every present one has an end above 0.
        const pairEnd = ints[at + (field | 1)]!
        if (pairEnd !== 0) ints[at + field] = ints[at + field]! + shift
      }
    }
    new Uint8Array(buffer, shift).set(values)
    return buffer
  }

  #span(field: number, start: number, end: number): void {
    const at = (this.#records - 1) * rowInts + firstInt + field
    this.#ints[at] = start
    this.#ints[at + 1] = end
  }
}
