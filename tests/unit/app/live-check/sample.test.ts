import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escaped, sampleOf } from '../../../../src/app/live-check/sample.ts'

test('a short frame is shown as it is', () => {
  assert.equal(sampleOf(Buffer.from('{"가격":"1"}')), '{"가격":"1"}')
})

test('a long one is cut to 300 bytes, never within a character', () => {
  const sample = sampleOf(Buffer.from(`a${'가'.repeat(200)}`))
  assert.equal(sample, `a${'가'.repeat(99)}… (301 bytes more)`)
})

test('bytes that are no text are shown one by one', () => {
  assert.equal(sampleOf(Uint8Array.of(0x1f, 0x8b, 0x08, 0x41, 0xff)), '\\x1f\\x8b\\x08A\\xff')
})

test('nothing of a sample is obeyed by a terminal', () => {
  assert.equal(escaped('a\u001b[2Jb\r\n\u0000\u202e'), 'a\\u001b[2Jb\\u000d\\u000a\\u0000\\u202e')
})
