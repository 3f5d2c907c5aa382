import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressLz4, decompressLz4 } from '../../../../../actors/producer/kafka/lz4-frame.ts'

const blockBytes = 64 * 1024

/** Lengths of the blocks of a frame, and whether each is stored; checks what stands around them. */
function blocksOf(frame: Uint8Array): { bytes: number; isStored: boolean }[] {
  const buffer = Buffer.from(frame)
  // Magic number; version 1, independent blocks, no checksums, no size; blocks of 64 KiB; the checksum of these two bytes
  // that every writer of such frames puts there.
  assert.equal(buffer.subarray(0, 7).toString('hex'), '04224d18604082')
  const blocks: { bytes: number; isStored: boolean }[] = []
  let at = 7
  for (;;) {
    const length = buffer.readUInt32LE(at)
    at += 4
    if (length === 0) break
    const bytes = length % 0x80000000
    blocks.push({ bytes, isStored: length >= 0x80000000 })
    at += bytes
  }
  assert.equal(at, buffer.length)
  return blocks
}

test('a frame has a block for every 64 KiB and ends with a mark', () => {
  for (const [length, count] of [
    [0, 0],
    [1, 1],
    [blockBytes, 1],
    [blockBytes + 1, 2],
    [3 * blockBytes, 3]
  ] as const) {
    const frame = compressLz4(Buffer.alloc(length, 'abcd'))
    assert.equal(blocksOf(frame).length, count, `${length} bytes`)
  }
})

test('a block that does not become smaller is stored as it is', () => {
  const noise = crypto.getRandomValues(new Uint8Array(blockBytes))
  const bytes = Buffer.concat([noise, Buffer.alloc(blockBytes), noise.subarray(0, 5)])
  const frame = Buffer.from(compressLz4(bytes))
  const blocks = blocksOf(frame)
  assert.deepEqual(
    blocks.map(({ isStored }) => isStored),
    [true, false, true]
  )
  assert.equal(blocks[0]!.bytes, blockBytes)
  assert.equal(Buffer.compare(decompressLz4(frame), bytes), 0)
})

test('a part of a larger array is compressed alone', () => {
  const bytes = Buffer.alloc(3000, 'abcdefg')
  const part = new Uint8Array(bytes.buffer, bytes.byteOffset + 100, 1000)
  const frame = Buffer.from(compressLz4(part))
  assert.equal(Buffer.compare(decompressLz4(new Uint8Array(frame)), part), 0)
})
