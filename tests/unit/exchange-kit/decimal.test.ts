import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import avsc from 'avsc'
import fc from 'fast-check'
import {
  checkDecimal,
  DecimalError,
  decimalBytesMax,
  exponentMax,
  isNegative,
  isZero,
  writeAbsolute,
  writeAbsoluteString,
  writeDecimal,
  writeDecimalString,
  writePercent,
  writePercentString
} from '../../../src/exchange-kit/decimal.ts'
import { TokenKind } from '../../../src/exchange-kit/tape.ts'

const seed = 42
const encoder = new TextEncoder()

type Writer = typeof writeDecimal

/** The text a writer makes of a decimal, or its error; bytes around source and target must not matter. */
function written(writer: Writer, text: string, kind: number = TokenKind.string): string | number {
  const bytes = encoder.encode(`9${text}9`)
  const out = new Uint8Array(decimalBytesMax(text.length) + 2).fill(0x23)
  const end = writer(kind, bytes, 1, bytes.length - 1, out, 1)
  if (end < 0) return end
  assert.ok(end - 1 <= decimalBytesMax(text.length))
  assert.equal(out[0], 0x23)
  return Buffer.from(out.subarray(1, end)).toString()
}

function ask<Answer>(
  question: (bytes: Uint8Array, start: number, end: number) => Answer,
  text: string
): Answer {
  const bytes = encoder.encode(`9${text}9`)
  return question(bytes, 1, bytes.length - 1)
}

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength })

/** A decimal as its parts, and its text. */
const parts = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: digits(1, 20).map(text => text.replace(/^0+(?=\d)/, '')),
    fraction: digits(0, 20),
    exponent: fc.option(fc.integer({ min: -60, max: 60 }), { nil: null }),
    mark: fc.constantFrom('e', 'E')
  })
  .map(({ sign, whole, fraction, exponent, mark }) => ({
    text: `${sign}${whole}${fraction && `.${fraction}`}${exponent === null ? '' : `${mark}${exponent}`}`,
    unscaled: BigInt(`${sign}${whole}${fraction}`),
    isMinus: sign === '-',
    scale: fraction.length - (exponent ?? 0)
  }))

/** The value of a plain decimal text as an integer and the number of its decimals. */
function plain(text: string): { unscaled: bigint; scale: number } {
  const [whole = '', fraction = ''] = text.split('.')
  return { unscaled: BigInt(whole + fraction), scale: fraction.length }
}

/** `text` must be unscaled / 10^scale: the same value, no decimal lost, none invented. */
function isExactly(text: string | number, unscaled: bigint, scale: number): void {
  assert.ok(typeof text === 'string', `error ${text}`)
  assert.match(text, /^-?(0|[1-9]\d*)(\.\d+)?$/)
  const found = plain(text)
  assert.equal(found.scale, Math.max(0, scale), text)
  assert.equal(found.unscaled, scale < 0 ? unscaled * 10n ** BigInt(-scale) : unscaled, text)
}

suite('a decimal', () => {
  test('is a JSON number and nothing else', () => {
    const plainNumbers = [
      '0',
      '-0',
      '7',
      '10',
      '-12',
      '0.5',
      '0.00000000',
      '71900000.0',
      '123456789012345678901234567890'
    ]
    const exponents = ['1e5', '1E5', '1e+5', '1e-5', '0E-8', '-1.5E007', '4.0E7']
    const none = [
      '',
      '-',
      '+1',
      '1.',
      '.5',
      '-.5',
      '00',
      '007',
      '-01',
      '1e',
      '1e+',
      'e5',
      '1.e5',
      '1e5.0',
      '1.2.3'
    ]
    const noneEither = ['NaN', 'Infinity', '0x10', '1,000', ' 1', '1 ', '1_000', '--1', '1e5e5', '١', 'null']
    for (const text of plainNumbers) assert.equal(ask(checkDecimal, text), TokenKind.number, text)
    for (const text of exponents) assert.equal(ask(checkDecimal, text), TokenKind.exponent, text)
    for (const text of [...none, ...noneEither])
      assert.equal(ask(checkDecimal, text), DecimalError.notDecimal, text)
  })

  test('is accepted and refused as JSON.parse does', () => {
    const soup = fc.string({ unit: fc.constantFrom(...'0012.-+eE 9'), maxLength: 8 })
    fc.assert(
      fc.property(soup, text => {
        let accepted = !text.includes(' ')
        try {
          JSON.parse(text)
        } catch {
          accepted = false
        }
        assert.equal(ask(checkDecimal, text) > 0, accepted, text)
      }),
      { seed, numRuns: 20_000 }
    )
  })

  test('is zero however its zero is written', () => {
    for (const zero of ['0', '-0', '0.00000000', '0E-8', '-0.0e5', '0e99']) assert.ok(ask(isZero, zero), zero)
    for (const other of ['1', '-1', '0.00000001', '1E-8', '10', '0.9e0'])
      assert.ok(!ask(isZero, other), other)
  })

  test('is negative when it has a minus, zero included', () => {
    assert.ok(ask(isNegative, '-1'))
    assert.ok(ask(isNegative, '-0'))
    assert.ok(!ask(isNegative, '1e-5'))
    assert.ok(!ask(isNegative, ''))
  })
})

suite('writing a decimal', () => {
  test('keeps the very digits when there is no exponent', () => {
    for (const text of ['71900000.0', '0.10000000', '-0', '0.00', '123456789012345678901234567890.5']) {
      assert.equal(written(writeDecimal, text), text)
      assert.equal(written(writeDecimal, text, TokenKind.number), text)
    }
  })

  test('expands an exponent by moving the point', () => {
    const expected = [
      ['1.16539E8', '116539000'],
      ['9.121E-7', '0.0000009121'],
      ['4.0E7', '40000000'],
      ['-1.25e1', '-12.5'],
      ['1.25e2', '125'],
      ['1.250e2', '125.0'],
      ['0E-8', '0.00000000'],
      ['0e5', '0'],
      ['0.5E1', '5'],
      ['0.05e3', '50'],
      ['5E0', '5'],
      ['0.00e1', '0.0'],
      ['12e-2', '0.12'],
      ['12e-1', '1.2']
    ]
    for (const [text, expanded] of expected) {
      assert.equal(written(writeDecimal, text!), expanded)
      assert.equal(written(writeDecimal, text!, TokenKind.exponent), expanded)
    }
  })

  test('moves the point of a percentage two places', () => {
    const expected = [
      ['0.345', '0.00345'],
      ['-12', '-0.12'],
      ['0', '0.00'],
      ['0.00', '0.0000'],
      ['100', '1.00'],
      ['1234.5', '12.345'],
      ['1.5E1', '0.15'],
      ['2.5e-3', '0.000025'],
      ['1e4', '100'],
      ['-1.01', '-0.0101']
    ]
    for (const [text, ratio] of expected) assert.equal(written(writePercent, text!), ratio, text)
  })

  test('leaves the minus out of an absolute value', () => {
    assert.equal(written(writeAbsolute, '-0.0130', TokenKind.number), '0.0130')
    assert.equal(written(writeAbsolute, '0.0130'), '0.0130')
    assert.equal(written(writeAbsolute, '-1.5e-3', TokenKind.exponent), '0.0015')
    assert.equal(written(writeAbsolute, '-'), DecimalError.notDecimal)
  })

  test('changes no value, checked by integer arithmetic', () => {
    fc.assert(
      fc.property(parts, ({ text, unscaled, scale, isMinus }) => {
        isExactly(written(writeDecimal, text), unscaled, scale)
        isExactly(written(writePercent, text), unscaled, scale + 2)
        isExactly(written(writeAbsolute, text), unscaled < 0n ? -unscaled : unscaled, scale)
        assert.equal(String(written(writeDecimal, text)).startsWith('-'), isMinus)
        assert.equal(ask(isZero, text), unscaled === 0n)
      }),
      { seed, numRuns: 5000 }
    )
  })

  test('refuses an exponent that would fill the memory', () => {
    const zeros = '0'.repeat(exponentMax)
    assert.equal(written(writeDecimal, `1e${exponentMax}`), `1${zeros}`)
    assert.equal(written(writeDecimal, `1e-${exponentMax}`), `0.${zeros.slice(1)}1`)
    for (const text of [
      `1e${exponentMax + 1}`,
      `1e-${exponentMax + 1}`,
      '1e999999999',
      '1e-99999999999999999999999'
    ]) {
      for (const writer of [
        writeDecimal,
        writePercent,
        writeAbsolute,
        writeDecimalString,
        writePercentString
      ]) {
        assert.equal(written(writer, text), DecimalError.exponentTooLarge, text)
      }
    }
    assert.equal(written(writeDecimal, '1e0000000000000000000000002'), '100')
  })

  test('refuses tokens that are no decimal', () => {
    for (const writer of [
      writeDecimal,
      writePercent,
      writeAbsolute,
      writeDecimalString,
      writeAbsoluteString
    ]) {
      for (const kind of [TokenKind.null, TokenKind.true, TokenKind.key, TokenKind.object]) {
        assert.equal(written(writer, '1', kind), DecimalError.notDecimal)
      }
      assert.equal(written(writer, 'NaN'), DecimalError.notDecimal)
    }
  })

  test('as an Avro string gives the bytes that avsc gives', () => {
    const string = avsc.Type.forSchema('string')
    const pairs: readonly (readonly [Writer, Writer])[] = [
      [writeDecimal, writeDecimalString],
      [writePercent, writePercentString],
      [writeAbsolute, writeAbsoluteString]
    ]
    const longOnes = [`1e${exponentMax}`, `-${'9'.repeat(90)}`, '1e62', '1e63', '1e64', `0.${'1'.repeat(60)}`]
    const check = (text: string) => {
      for (const [writer, stringWriter] of pairs) {
        const bytes = encoder.encode(text)
        const out = new Uint8Array(decimalBytesMax(text.length))
        const end = stringWriter(TokenKind.string, bytes, 0, bytes.length, out, 0)
        assert.deepEqual(Buffer.from(out.subarray(0, end)), string.toBuffer(written(writer, text)), text)
      }
    }
    for (const text of longOnes) check(text)
    fc.assert(
      fc.property(parts, ({ text }) => check(text)),
      { seed, numRuns: 1000 }
    )
  })
})
