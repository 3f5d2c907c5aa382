import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fifo } from '../../../../actors/producer/fifo.ts'

test('what goes in first comes out first, and an empty one has nothing', () => {
  const fifo = new Fifo<string>()
  assert.deepEqual([fifo.length, fifo.first, fifo.shift()], [0, undefined, undefined])
  fifo.push('a')
  fifo.push('b')
  assert.deepEqual([fifo.length, fifo.first], [2, 'a'])
  assert.deepEqual([fifo.shift(), fifo.shift(), fifo.length], ['a', 'b', 0])
  fifo.push('c')
  assert.deepEqual([fifo.shift(), fifo.shift()], ['c', undefined])
})

test('the order holds over many thousands that come and go', () => {
  const fifo = new Fifo<number>()
  let [pushed, taken] = [0, 0]
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 97; i++) fifo.push(pushed++)
    for (let i = 0; i < 61; i++) assert.equal(fifo.shift(), taken++)
    assert.equal(fifo.length, pushed - taken)
  }
  while (fifo.length > 0) assert.equal(fifo.shift(), taken++)
  assert.equal(taken, pushed)
})
