import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyWords } from '../../../../../actors/producer/kafka/copy.ts'
import { newSlab } from '../../../../../actors/producer/kafka/slab.ts'

test('every length is copied exactly, from and to every position of a word', () => {
  const whole = Uint8Array.from({ length: 500 }, (_, i) => (i * 7 + 1) & 0xff)
  // A view that does not begin where its buffer does.
  const from = whole.subarray(10)
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength)
  for (let length = 0; length <= 400; length++) {
    const start = length % 5
    const at = length % 7
    const to = newSlab(450)
    to.bytes.fill(0)
    copyWords(to, at, from, view, start, start + length)
    const expected = Buffer.alloc(450)
    expected.set(from.subarray(start, start + length), at)
    assert.equal(Buffer.compare(to.bytes, expected), 0, `${length} bytes`)
  }
})
