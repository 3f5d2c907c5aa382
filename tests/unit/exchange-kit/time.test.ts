import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  microsFromDigits,
  microsFromRfc3339,
  microsFromSeconds,
  noTime
} from '../../../src/exchange-kit/time.ts'

const seed = 5

type Reader = typeof microsFromDigits

/** Digits around the text must not count. */
function micros(reader: Reader, text: string): number {
  const bytes = new TextEncoder().encode(`9${text}9`)
  return reader(bytes, 1, bytes.length - 1)
}

/** Microseconds from 1973-03-03 to the end of 2254. */
const moment = fc.bigInt({ min: 100_000_000_000_000n, max: 8_993_548_799_999_999n })

suite('a time in digits', () => {
  test('is read in the unit that its magnitude tells', () => {
    assert.equal(micros(microsFromDigits, '1790134742'), 1_790_134_742_000_000)
    assert.equal(micros(microsFromDigits, '1790134742106'), 1_790_134_742_106_000)
    assert.equal(micros(microsFromDigits, '1790134742106123'), 1_790_134_742_106_123)
    assert.equal(micros(microsFromDigits, '1790134742106123999'), 1_790_134_742_106_123)
    assert.equal(micros(microsFromDigits, '0'), 0)
  })

  test('is exact in every unit, finer digits cut off', () => {
    fc.assert(
      fc.property(moment, fc.bigInt({ min: 0n, max: 999n }), (time, nanos) => {
        assert.equal(micros(microsFromDigits, String(time)), Number(time))
        assert.equal(micros(microsFromDigits, String(time * 1000n + nanos)), Number(time))
        assert.equal(micros(microsFromDigits, String(time / 1000n)), Number((time / 1000n) * 1000n))
        assert.equal(
          micros(microsFromDigits, String(time / 1_000_000n)),
          Number((time / 1_000_000n) * 1_000_000n)
        )
      }),
      { seed, numRuns: 2000 }
    )
  })

  test('is refused when it is no whole number or beyond exactness', () => {
    for (const text of [
      '',
      '-1',
      '+1',
      '1e12',
      '1790134742.5',
      '017901347421',
      '17901347421x6',
      ' 1790134742'
    ]) {
      assert.equal(micros(microsFromDigits, text), Number.NaN, text)
    }
    for (const text of [
      '99999999999999',
      '99999999999999999',
      '9'.repeat(20),
      '9'.repeat(30),
      '179013474210612399x'
    ]) {
      assert.equal(micros(microsFromDigits, text), Number.NaN, text)
    }
  })
})

suite('a time in seconds', () => {
  test('is exact to the microsecond, finer digits cut off', () => {
    assert.equal(micros(microsFromSeconds, '1534614057.321597'), 1_534_614_057_321_597)
    assert.equal(micros(microsFromSeconds, '1534614057.3215979'), 1_534_614_057_321_597)
    assert.equal(micros(microsFromSeconds, '1534614057.5'), 1_534_614_057_500_000)
    assert.equal(micros(microsFromSeconds, '1534614057'), 1_534_614_057_000_000)
    fc.assert(
      fc.property(moment, fc.string({ unit: fc.constantFrom('0', '9'), maxLength: 20 }), (time, finer) => {
        const text = `${time / 1_000_000n}.${String(time % 1_000_000n).padStart(6, '0')}${finer}`
        assert.equal(micros(microsFromSeconds, text), Number(time), text)
      }),
      { seed, numRuns: 2000 }
    )
  })

  test('is refused when it is none', () => {
    for (const text of [
      '',
      '.5',
      '1534614057.',
      '-1.5',
      '1.5.5',
      '01.5',
      '1e9',
      '1534614057.3x',
      '1534614057123.5'
    ]) {
      assert.equal(micros(microsFromSeconds, text), Number.NaN, text)
    }
  })
})

suite('a time after RFC 3339', () => {
  test('is what Date.parse gives, and exact to the microsecond', () => {
    fc.assert(
      fc.property(
        moment,
        fc.integer({ min: 0, max: 12 }),
        fc.string({ unit: fc.constantFrom('0', '9') }),
        (time, decimals, finer) => {
          const millis = Number(time / 1000n)
          const withoutFraction = new Date(millis).toISOString().slice(0, 19)
          const fraction = `${String(time % 1_000_000n).padStart(6, '0')}${finer}`.slice(0, decimals)
          const text = `${withoutFraction}${fraction && `.${fraction}`}Z`
          const expected =
            Date.parse(`${withoutFraction}Z`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'))
          assert.equal(micros(microsFromRfc3339, text), expected, text)
        }
      ),
      { seed, numRuns: 5000 }
    )
  })

  test('counts offsets as Date.parse does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        fc.constantFrom('+', '-'),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        (millis, sign, hours, minutes) => {
          const offset = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
          const text = new Date(millis).toISOString().replace('Z', offset)
          assert.equal(micros(microsFromRfc3339, text), Date.parse(text) * 1000, text)
        }
      ),
      { seed, numRuns: 2000 }
    )
  })

  test('is no time at the beginning of the year 1 and of the epoch', () => {
    assert.equal(micros(microsFromRfc3339, '0001-01-01T00:00:00Z'), noTime)
    assert.equal(micros(microsFromRfc3339, '0001-01-01T00:00:00.000000Z'), noTime)
    assert.equal(micros(microsFromRfc3339, '1970-01-01T00:00:00.000Z'), noTime)
    assert.equal(micros(microsFromRfc3339, '1970-01-01T09:00:00+09:00'), noTime)
    assert.equal(micros(microsFromDigits, '0'), noTime)
    assert.equal(micros(microsFromSeconds, '0.000'), noTime)
  })

  test('may be before the epoch, on a leap day and at a leap second', () => {
    assert.equal(micros(microsFromRfc3339, '1969-12-31T23:59:59.999999Z'), -1)
    // Further from the epoch than a double counts microseconds.
    assert.equal(micros(microsFromRfc3339, '0001-01-02T00:00:00Z'), Number.NaN)
    assert.equal(micros(microsFromRfc3339, '9999-12-31T23:59:59+01:00'), Number.NaN)
    for (const day of ['2000-02-29', '2024-02-29', '2100-02-28', '2021-12-31', '2021-01-01', '2021-03-01']) {
      assert.equal(micros(microsFromRfc3339, `${day}T12:00:00Z`), Date.parse(`${day}T12:00:00Z`) * 1000, day)
    }
    assert.equal(
      micros(microsFromRfc3339, '2016-12-31T23:59:60Z'),
      micros(microsFromRfc3339, '2017-01-01T00:00:00Z')
    )
  })

  test('may have small letters, or a space before the time', () => {
    const expected = Date.parse('2021-04-17T16:43:37Z') * 1000
    assert.equal(micros(microsFromRfc3339, '2021-04-17t16:43:37z'), expected)
    assert.equal(micros(microsFromRfc3339, '2021-04-17 16:43:37Z'), expected)
  })

  test('is refused when there is no such time, whatever was read before', () => {
    assert.equal(micros(microsFromRfc3339, '2021-04-17T16:43:37Z'), 1_618_677_817_000_000)
    const none = [
      '',
      '2021-04-17',
      '2021-04-17T16:43:37',
      '2021-04-17T16:43:37.Z',
      '2021-04-17T16:43:37.5',
      '2021-04-17T16:43:37,5Z',
      '2021-04-17T16:43:37+0900',
      '2021-04-17T16:43:37+09:60',
      '2021-04-17T16:43:37+24:00',
      '2021-04-17T16:43:37*09:00',
      '2021-04-17T16:43:37ZZ',
      '2021-04-17T24:00:00Z',
      '2021-04-17T16:60:00Z',
      '2021-04-17T16:43:61Z',
      '2021-04-00T16:43:37Z',
      '2021-04-31T16:43:37Z',
      '2021-00-17T16:43:37Z',
      '2021-13-17T16:43:37Z',
      '2021-02-29T16:43:37Z',
      '2100-02-29T16:43:37Z',
      '2021/04/17T16:43:37Z',
      '2021-04-17X16:43:37Z',
      '2o21-04-17T16:43:37Z',
      '2021-04-17T1a:43:37Z',
      '+021-04-17T16:43:37Z'
    ]
    for (const text of none) assert.equal(micros(microsFromRfc3339, text), Number.NaN, text)
  })
})
