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
export const magic = 0x42525343 // "CSRB"
export const version = 2
export const headerBytes = 32
export const frameBytes = 40
export const frameInts = frameBytes / 4
export const frameDoubles = frameBytes / 8
export const rowBytes = 104
export const rowInts = rowBytes / 4
export const rowDoubles = rowBytes / 8
export const firstInt = 8

/** Places of the integers of a row, counted from the first; a text has its start here and its end behind it. */
export const i32 = {
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
