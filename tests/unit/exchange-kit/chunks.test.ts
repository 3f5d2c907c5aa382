import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunksOf } from '../../../src/exchange-kit/chunks.ts'

test('items come in full runs and a rest, in their order', () => {
  assert.deepEqual(chunksOf([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]])
  assert.deepEqual(chunksOf([1, 2], 2), [[1, 2]])
  assert.deepEqual(chunksOf([], 2), [])
})
