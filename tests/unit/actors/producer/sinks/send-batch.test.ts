import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SendBatch } from '../../../../../actors/producer/sinks/send-batch.ts'

function keyed(text: string) {
  const key = Buffer.from(text)
  return { route: { id: 0, topic: 't', partition: 3, key: text, keyBytes: key }, key }
}

function fill(batch: SendBatch, count: number): void {
  const source = Buffer.alloc(64)
  for (let n = 0; n < count; n++) {
    const length = n % 50
    source.fill(n & 0xff)
    batch.add(keyed(`k${n % 3}`), source, 7, 7 + length, n * 700, n, length + 26)
    source.fill(0)
  }
}

function assertHolds(batch: SendBatch, first: number, count: number): void {
  assert.equal(batch.count, count)
  const messages = batch.messages(3)
  for (let row = 0; row < count; row++) {
    const n = first + row
    assert.deepEqual(messages[row], {
      key: Buffer.from(`k${n % 3}`),
      value: Buffer.alloc(n % 50, n & 0xff),
      partition: 3,
      timestamp: String(Math.floor((n * 700) / 1000))
    })
    assert.equal(batch.owners[row], n)
    assert.equal(batch.receivedMicros[row], n * 700)
    assert.equal(batch.routeOf(row).key, `k${n % 3}`)
  }
}

suite('a batch of records', () => {
  test('keeps copies of values, keys, owners and times, however many', () => {
    const batch = new SendBatch()
    fill(batch, 1_000)
    assertHolds(batch, 0, 1_000)
  })

  test('gives the very same messages to a retry', () => {
    const batch = new SendBatch()
    fill(batch, 5)
    assert.equal(batch.messages(3), batch.messages(3))
  })

  test('is empty after it was cleared, and can be filled again', () => {
    const batch = new SendBatch()
    fill(batch, 300)
    batch.messages(3)
    batch.clear()
    assert.equal(batch.count, 0)
    assert.equal(batch.bytes, 0)
    fill(batch, 10)
    assertHolds(batch, 0, 10)
  })

  test('splits into halves that hold the same records and bytes', () => {
    for (const count of [2, 3, 101]) {
      const batch = new SendBatch()
      fill(batch, count)
      const [first, second] = [new SendBatch(), new SendBatch()]
      const middle = count >> 1
      batch.copyTo(first, 0, middle)
      batch.copyTo(second, middle, count)
      assertHolds(first, 0, middle)
      assertHolds(second, middle, count - middle)
      assert.equal(first.bytes + second.bytes, batch.bytes)
    }
  })
})
