import { crc32c } from '@node-rs/crc32'

/**
 * Where the fields of a record batch (magic 2) stand. Its records follow the last one.
 *
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
const at = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57
} as const

/**
 * Everything but the producer's fields and the checksum. Of the attributes only the codec is set: each record carries the
 * time of its creation, and there are no transactions. Timestamps are milliseconds.
 */
export function writeHeader(
  bytes: Buffer,
  batchBytes: number,
  codec: number,
  count: number,
  baseTimestamp: number,
  maxTimestamp: number
): void {
  bytes.fill(0, at.baseOffset, at.batchLength)
  // The length counts what follows it.
  bytes.writeInt32BE(batchBytes - at.leaderEpoch, at.batchLength)
  bytes.writeInt32BE(-1, at.leaderEpoch)
  bytes[at.magic] = 2
  bytes.writeInt16BE(codec, at.attributes)
  bytes.writeInt32BE(count - 1, at.lastOffsetDelta)
  bytes.writeBigInt64BE(BigInt(baseTimestamp), at.baseTimestamp)
  bytes.writeBigInt64BE(BigInt(maxTimestamp), at.maxTimestamp)
  bytes.writeInt32BE(count, at.count)
}

/** The producer's fields, and the checksum over all behind it: 7 GB a second, whatever the kind of array. */
export function writeProducer(
  bytes: Buffer,
  batchBytes: number,
  producerId: bigint,
  epoch: number,
  baseSequence: number
): void {
  bytes.writeBigInt64BE(producerId, at.producerId)
  bytes.writeInt16BE(epoch, at.producerEpoch)
  bytes.writeInt32BE(baseSequence, at.baseSequence)
  bytes.writeUInt32BE(crc32c(bytes.subarray(at.attributes, batchBytes)), at.crc)
}
