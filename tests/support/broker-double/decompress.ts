import * as zlib from 'node:zlib'
import { gunzipSync } from 'node:zlib'
import { decompressFrameSync } from 'lz4-napi'
import { uncompressSync } from 'snappy'
import { WireFault, WireReader } from './wire-reader.ts'

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])

/** Named as the three low bits of a batch's attributes count them. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Whether this Node can look into a batch of that codec: zstd came with 22.15. */
export function canDecompress(codec: number): boolean {
  return codec < 4 || (codec === 4 && zstd !== undefined)
}

/** The records' bytes, with each codec framed as Kafka frames it. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  try {
    switch (codec) {
      case 0:
        return bytes
      case 1:
        return gunzipSync(bytes)
      case 2:
        return unsnappy(bytes)
      case 3:
        return decompressFrameSync(bytes)
      case 4:
        if (zstd !== undefined) return zstd(bytes)
    }
  } catch (error) {
    throw new WireFault(`its ${codecNames[codec]} bytes cannot be read: ${String(error)}`)
  }
  throw new WireFault(`codec ${codec} is none of Kafka's, or unknown to this Node`)
}

/** Either one raw block, or blocks with their lengths behind the header that the Java library writes. */
function unsnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 8).equals(xerialMagic)) return unblock(bytes)
  const reader = new WireReader(bytes.subarray(16))
  const blocks: Buffer[] = []
  while (reader.left > 0) blocks.push(unblock(reader.bytes()))
  return Buffer.concat(blocks)
}

function unblock(block: Buffer): Buffer {
  const bytes = uncompressSync(block, { asBuffer: true })
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)
}

const { zstdDecompressSync: zstd } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }
