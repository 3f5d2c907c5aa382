import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionNumbers, connectionNumberMax } from '../../../src/wire/connection-numbers.ts'
import { FrameBatch, FrameBatchWriter, FrameKind } from '../../../src/wire/frame-batch.ts'

test('connections are numbered over all threads of a process, and over the lives of each', () => {
  const numbers = new ConnectionNumbers()
  const [one, other] = [new ConnectionNumbers(numbers.memory), new ConnectionNumbers(numbers.memory)]
  assert.deepEqual([one.next(), other.next(), one.next()], [1, 2, 3])
  assert.equal(new ConnectionNumbers(numbers.memory).next(), 4)
})

test('the last number comes back from a batch as it went in, and the one behind it is refused', () => {
  const memory = new SharedArrayBuffer(4)
  new Int32Array(memory)[0] = connectionNumberMax - 1
  const numbers = new ConnectionNumbers(memory)
  const last = numbers.next()
  const writer = new FrameBatchWriter(last, 100)
  writer.append(Buffer.from('{}'), 1, 1, 0, FrameKind.stream)
  assert.equal(new FrameBatch(writer.take(1)).connection, last)
  for (let again = 0; again < 3; again++) assert.throws(() => numbers.next(), { code: 'LIMIT_HIT' })
  assert.throws(() => new FrameBatchWriter(last + 1, 100), /2147483648 is no number of a connection/)
})
