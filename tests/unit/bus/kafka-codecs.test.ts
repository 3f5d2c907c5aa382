import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import kafkajs from 'kafkajs'
import { compressSync } from 'snappy'
import { codecOf } from '../../../actors/producer/kafka/compression.ts'
import { registerReadingCodecs, uncompressSnappy } from '../../../src/bus/kafka-codecs.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs
const text = Buffer.from('{"price":"116539000.0"}'.repeat(10_000))
const types = { snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4 } as const

suite('consumers of kafkajs read', () => {
  for (const name of ['snappy', 'lz4'] as const) {
    test(`${name}, as our producer writes it`, async () => {
      registerReadingCodecs()
      const codec = CompressionCodecs[types[name]]() as { decompress(bytes: Buffer): Promise<Buffer> }
      const compressed = Buffer.from(codecOf(name).compress(text))
      assert.ok(compressed.length < text.length / 4)
      assert.ok((await codec.decompress(compressed)).equals(text))
    })
  }

  test("snappy in blocks, as Java's producer writes it", () => {
    const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    const blocks = [text.subarray(0, 32_768), text.subarray(32_768)].flatMap(part => {
      const block = compressSync(part)
      const length = Buffer.alloc(4)
      length.writeInt32BE(block.length)
      return [length, block]
    })
    assert.ok(uncompressSnappy(Buffer.concat([head, ...blocks])).equals(text))
  })
})
