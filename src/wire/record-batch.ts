/**
 * A record batch: what the codec made of one frame batch, one transferred ArrayBuffer.
 *
 * ```
 * header  32 bytes   i32: magic, version, connection, batchNumber, frames, records, rowsStart, 0
 * frames  40 bytes each: f64 receivedMicros | f64 frameSeq | i32 outcome | i32 reason | i32 records | i32 subscription
 *         | i32 hasChecksum | i32 checksum
 * rows    104 bytes each: f64 exchangeMicros (NaN when absent), receivedMicros, frameSeq, evidence (NaN when absent),
 *         then i32: frame, frameIndex, subscription, flags, valueStart, valueEnd,
 *         tradeIdStart, tradeIdEnd, firstStart, firstEnd, lastStart, lastEnd, previousStart, previousEnd, checksum, 0, 0, 0
 * bytes   the encoded values (Confluent header and Avro); all starts and ends count from the start of the buffer,
 *         and an absent text has start = end = 0
 * ```
 */
const magic = 0x42525343 // "CSRB"
const version = 2
const headerBytes = 32
const frameBytes = 40
const frameInts = frameBytes / 4
const frameDoubles = frameBytes / 8
const rowBytes = 104
const rowInts = rowBytes / 4
const rowDoubles = rowBytes / 8
const firstInt = 8

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

const i32 = {
  frame: 0,
  frameIndex: 1,
  subscription: 2,
  flags: 3,
  valueStart: 4,
  valueEnd: 5,
  tradeIdStart: 6,
  firstStart: 8,
  lastStart: 10,
  previousStart: 12,
  checksum: 14
} as const

/** The size of everything in front of the values, which must be known before the first value is written. */
export function recordBatchBytes(frames: number, records: number): number {
  return headerBytes + frames * frameBytes + records * rowBytes
}

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
    let text = ''
    for (let i = start; i < end; i++) text += String.fromCharCode(this.bytes[i]!)
    return text
  }
}

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
