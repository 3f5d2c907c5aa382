import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import avsc from 'avsc'
import fc from 'fast-check'
import {
  avroString,
  closeArray,
  closeString,
  longBytesMax,
  writeInt,
  writeLong,
  writeString,
  writeText
} from '../../../src/exchange-kit/avro-bytes.ts'

const seed = 11
const encoder = new TextEncoder()
const long = avsc.Type.forSchema('long')
const string = avsc.Type.forSchema('string')

function bytesOf(write: (out: Uint8Array, at: number) => number, room = longBytesMax): Buffer {
  const out = new Uint8Array(room + 2).fill(0xee)
  const end = write(out, 1)
  assert.equal(out[0], 0xee)
  assert.equal(out[end], 0xee, 'a byte behind the value was touched')
  return Buffer.from(out.subarray(1, end))
}

/** Zigzag and varint by BigInt: avsc refuses the two ends and, below -(2^52), writes an even neighbour. */
function reference(value: number): Buffer {
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value)
  const bytes: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const edges = [0, 6, 7, 13, 14, 20, 21, 26, 27, 28, 31, 32, 33, 34, 40, 41, 47, 48, 52].flatMap(power =>
  [-1, 0, 1].flatMap(step => [2 ** power + step, -(2 ** power) + step])
)

suite('Avro bytes', () => {
  test('of a long are those of avsc', () => {
    for (const value of edges.filter(edge => Math.abs(edge) <= 2 ** 52)) {
      assert.deepEqual(
        bytesOf((out, at) => writeLong(value, out, at)),
        long.toBuffer(value),
        String(value)
      )
    }
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), value => {
        assert.deepEqual(
          bytesOf((out, at) => writeLong(value, out, at)),
          long.toBuffer(value)
        )
      }),
      { seed, numRuns: 5000 }
    )
  })

  test('of a long are right for every safe integer', () => {
    const extremes = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1_790_134_742_106_123, -0]
    for (const value of [...edges, ...extremes]) {
      assert.deepEqual(
        bytesOf((out, at) => writeLong(value, out, at)),
        reference(value),
        String(value)
      )
    }
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => {
        assert.deepEqual(
          bytesOf((out, at) => writeLong(value, out, at)),
          reference(value)
        )
      }),
      { seed, numRuns: 5000 }
    )
  })

  test('of an int are those of avsc over the whole range', () => {
    const int = avsc.Type.forSchema('int')
    const check = (value: number) =>
      assert.deepEqual(
        bytesOf((out, at) => writeInt(value, out, at)),
        int.toBuffer(value)
      )
    for (const value of [0, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]) check(value)
    fc.assert(fc.property(fc.integer(), check), { seed, numRuns: 2000 })
  })

  test('of a string are those of avsc, however it is written', () => {
    const check = (text: string) => {
      const bytes = encoder.encode(`<${text}>`)
      const end = bytes.length - 1
      const expected = string.toBuffer(text)
      const room = bytes.length + longBytesMax
      assert.deepEqual(
        bytesOf((out, at) => writeString(bytes, 1, end, out, at), room),
        expected
      )
      const closing = (out: Uint8Array, at: number) =>
        closeString(out, at, writeText(bytes, 1, end, out, at + 1))
      assert.deepEqual(bytesOf(closing, room), expected)
      assert.deepEqual(Buffer.from(avroString(text)), expected)
    }
    for (const length of [0, 1, 62, 63, 64, 65, 8191, 8192, 1_048_575, 1_048_576]) check('x'.repeat(length))
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), check), { seed, numRuns: 500 })
  })

  test('of an array are those of avsc, for every width of the count', () => {
    const array = avsc.Type.forSchema({ type: 'array', items: 'int' })
    for (const count of [0, 1, 63, 64, 8191, 8192, 1_048_576]) {
      const items = Array.from({ length: count }, (_, index) => index % 50)
      const written = bytesOf((out, mark) => {
        let at = mark + 1
        for (const item of items) at = writeInt(item, out, at)
        return closeArray(out, mark, at, count)
      }, count + longBytesMax)
      assert.deepEqual(written, array.toBuffer(items), String(count))
    }
  })
})
