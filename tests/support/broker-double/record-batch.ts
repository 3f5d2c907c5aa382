import { codes } from './codes.ts'
import { crc32c } from './crc32c.ts'
import { canDecompress, codecNames, decompress } from './decompress.ts'
import { WireFault, WireReader } from './wire-reader.ts'

export interface ReadRecord {
  /** Milliseconds. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
}

export interface ReadBatch {
  readonly codec: (typeof codecNames)[number]
  readonly producerId: bigint
  readonly epoch: number
  readonly baseSequence: number
  readonly maxTimestamp: number
  readonly bytes: number
  readonly records: readonly ReadRecord[]
}

/** Why a broker would not take a batch, with the code it would answer. */
export class BatchFault extends Error {
  override readonly name = 'BatchFault'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const headerBytes = 61
/** Offset and length come before what the length counts. */
const lengthFromHere = 12
/** The checksum covers everything behind itself. */
const checkedFrom = 21

/**
 * Reads one record batch of magic 2 and believes nothing: lengths, counts, deltas, times and checksum must agree.
 * @throws BatchFault
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
export function readBatch(bytes: Buffer): ReadBatch {
  try {
    return read(bytes)
  } catch (error) {
    if (error instanceof WireFault) throw new BatchFault(codes.invalidRecord, error.message)
    throw error
  }
}

function read(bytes: Buffer): ReadBatch {
  const reader = new WireReader(bytes)
  must(reader.int64() === 0n, 'the base offset of a produced batch is not 0')
  const length = reader.int32()
  must(length + lengthFromHere === bytes.length, `length ${length} does not fit ${bytes.length} bytes`)
  must(bytes.length >= headerBytes, `${bytes.length} bytes are less than a header`)
  reader.int32() // partition leader epoch: the broker's own
  const magic = reader.int8()
  must(magic === 2, `magic ${magic}`)
  const crc = reader.uint32()
  const computed = crc32c(bytes.subarray(checkedFrom))
  if (crc !== computed) throw new BatchFault(codes.corruptMessage, `checksum ${crc} instead of ${computed}`)
  const attributes = reader.int16()
  must((attributes & ~7) === 0, `attributes ${attributes}: only a codec may stand there`)
  const codec = attributes & 7
  if (!canDecompress(codec)) throw new BatchFault(codes.unsupportedCompression, `codec ${codec}`)
  const lastOffsetDelta = reader.int32()
  const baseTimestamp = reader.int64()
  const maxTimestamp = Number(reader.int64())
  const producerId = reader.int64()
  const epoch = reader.int16()
  const baseSequence = reader.int32()
  const count = reader.int32()
  must(count > 0, `${count} records`)
  must(lastOffsetDelta === count - 1, `last offset delta ${lastOffsetDelta} of ${count} records`)
  must(producerId < 0n || (epoch >= 0 && baseSequence >= 0), `epoch ${epoch}, sequence ${baseSequence}`)
  const records = readRecords(decompress(codec, reader.take(reader.left)), count, baseTimestamp)
  const latest = records.reduce((max, { timestamp }) => Math.max(max, timestamp), -1)
  must(latest === maxTimestamp, `max timestamp ${maxTimestamp}, the latest record's is ${latest}`)
  return {
    codec: codecNames[codec]!,
    producerId,
    epoch,
    baseSequence,
    maxTimestamp,
    bytes: bytes.length,
    records
  }
}

function readRecords(bytes: Buffer, count: number, baseTimestamp: bigint): ReadRecord[] {
  const reader = new WireReader(bytes)
  const records = Array.from({ length: count }, (_, i) => {
    const length = reader.varint()
    const start = reader.position
    must(reader.int8() === 0, `record ${i} has attributes`)
    const timestamp = Number(baseTimestamp + reader.varlong())
    const delta = reader.varint()
    must(delta === i, `record ${i} has offset delta ${delta}`)
    const key = nullableBytes(reader)
    const value = nullableBytes(reader)
    const headers = Array.from({ length: notNegative(reader.varint()) }, () => {
      const name = reader.take(reader.varint()).toString('utf8')
      return [name, nullableBytes(reader)] as const
    })
    must(
      reader.position - start === length,
      `record ${i} takes ${reader.position - start} bytes, not ${length}`
    )
    return { timestamp, key, value, headers }
  })
  reader.end('the last record')
  return records
}

function nullableBytes(reader: WireReader): Buffer | null {
  const length = reader.varint()
  return length === -1 ? null : reader.take(length)
}

function notNegative(count: number): number {
  must(count >= 0, `${count} headers`)
  return count
}

function must(holds: boolean, message: string): void {
  if (!holds) throw new BatchFault(codes.invalidRecord, message)
}
