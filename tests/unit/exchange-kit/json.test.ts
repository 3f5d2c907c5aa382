import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { IngestError } from '../../../src/core/errors.ts'
import { parseJson } from '../../../src/exchange-kit/json.ts'
import { type JsonValue } from '../../../src/exchange-kit/json-value.ts'

function parse(text: string): JsonValue {
  const bytes = new TextEncoder().encode(`xx${text}yy`)
  return parseJson(bytes, 2, bytes.length - 2)
}

/** The same value with ordinary objects and numbers as text. */
function withTextNumbers(value: unknown): unknown {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withTextNumbers)
  const copy = Object.create(null) as Record<string, unknown>
  for (const [key, child] of Object.entries(value)) copy[key] = withTextNumbers(child)
  return copy
}

suite('parseJson', () => {
  test('gives numbers as the text that was sent', () => {
    const expected = Object.create(null) as Record<string, JsonValue>
    expected['id'] = '16186773720000000123'
    expected['price'] = '1.16539E8'
    expected['sizes'] = ['0.10000000', '-0', '4.0E7']
    assert.deepEqual(
      parse('{"id":16186773720000000123,"price":1.16539E8,"sizes":[0.10000000,-0,4.0E7]}'),
      expected
    )
  })

  test('gives what JSON.parse gives for everything else', () => {
    fc.assert(
      fc.property(
        fc
          .jsonValue({ maxDepth: 5, stringUnit: 'grapheme' })
          .filter(value => !JSON.stringify(value).includes('e')),
        value =>
          assert.deepEqual(parse(JSON.stringify(value)), withTextNumbers(JSON.parse(JSON.stringify(value))))
      ),
      { seed: 7, numRuns: 1000 }
    )
    assert.equal(parse('"a\\u00e9\\ud83d\\ude00\\n\\/"'), 'aé😀\n/')
    assert.deepEqual(parse(' [true,false,null,"",[]] '), [true, false, null, '', []])
  })

  test('lets the last of equal keys win', () => {
    assert.deepEqual(Object.entries(parse('{"a":1,"b":2,"a":"3"}') as object), [
      ['a', '3'],
      ['b', '2']
    ])
  })

  test('keeps hostile keys as plain keys and touches no prototype', () => {
    const value = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as object
    assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
    assert.equal(Object.getPrototypeOf(value), null)
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    assert.equal(Reflect.get(parse('{}') as object, 'toString'), undefined)
  })

  test('says in its error what is wrong', () => {
    const refuses = (bytes: Uint8Array, reason: RegExp) =>
      assert.throws(
        () => parseJson(bytes, 0, bytes.length),
        error =>
          error instanceof IngestError && error.code === 'FRAME_MALFORMED' && reason.test(error.message)
      )
    const encoder = new TextEncoder()
    refuses(encoder.encode(''), /not valid JSON/)
    refuses(encoder.encode('{"a":1'), /not valid JSON/)
    refuses(Uint8Array.from([0x22, 0xff, 0x22]), /not valid UTF-8/)
    refuses(encoder.encode('['.repeat(1_000_000)), /deeper than 64/)
  })
})
