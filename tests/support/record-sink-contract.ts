import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Routes } from '../../actors/producer/routes.ts'
import { type RecordSink, type Route, type SinkListener } from '../../actors/producer/sinks/record-sink.ts'
import { Settlements } from './settlements.ts'

/** A record as it was kept, in the order of its partition. */
export interface KeptRecord {
  readonly topic: string
  readonly partition: number
  readonly key: string
  readonly value: string
}

/** One sink with what keeps its records. */
export interface SinkUnderTest {
  readonly sink: RecordSink
  /** Two topics that exist, with 3 partitions each. */
  readonly topics: readonly [string, string]
  /** Everything kept so far, the records of each partition in their order. */
  kept(): Promise<readonly KeptRecord[]>
  /** What keeps the records stops taking them: nothing that is appended from now on may be acknowledged. */
  cutOff(): Promise<void>
  close(): Promise<void>
}

export interface SinkOptions {
  readonly lingerMs: number
  readonly batchBytes: number
}

// Of today: a broker that restarts forgets producers whose last record is older than a day, and with them their sequences.
const startMicros = Math.floor(Date.now() / 1000) * 1_000_000
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Numbers records: the number is the owner and in the value. */
class Writer {
  next = 0
  readonly #sink: RecordSink
  readonly #routes: readonly Route[]

  constructor({ sink, topics }: SinkUnderTest) {
    this.#sink = sink
    const routes = new Routes({ [topics[0]]: 3, [topics[1]]: 3 })
    this.#routes = topics.flatMap(topic => keys.map(key => routes.to(topic, key)))
  }

  write(count: number, paddingBytes = 30): void {
    for (let i = 0; i < count; i++) {
      const number = this.next++
      // Framed by other bytes, and overwritten after: the sink must copy exactly its part.
      // A JSON text, so that any reader of topics can read it.
      const bytes = new TextEncoder().encode(`<<"${number}:${'x'.repeat(paddingBytes)}">>`)
      this.#sink.append(this.#route(number), bytes, 2, bytes.length - 2, startMicros + number, number)
      bytes.fill(0)
    }
  }

  /** Every number once, under its key and partition, and in order there. */
  assertKept(records: readonly KeptRecord[]): void {
    assert.equal(records.length, this.next)
    const last = new Map<string, number>()
    for (const { topic, partition, key, value } of records) {
      const number = Number(value.slice(1, value.indexOf(':')))
      const route = this.#route(number)
      assert.deepEqual(
        { topic, partition, key },
        { topic: route.topic, partition: route.partition, key: route.key }
      )
      const place = `${topic}/${partition}`
      assert.ok(number > (last.get(place) ?? -1), `${number} came after ${last.get(place)} in ${place}`)
      last.set(place, number)
    }
  }

  #route(number: number): Route {
    return this.#routes[number % this.#routes.length]!
  }
}

function assertSettled(settlements: Settlements, published: number, failed: number): void {
  assert.equal(settlements.published.size, published)
  assert.equal(settlements.failed.size, failed)
  const times = [...settlements.published.values(), ...settlements.failed.values()]
  assert.ok(
    times.every(count => count === 1),
    'a record was settled more than once'
  )
  for (const owner of settlements.failed.keys()) assert.ok(!settlements.published.has(owner))
}

/** What every `RecordSink` owes the pipeline, whatever keeps the records. */
export function recordSinkContract(
  name: string,
  open: (options: SinkOptions, listener: SinkListener) => Promise<SinkUnderTest>
): void {
  async function withSink(
    options: SinkOptions,
    use: (under: SinkUnderTest, settlements: Settlements) => Promise<void>
  ): Promise<void> {
    const settlements = new Settlements()
    const under = await open(options, settlements)
    try {
      await under.sink.open()
      await use(under, settlements)
    } finally {
      await under.sink.close()
      await under.close()
    }
  }

  suite(`the record sink contract: ${name}`, () => {
    test('keeps every record once, in order within its partition, and settles each once', async () => {
      await withSink({ lingerMs: 5, batchBytes: 4096 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(3000)
        await under.sink.drain(20_000)
        assertSettled(settlements, 3000, 0)
        writer.assertKept(await under.kept())
      })
    })

    test('counts what is pending until it is settled', async () => {
      await withSink({ lingerMs: 60_000, batchBytes: 1_000_000 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(10)
        assert.equal(under.sink.pendingRecords, 10)
        assert.ok(under.sink.pendingBytes >= 300)
        await under.sink.drain(20_000)
        assertSettled(settlements, 10, 0)
        assert.equal(under.sink.pendingRecords, 0)
        assert.equal(under.sink.pendingBytes, 0)
      })
    })

    test('sends what lingers by itself', async () => {
      await withSink({ lingerMs: 5, batchBytes: 1_000_000 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(5)
        await settlements.until(() => settlements.published.size === 5)
        assertSettled(settlements, 5, 0)
      })
    })

    test('keeps a record that is larger than a batch', async () => {
      await withSink({ lingerMs: 5, batchBytes: 1024 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(3, 20_000)
        writer.write(3)
        await under.sink.drain(20_000)
        assertSettled(settlements, 6, 0)
        writer.assertKept(await under.kept())
      })
    })

    test('goes on after a drain', async () => {
      await withSink({ lingerMs: 5, batchBytes: 4096 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(50)
        await under.sink.drain(20_000)
        writer.write(50)
        await under.sink.drain(20_000)
        assertSettled(settlements, 100, 0)
        writer.assertKept(await under.kept())
      })
    })

    test('fails what is left at the deadline of a drain, each record once', async () => {
      await withSink({ lingerMs: 5, batchBytes: 4096 }, async (under, settlements) => {
        const writer = new Writer(under)
        writer.write(100)
        await under.sink.drain(20_000)
        await under.cutOff()
        writer.write(100)
        await under.sink.drain(50)
        assertSettled(settlements, 100, 100)
        const told = [...settlements.lost.values()].reduce((sum, count) => sum + count, 0)
        assert.equal(told, 100)
        assert.equal(under.sink.pendingRecords, 0)
        assert.equal(under.sink.pendingBytes, 0)
      })
    })

    test('may be closed twice', async () => {
      await withSink({ lingerMs: 5, batchBytes: 4096 }, async under => {
        await under.sink.close()
      })
    })
  })
}
