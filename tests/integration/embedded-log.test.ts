import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import { type LogRef } from '../../actors/log/ref.ts'
import { EmbeddedSink } from '../../actors/producer/sinks/embedded.ts'
import { type Route } from '../../actors/producer/sinks/record-sink.ts'
import { EmbeddedLogRig, KeepingReader } from '../support/embedded-log.ts'
import { Settlements } from '../support/settlements.ts'

const topic = 'trade-data.asia'

/** A producer of its own, whose route numbers begin at 0 as every producer's do. */
class Producer {
  readonly settlements = new Settlements()
  readonly sink: EmbeddedSink
  next = 0
  readonly #name: string
  readonly #routes: readonly Route[]

  constructor(log: LogRef, name: string, keys: readonly string[], batchBytes = 4096) {
    this.#name = name
    this.#routes = keys.map((key, id) => ({ id, topic, partition: 0, key, keyBytes: Buffer.from(key) }))
    this.sink = new EmbeddedSink({ port: log.producerPort(), lingerMs: 1, batchBytes }, this.settlements)
  }

  write(count: number, paddingBytes = 0): void {
    for (let i = 0; i < count; i++) {
      const number = this.next++
      const value = Buffer.from(`${this.#name}${number}${'.'.repeat(paddingBytes)}`)
      this.sink.append(this.#routes[number % this.#routes.length]!, value, 0, value.length, number, number)
    }
  }
}

/** Resolves when a reader of the topic has seen so many records. */
function seen(log: LogRef, count: number): Promise<void> {
  return new Promise(resolve => {
    let left = count
    const stop = log.tail(
      { topic, from: 'earliest', keyPrefix: '' },
      {
        record: () => {
          if (--left > 0) return
          stop()
          resolve()
        },
        skipped: () => undefined,
        end: () => resolve()
      }
    )
  })
}

suite('the embedded log', () => {
  test('gives an attached checker every record of every producer, each under its own key, and the end', async () => {
    await using rig = await EmbeddedLogRig.start()
    const checkers = [new KeepingReader(rig.socket), new KeepingReader(rig.socket)]
    for (const { reader } of checkers) await reader.attach()
    const first = new Producer(rig.log, 'a', ['k0', 'k1', 'k2'])
    await first.sink.open()
    first.write(500)
    await first.sink.drain(10_000)
    await first.sink.close()
    // The next producer numbers its routes from 0 again, and the same numbers mean other keys.
    const second = new Producer(rig.log, 'b', ['k2', 'k0'])
    await second.sink.open()
    second.write(500)
    await second.sink.drain(10_000)
    await second.sink.close()
    const finished = Promise.all(checkers.map(({ reader }) => reader.finish(10_000)))
    await rig.log.close(10_000)
    await finished
    const expected = [
      ...Array.from({ length: 500 }, (_, i) => ({ topic, key: `k${i % 3}`, value: `a${i}` })),
      ...Array.from({ length: 500 }, (_, i) => ({ topic, key: i % 2 === 0 ? 'k2' : 'k0', value: `b${i}` }))
    ]
    for (const checker of checkers) {
      assert.deepEqual(checker.records, expected)
      assert.deepEqual(checker.notes, [])
    }
  })

  test('waits with acknowledgements for a checker that does not read, and loses nothing', async () => {
    await using rig = await EmbeddedLogRig.start({ checkerBytes: 64 * 1024 })
    const checker = connect(rig.socket)
    const [attached] = (await once(checker, 'data')) as [Buffer]
    assert.equal(attached.length, 5)
    checker.pause()
    const producer = new Producer(rig.log, 'a', ['k'], 128 * 1024)
    await producer.sink.open()
    producer.write(8000, 1000)
    await seen(rig.log, 7900)
    assert.ok(producer.settlements.published.size < 7900)
    assert.equal(producer.settlements.failed.size, 0)
    checker.resume()
    await producer.settlements.until(() => producer.settlements.published.size === 8000)
    checker.destroy()
    await producer.sink.close()
  })

  test('goes on without a checker that breaks off', async () => {
    await using rig = await EmbeddedLogRig.start({ checkerBytes: 64 * 1024 })
    const checker = connect(rig.socket)
    await once(checker, 'data')
    checker.pause()
    const producer = new Producer(rig.log, 'a', ['k'], 128 * 1024)
    await producer.sink.open()
    producer.write(8000, 1000)
    await seen(rig.log, 7900)
    checker.destroy()
    await producer.settlements.until(() => producer.settlements.published.size === 8000)
    await producer.sink.close()
  })

  test('refuses more checkers than its limit', async () => {
    await using rig = await EmbeddedLogRig.start({ checkers: 1 })
    const first = new KeepingReader(rig.socket)
    await first.reader.attach()
    const second = new KeepingReader(rig.socket)
    await assert.rejects(second.reader.attach(), { code: 'SERVICE_UNREACHABLE' })
    await first.reader.close()
  })

  test('tails a topic from now on, by key prefix', async () => {
    await using rig = await EmbeddedLogRig.start()
    const producer = new Producer(rig.log, 'a', ['x|0', 'y|0'])
    await producer.sink.open()
    producer.write(10)
    await producer.sink.drain(10_000)
    const got: string[] = []
    let isEnough = false
    const stop = rig.log.tail(
      { topic, from: 'latest', keyPrefix: 'y|' },
      {
        record: ({ value, offset }) => {
          got.push(`${Buffer.from(value).toString()}@${offset}`)
          if (got.length < 3) return
          stop()
          isEnough = true
        },
        skipped: () => undefined,
        end: () => undefined
      }
    )
    // The request and the records travel on ports of their own, so the first few may still be passed over.
    while (!isEnough) {
      producer.write(2)
      await producer.sink.drain(10_000)
    }
    const first = Number(got[0]!.split('@')[1])
    assert.ok(first > 10)
    assert.deepEqual(
      got,
      [first, first + 2, first + 4].map(number => `a${number}@${number}`)
    )
    await producer.sink.close()
  })

  test('ends a tail when the log ends, and refuses one beyond its limit', async () => {
    await using rig = await EmbeddedLogRig.start({ tails: 1 })
    const ends = [0, 1].map(
      () =>
        new Promise<void>(resolve => {
          const taker = { record: () => undefined, skipped: () => undefined, end: resolve }
          rig.log.tail({ topic, from: 'latest', keyPrefix: '' }, taker)
        })
    )
    await ends[1]
    await rig.log.close(1000)
    await ends[0]
  })

  test('opens its verify socket to its owner only', async () => {
    await using rig = await EmbeddedLogRig.start()
    assert.equal(statSync(rig.socket).mode & 0o777, 0o600)
  })

  test('tells the sink at once when the log dies, and the records it held fail', async () => {
    await using rig = await EmbeddedLogRig.start()
    const producer = new Producer(rig.log, 'a', ['k'])
    await producer.sink.open()
    await rig.log.kill()
    await producer.settlements.until(() => producer.settlements.availabilities.length > 0)
    producer.write(100)
    await producer.sink.drain(10_000)
    assert.equal(producer.settlements.failed.size, 100)
    assert.match(producer.settlements.availabilities[0]!.message, /log has ended/)
    await producer.sink.close()
  })
})
