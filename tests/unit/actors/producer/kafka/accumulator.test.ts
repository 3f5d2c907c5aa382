import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Accumulator } from '../../../../../actors/producer/kafka/accumulator.ts'
import { type Partition } from '../../../../../actors/producer/kafka/partition.ts'
import { type Route } from '../../../../../actors/producer/sinks/record-sink.ts'
import { type ProducerTuning } from '../../../../../src/domain/producer-tuning.ts'
import { testTuning } from '../../../../support/kafka-writer.ts'
import { Settlements } from '../../../../support/settlements.ts'

class Rig {
  readonly settlements = new Settlements()
  readonly events: string[] = []
  readonly accumulator: Accumulator
  #next = 0

  constructor(tuning: Partial<ProducerTuning> = {}) {
    const name = ({ topic, partition }: Partition): string => `${topic}/${partition}`
    this.accumulator = new Accumulator({ ...testTuning, batchBytes: 1024, ...tuning }, this.settlements, {
      learned: partition => this.events.push(`learned ${name(partition)}`),
      opened: partition => this.events.push(`opened ${name(partition)}`),
      filled: partition => this.events.push(`filled ${name(partition)}`),
      emptied: () => this.events.push('emptied')
    })
  }

  /** Records of 100 bytes of value, numbered. */
  append(count: number, id = 0): void {
    const route = routes[id]!
    for (let i = 0; i < count; i++) {
      const bytes = Buffer.alloc(100, `${this.#next}:`)
      this.accumulator.append(route, bytes, 0, bytes.length, 1e15 + this.#next, this.#next)
      this.#next++
    }
  }

  get partition(): Partition {
    return this.accumulator.partitions[0]!
  }
}

const routes: readonly Route[] = [0, 1, 2].map(id => {
  const key = `key-${id}`
  // The first two share a partition.
  return { id, topic: 't', partition: id === 2 ? 1 : 0, key, keyBytes: Buffer.from(key) }
})

suite('the accumulator', () => {
  test('gathers the records of a partition in one batch until it is full', () => {
    const rig = new Rig()
    rig.append(3)
    rig.append(3, 1)
    assert.deepEqual(rig.events, ['learned t/0', 'opened t/0'])
    assert.equal(rig.partition.open?.count, 6)
    rig.append(6)
    assert.deepEqual(rig.events.slice(2), ['opened t/0', 'filled t/0'])
    assert.deepEqual(
      rig.partition.queue.map(({ batch, reason }) => [batch.count, reason]),
      [[8, 'full']]
    )
    assert.equal(rig.partition.open?.count, 4)
    rig.append(1, 2)
    assert.deepEqual(rig.events.slice(4), ['learned t/1', 'opened t/1'])
  })

  test('closes the open batch for whoever takes it, and lets it grow until then', () => {
    const rig = new Rig()
    rig.append(2)
    const first = rig.accumulator.first(rig.partition, 'idle')
    assert.deepEqual([first?.batch.count, first?.reason, first?.batch.isSealed], [2, 'idle', true])
    rig.append(1)
    assert.equal(rig.accumulator.first(rig.partition, 'linger'), first)
    rig.accumulator.settleFirst(rig.partition, 'published')
    assert.equal(rig.accumulator.first(rig.partition, 'linger')?.reason, 'linger')
    rig.accumulator.settleFirst(rig.partition, 'published')
    assert.equal(rig.accumulator.first(rig.partition, 'linger'), null)
  })

  test('counts from append to settlement', () => {
    const rig = new Rig()
    const { accumulator } = rig
    rig.append(20)
    assert.equal(accumulator.pendingRecords, 20)
    assert.ok(accumulator.pendingBytes > 2_000 && accumulator.pendingBytes < 2_500)
    assert.ok(accumulator.bufferedBytes >= accumulator.pendingBytes)
    while (accumulator.first(rig.partition, 'drain') !== null) {
      accumulator.settleFirst(rig.partition, 'published')
    }
    assert.equal(rig.events.at(-1), 'emptied')
    assert.equal(rig.settlements.published.size, 20)
    assert.deepEqual(
      [accumulator.pendingRecords, accumulator.pendingBytes, accumulator.bufferedBytes],
      [0, 0, 0]
    )
  })

  test('is short of memory at three quarters of the buffer, and full at the whole of it', () => {
    const rig = new Rig({ bufferBytes: 20_000 })
    while (!rig.accumulator.isShort) rig.append(1)
    assert.ok(rig.accumulator.bufferedBytes >= 15_000)
    assert.equal(rig.accumulator.isFull, false)
    while (!rig.accumulator.isFull) rig.append(1)
    assert.ok(rig.accumulator.bufferedBytes >= 20_000)
  })

  test('tells each route’s loss before it fails the records', () => {
    const rig = new Rig()
    rig.append(2)
    rig.append(1, 1)
    rig.accumulator.first(rig.partition, 'linger')
    rig.accumulator.failFirst(rig.partition, 'because')
    assert.deepEqual(
      [...rig.settlements.lost],
      [
        ['key-0', 2],
        ['key-1', 1]
      ]
    )
    assert.deepEqual([...rig.settlements.failed.keys()], [0, 1, 2])
    assert.deepEqual(rig.settlements.refusals, [])
  })

  test('puts the halves of a batch in its place, in order', () => {
    const rig = new Rig()
    rig.append(10)
    const before = rig.accumulator.pendingBytes
    rig.accumulator.first(rig.partition, 'linger')
    rig.accumulator.splitFirst(rig.partition)
    const counts = rig.partition.queue.map(({ batch }) => batch.count)
    assert.equal(counts.length > 1, true)
    while (rig.accumulator.first(rig.partition, 'linger') !== null) {
      rig.accumulator.settleFirst(rig.partition, 'published')
    }
    assert.deepEqual([...rig.settlements.published.keys()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.ok(before > 0)
    assert.equal(rig.accumulator.pendingBytes, 0)
  })

  test('refuses the rows it is told, and sends the others', () => {
    const rig = new Rig()
    rig.append(7)
    rig.accumulator.first(rig.partition, 'linger')
    rig.accumulator.refuseRows(rig.partition, new Set([0, 3, 4]), 'bad')
    assert.deepEqual([...rig.settlements.failed.keys()], [0, 3, 4])
    assert.deepEqual(
      rig.settlements.refusals.map(({ value }) => Number.parseInt(Buffer.from(value).toString(), 10)),
      [0, 3, 4]
    )
    while (rig.accumulator.first(rig.partition, 'linger') !== null) {
      rig.accumulator.settleFirst(rig.partition, 'published')
    }
    assert.deepEqual([...rig.settlements.published.keys()], [1, 2, 5, 6])
    assert.equal(rig.accumulator.pendingBytes, 0)
  })

  test('takes what the listener appends to declare a loss, and does not fail it with the rest', () => {
    const rig = new Rig()
    rig.append(3)
    rig.settlements.undelivered = () => rig.append(1, 2)
    rig.accumulator.failAll('the end')
    assert.deepEqual([...rig.settlements.failed.keys()], [0, 1, 2])
    assert.equal(rig.accumulator.pendingRecords, 1)
  })

  test('compresses by topic', () => {
    const rig = new Rig({ compression: 'lz4', compressionByTopic: { t: 'none' } })
    rig.append(1)
    assert.equal(rig.partition.codec.name, 'none')
    assert.equal(new Rig({ compression: 'lz4' }).accumulator.partitions.length, 0)
  })
})
