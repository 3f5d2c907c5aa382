import { compressSync, decompressFrameSync } from 'lz4-napi'

/**
 * An LZ4 frame of independent blocks, made from the package's single blocks. Its own frames need half as much memory again
 * outside of the heap, which makes them slower by up to the time of the compression itself; and with blocks of 64 KiB,
 * behind which no match reaches anyway, the frame's header is always the same.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */

/** Magic number; version 1 with independent blocks; blocks of up to 64 KiB; checksum of these two bytes. */
const frameHeader = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const blockBytes = 64 * 1024
const endMarkBytes = 4
/** In the length of a block that is stored as it is. */
const storedFlag = 0x80000000
/** The package puts the uncompressed length before each block. */
const lengthBytes = 4

let frame = Buffer.allocUnsafeSlow(blockBytes)

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The result is valid until the next call. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  const source = asBuffer(bytes)
  const blocks = Math.ceil(source.length / blockBytes)
  const frameBytesMax = frameHeader.length + blocks * lengthBytes + source.length + endMarkBytes
  if (frame.length < frameBytesMax) frame = Buffer.allocUnsafeSlow(frameBytesMax)
  frame.set(frameHeader)
  let at = frameHeader.length
  for (let start = 0; start < source.length; start += blockBytes) {
    const block = source.subarray(start, start + blockBytes)
    const compressed = compressSync(block)
    const compressedBytes = compressed.length - lengthBytes
    const isStored = compressedBytes >= block.length
    const written = isStored ? block : compressed.subarray(lengthBytes)
    frame.writeUInt32LE(isStored ? block.length + storedFlag : compressedBytes, at)
    frame.set(written, at + lengthBytes)
    at += lengthBytes + written.length
  }
  frame.writeUInt32LE(0, at)
  return frame.subarray(0, at + endMarkBytes)
}

export function decompressLz4(bytes: Uint8Array): Uint8Array {
  return decompressFrameSync(asBuffer(bytes))
}
