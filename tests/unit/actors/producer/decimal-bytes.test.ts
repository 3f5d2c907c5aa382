import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isZeroText, numberOfText } from '../../../../actors/producer/decimal-bytes.ts'

function bytesOf(text: string): [Uint8Array, number, number] {
  return [Buffer.from(`"${text}"`), 1, text.length + 1]
}

test('a decimal text is read as the nearest double, whatever its length', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 25 })
  fc.assert(
    fc.property(fc.boolean(), digits, fc.option(digits), (isNegative, whole, decimals) => {
      const text = `${isNegative ? '-' : ''}${whole}${decimals === null ? '' : `.${decimals}`}`
      assert.equal(numberOfText(...bytesOf(text)), Number(text))
    }),
    { numRuns: 2_000 }
  )
})

test('two spellings of one number are the same double', () => {
  for (const [one, other] of [
    ['0.10', '0.1'],
    ['100', '100.000'],
    ['0.0000001', '0.00000010'],
    ['9007199254740993.1', '9007199254740993.10']
  ] as const) {
    assert.equal(numberOfText(...bytesOf(one)), numberOfText(...bytesOf(other)))
  }
})

test('zero is told from everything else, however it is spelled', () => {
  for (const text of ['0', '0.0', '0.00000000', '000', '0.']) assert.equal(isZeroText(...bytesOf(text)), true)
  for (const text of ['0.00000001', '1', '10', '-1']) assert.equal(isZeroText(...bytesOf(text)), false, text)
})
