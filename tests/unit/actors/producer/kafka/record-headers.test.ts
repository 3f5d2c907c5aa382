import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeaders, noHeaders } from '../../../../../actors/producer/kafka/record-headers.ts'

test('headers are their count, then name and value with their lengths', () => {
  const encoded = encodeHeaders([
    ['a', 'é'],
    ['', Uint8Array.of(1, 2, 3)],
    ['empty', '']
  ])
  assert.deepEqual([...encoded], [6, 2, 97, 4, 0xc3, 0xa9, 0, 6, 1, 2, 3, 10, 101, 109, 112, 116, 121, 0])
})

test('no headers are the count 0', () => {
  assert.deepEqual([...encodeHeaders([])], [0])
  assert.deepEqual([...noHeaders], [0])
})

test('a value of 64 bytes has a length of two bytes', () => {
  const encoded = encodeHeaders([['h', new Uint8Array(64)]])
  assert.deepEqual([...encoded.subarray(0, 5)], [2, 2, 104, 0x80, 1])
  assert.equal(encoded.length, 5 + 64)
})
