import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { crc32 } from '../../../src/exchange-kit/crc32.ts'

test('known sums come out, as signed integers', () => {
  assert.equal(crc32(''), 0)
  assert.equal(crc32('123456789'), 0xcbf43926 | 0)
  assert.equal(crc32('a'), 0xe8b7be43 | 0)
  assert.equal(crc32('The quick brown fox jumps over the lazy dog'), 0x414fa339)
})

test('any ASCII text has the sum that zlib gives it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 2000 }), text => {
      assert.equal(crc32(text), zlib.crc32(text) | 0)
    }),
    { seed: 1, numRuns: 300 }
  )
})
