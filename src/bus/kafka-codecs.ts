import { createRequire } from 'node:module'
import zlib from 'node:zlib'
import kafkajs from 'kafkajs'
import { decompressFrameSync } from 'lz4-napi'
import { uncompressSync } from 'snappy'
import { IngestError } from '../core/errors.ts'

/** What kafkajs wants of a codec; it brings gzip itself. We write with our own producer, so this side only reads. */
interface ReadingCodec {
  decompress(bytes: Buffer): Promise<Buffer>
}

/** Java's clients write snappy in blocks behind a header of 16 bytes; librdkafka and we write one raw block. */
const framedSnappyMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const framedSnappyHeaderBytes = 16

/** @see https://github.com/xerial/snappy-java#compatibility-notes */
export function uncompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, framedSnappyMagic.length).equals(framedSnappyMagic)) return uncompressBlock(bytes)
  const blocks: Buffer[] = []
  for (let at = framedSnappyHeaderBytes; at < bytes.length; ) {
    const length = bytes.readInt32BE(at)
    blocks.push(uncompressBlock(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

function uncompressBlock(bytes: Buffer): Buffer {
  return uncompressSync(bytes, { asBuffer: true }) as Buffer
}

/** @throws IngestError CONFIG_INVALID where this Node has no zstd */
function decompressZstd(bytes: Buffer): Buffer {
  // Node's zlib has it since 22.15; the types are those of the oldest version that we run on.
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }
  if (zstdDecompressSync !== undefined) return zstdDecompressSync(bytes)
  const name = 'zstd-napi'
  try {
    return (createRequire(import.meta.url)(name) as { decompress(bytes: Buffer): Buffer }).decompress(bytes)
  } catch (cause) {
    throw new IngestError(
      'CONFIG_INVALID',
      `Reading zstd needs Node 22.15 or newer, or the package zstd-napi, and this is Node ${process.versions.node}.`,
      { cause }
    )
  }
}

function reading(decompress: (bytes: Buffer) => Buffer): () => ReadingCodec {
  const codec: ReadingCodec = { decompress: async bytes => decompress(bytes) }
  return () => codec
}

/** Lets every consumer of kafkajs in this process read snappy, lz4 and zstd. Twice is harmless. */
export function registerReadingCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.Snappy] = reading(uncompressSnappy)
  CompressionCodecs[CompressionTypes.LZ4] = reading(bytes => decompressFrameSync(bytes))
  CompressionCodecs[CompressionTypes.ZSTD] = reading(decompressZstd)
}
