import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { checksumOf } from '../../../src/simulator/checksum.ts'

test('the sum is the CRC-32 that everybody has', () => {
  // The check value that catalogues of such sums give.
  assert.equal(checksumOf('123456789'), 0xcbf43926)
  for (const text of ['', '0', '61233:1.5e-7:61234:-18.10913638', '5'.repeat(1000)]) {
    assert.equal(checksumOf(text), crc32(text))
  }
})
