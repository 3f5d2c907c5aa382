import { crc32 } from 'node:zlib'

/**
 * A segment file: a header, then blocks, then, when it was closed in good order, an index. Little-endian.
 *
 * ```
 * header 40 bytes  "CSCAPTUR" | u32 version | u32 thread | u32 segment | u32 0 | f64 createdMicros | u32 0 | u32 crc
 * block  48 bytes  u32 "CSBK" | u32 bytes | u32 rawBytes | u32 entries | f64 firstMicros | f64 lastMicros
 *                  | u32 crc of the content | u32 0 | u32 0 | u32 crc of this header; then the content, brotli
 * index            JSON of `SegmentIndex` | u32 bytes of it | u32 crc of it | "CSINDEX1"
 * ```
 *
 * Each crc (CRC-32) covers everything of its header before it. What does not match is a torn end: a block is written with
 * one call, so whatever was killed leaves whole blocks and at most one that is not.
 */
export const segmentVersion = 2
export const segmentHeaderBytes = 40
export const blockHeaderBytes = 48
export const indexTrailerBytes = 16
const segmentMagic = 'CSCAPTUR'
const indexMagic = 'CSINDEX1'
const blockMagic = 0x4b425343 // "CSBK"

export interface SegmentHeader {
  readonly thread: number
  readonly segment: number
  readonly createdMicros: number
}

export interface BlockHeader {
  /** Of the compressed content, and of what it holds. */
  readonly bytes: number
  readonly rawBytes: number
  readonly entries: number
  readonly firstMicros: number
  readonly lastMicros: number
  readonly crc: number
}

export interface IndexedBlock extends Omit<BlockHeader, 'crc'> {
  /** Of the block's header in the file. */
  readonly offset: number
  readonly connections: readonly number[]
}

export interface SegmentIndex {
  /** Whether the capture of the thread ends with this segment. */
  readonly isLast: boolean
  readonly blocks: readonly IndexedBlock[]
}

export function segmentName(thread: number, segment: number): string {
  return `conn-${thread}-${String(segment).padStart(4, '0')}.cap`
}

const namePattern = /^conn-(\d+)-(\d+)\.cap$/

/** Null for a file that is not named as a segment is. */
export function segmentNumbers(name: string): { thread: number; segment: number } | null {
  const match = namePattern.exec(name)
  return match === null ? null : { thread: Number(match[1]), segment: Number(match[2]) }
}

export function encodeSegmentHeader({ thread, segment, createdMicros }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes)
  header.write(segmentMagic, 0, 'latin1')
  header.writeUInt32LE(segmentVersion, 8)
  header.writeUInt32LE(thread, 12)
  header.writeUInt32LE(segment, 16)
  header.writeDoubleLE(createdMicros, 24)
  return sealed(header)
}

/** What the first bytes of a file are: a header, one of another version, the beginning of one, or nothing of ours. */
export function readSegmentHeader(
  bytes: Buffer
): SegmentHeader | { readonly otherVersion: number } | 'torn' | 'foreign' {
  const magic = Buffer.from(segmentMagic, 'latin1')
  const seen = Math.min(bytes.length, magic.length)
  if (!bytes.subarray(0, seen).equals(magic.subarray(0, seen))) return 'foreign'
  if (bytes.length < segmentHeaderBytes) return 'torn'
  const version = bytes.readUInt32LE(8)
  if (version !== segmentVersion) return { otherVersion: version }
  if (!isSealed(bytes.subarray(0, segmentHeaderBytes))) return 'torn'
  return {
    thread: bytes.readUInt32LE(12),
    segment: bytes.readUInt32LE(16),
    createdMicros: bytes.readDoubleLE(24)
  }
}

export function encodeBlockHeader(block: BlockHeader): Buffer {
  const header = Buffer.alloc(blockHeaderBytes)
  header.writeUInt32LE(blockMagic, 0)
  header.writeUInt32LE(block.bytes, 4)
  header.writeUInt32LE(block.rawBytes, 8)
  header.writeUInt32LE(block.entries, 12)
  header.writeDoubleLE(block.firstMicros, 16)
  header.writeDoubleLE(block.lastMicros, 24)
  header.writeUInt32LE(block.crc, 32)
  return sealed(header)
}

/** Null when these bytes are no whole block header. */
export function readBlockHeader(bytes: Buffer): BlockHeader | null {
  if (bytes.length < blockHeaderBytes || bytes.readUInt32LE(0) !== blockMagic || !isSealed(bytes)) return null
  return {
    bytes: bytes.readUInt32LE(4),
    rawBytes: bytes.readUInt32LE(8),
    entries: bytes.readUInt32LE(12),
    firstMicros: bytes.readDoubleLE(16),
    lastMicros: bytes.readDoubleLE(24),
    crc: bytes.readUInt32LE(32)
  }
}

export function encodeIndex(index: SegmentIndex): Buffer {
  const body = Buffer.from(JSON.stringify(index))
  const trailer = Buffer.alloc(indexTrailerBytes)
  trailer.writeUInt32LE(body.length, 0)
  trailer.writeUInt32LE(crc32(body), 4)
  trailer.write(indexMagic, 8, 'latin1')
  return Buffer.concat([body, trailer])
}

/** The length of the index in front of these last bytes of a file, and its crc; null when there is none. */
export function readIndexTrailer(bytes: Buffer): { readonly bytes: number; readonly crc: number } | null {
  if (bytes.length < indexTrailerBytes || bytes.toString('latin1', 8, 16) !== indexMagic) return null
  return { bytes: bytes.readUInt32LE(0), crc: bytes.readUInt32LE(4) }
}

function sealed(header: Buffer): Buffer {
  const end = header.length - 4
  header.writeUInt32LE(crc32(header.subarray(0, end)), end)
  return header
}

function isSealed(header: Buffer): boolean {
  const end = header.length - 4
  return header.readUInt32LE(end) === crc32(header.subarray(0, end))
}
