import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LogChunkWriter, readLogChunk } from '../../../src/wire/log-chunk.ts'

interface Entry {
  readonly route: number
  readonly timestampMicros: number
  readonly value: readonly number[]
}

function read(chunk: Uint8Array): Entry[] {
  const entries: Entry[] = []
  readLogChunk(chunk, (route, timestampMicros, start, end) => {
    entries.push({ route, timestampMicros, value: [...chunk.subarray(start, end)] })
  })
  return entries
}

const entry = fc.record(
  {
    route: fc.nat(0x7fffffff),
    timestampMicros: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    value: fc.array(fc.nat(255), { maxLength: 200, size: 'max' })
  },
  { noNullPrototype: true }
)

test('what goes into a chunk comes out, whatever the sizes and wherever the chunk lies', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(entry, { maxLength: 30, size: 'max' }), { minLength: 1, maxLength: 4 }),
      fc.nat(64),
      fc.nat(7),
      (rounds, bytesHint, offset) => {
        const writer = new LogChunkWriter(bytesHint)
        for (const entries of rounds) {
          for (const { route, timestampMicros, value } of entries) {
            const source = Uint8Array.from([7, ...value, 7, 7])
            writer.append(route, timestampMicros, source, 1, 1 + value.length)
          }
          assert.equal(writer.entries, entries.length)
          const taken = new Uint8Array(writer.take())
          assert.deepEqual([writer.entries, writer.bytes], [0, 0])
          const moved = new Uint8Array(taken.length + offset)
          moved.set(taken, offset)
          assert.deepEqual(read(moved.subarray(offset)), entries)
        }
      }
    ),
    { numRuns: 50 }
  )
})

test('an empty chunk has no entries', () => {
  assert.deepEqual(read(new Uint8Array(new LogChunkWriter(0).take())), [])
})
