import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asciiText } from '../../../src/core/ascii-text.ts'

test('the bytes of a range become the text that they were', () => {
  const ascii = fc.string({ unit: 'binary-ascii' })
  fc.assert(
    fc.property(ascii, ascii, (before, text) => {
      const bytes = Buffer.from(`${before}${text}more`, 'latin1')
      assert.equal(asciiText(bytes, before.length, before.length + text.length), text)
    })
  )
})
