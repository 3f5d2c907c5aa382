import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecOf } from '../../../../../actors/producer/kafka/compression.ts'
import { IngestError } from '../../../../../src/core/errors.ts'
import { codecNames } from '../../../../support/broker-double/decompress.ts'

const bytesArb = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  // Sizes around and beyond the blocks of LZ4, repetitive and not.
  fc
    .tuple(
      fc.constantFrom(65_535, 65_536, 65_537, 131_072, 200_000),
      fc.integer({ min: 1, max: 70_000 }),
      fc.nat()
    )
    .map(([length, period, seed]) =>
      Uint8Array.from({ length }, (_, i) => Math.imul((i % period) + seed, 0x9e3779b1) >>> 24)
    )
)

test("each codec has its number in the protocol's attributes", () => {
  for (const name of ['none', 'gzip', 'snappy', 'lz4'] as const) {
    const codec = codecOf(name)
    assert.deepEqual([codec.name, codecNames[codec.attribute]], [name, name])
  }
})

for (const name of ['none', 'gzip', 'snappy', 'lz4'] as const) {
  test(`${name} gives back what it was given`, () => {
    const codec = codecOf(name)
    fc.assert(
      fc.property(bytesArb, bytes => {
        const compressed = Buffer.from(codec.compress(bytes))
        assert.equal(Buffer.compare(codec.decompress(compressed), bytes), 0)
      })
    )
  })
}

test('zstd works, or says what it needs', () => {
  let zstd: ReturnType<typeof codecOf>
  try {
    zstd = codecOf('zstd')
  } catch (error) {
    assert.ok(error instanceof IngestError)
    assert.equal(error.code, 'CONFIG_INVALID')
    assert.match(error.message, /Node 22\.15.*zstd-napi/)
    return
  }
  assert.deepEqual([zstd.name, codecNames[zstd.attribute]], ['zstd', 'zstd'])
  const bytes = Buffer.from('the same again and again, '.repeat(5000))
  const compressed = zstd.compress(bytes)
  assert.equal(compressed.length < 1000, true)
  assert.equal(Buffer.compare(zstd.decompress(compressed), bytes), 0)
})
