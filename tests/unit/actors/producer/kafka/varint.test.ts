import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  readVarint,
  skipVarint,
  varintBytes,
  writeVarint
} from '../../../../../actors/producer/kafka/varint.ts'
import { WireReader } from '../../../../support/broker-double/wire-reader.ts'

const edges = [6, 7, 13, 14, 20, 21, 27, 28, 29, 30, 31, 32, 34, 35, 41, 48, 52]
  .flatMap(bits => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1])
  .flatMap(value => [value, -value])

function written(value: number): Buffer {
  const bytes = Buffer.alloc(12, 0xee)
  const end = writeVarint(bytes, 1, value)
  return bytes.subarray(1, end)
}

test('any safe integer is read back, and takes the bytes that were foretold', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(0, ...edges), fc.maxSafeInteger(), fc.integer()), value => {
      const bytes = written(value)
      assert.equal(bytes.length, varintBytes(value))
      assert.equal(Number(new WireReader(bytes).varlong()), value)
    }),
    { numRuns: 2000 }
  )
})

test('lengths are read back, and skipped', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 }), value => {
      const bytes = written(value)
      assert.equal(readVarint(bytes, 0), value)
      assert.equal(skipVarint(bytes, 0), bytes.length)
    })
  )
})
