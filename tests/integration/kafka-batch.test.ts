import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { BatchPool } from '../../actors/producer/kafka/batch-pool.ts'
import { type Codec, codecOf } from '../../actors/producer/kafka/compression.ts'
import { asIngestError } from '../../src/core/errors.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type CompressionName, compressionNames } from '../../src/domain/producer-tuning.ts'
import { RawClient } from '../support/broker-double/raw-client.ts'
import { javaReader, readWithJava } from '../support/java-reader.ts'
import { accessTo, sharedBrokers, witness } from '../support/kafka.ts'
import { appendAll, expectedOf, type GivenRecord, TestRoutes } from '../support/kafka-batches.ts'

/**
 * Batches of every codec go to a real broker byte by byte, one partition a codec, and are read back by librdkafka and by
 * Java's consumer: they must find what was appended.
 */
const topic = `kafka-batch.${randomUUID()}`
const nowMs = Date.now()

/** Values are JSON, for the witness; times go back and forth. */
function record(i: number, text: string): GivenRecord {
  return {
    key: `upbit|korea|trade|시장-${i % 5}`,
    value: Buffer.from(JSON.stringify({ i, text })),
    headers:
      i % 3 === 0
        ? [
            ['reason', 'größe'],
            [`n${i}`, Uint8Array.of(0, i % 256)]
          ]
        : [],
    receivedMicros: (nowMs + ((i * 7919) % 1000)) * 1000 + (i % 1000),
    owner: i
  }
}

const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64')

/** Batches of a partition: usual ones; a single record; one that no codec makes smaller; one of several LZ4 blocks. */
const batches: readonly (readonly GivenRecord[])[] = [
  Array.from({ length: 900 }, (_, i) => record(i, 'a value that repeats itself')),
  [record(900, 'alone')],
  [record(901, noise)],
  Array.from({ length: 4 }, (_, i) => record(902 + i, 'large '.repeat(20_000) + i)),
  Array.from({ length: 50 }, (_, i) => record(906 + i, noise.slice(i * 100, i * 100 + 400)))
]
const records = batches.flat()

const codecs = new Map<CompressionName, Codec>()
const absent = new Map<CompressionName, string>()
for (const name of compressionNames) {
  try {
    codecs.set(name, codecOf(name))
  } catch (error) {
    absent.set(name, asIngestError(error).message)
  }
}
const partitionOf = (name: CompressionName): number => compressionNames.indexOf(name)

const leaderlessCodes: readonly (number | undefined)[] = [3, 5, 6]
const leadersWithinMs = 20_000

/** The broker's answer; it may need a moment to become the leader of a new partition. */
async function produce(
  client: RawClient,
  partition: number,
  batch: Buffer,
  deadlineMs = performance.now() + leadersWithinMs
): Promise<number | undefined> {
  const codes = await client.produce(topic, { [partition]: batch })
  const code = codes?.get(partition)
  if (leaderlessCodes.includes(code) && performance.now() < deadlineMs) {
    return produce(client, partition, batch, deadlineMs)
  }
  return code
}

before(async () => {
  const plan = {
    topic,
    partitions: compressionNames.length,
    retentionMs: 3_600_000,
    cleanupPolicy: 'delete' as const
  }
  await manageTopics(accessTo(sharedBrokers()), [plan], 'create', createLogger('silent', 'test'))
  await using client = await RawClient.connect(sharedBrokers())
  const pool = new BatchPool(1_000_000)
  const routes = new TestRoutes()
  for (const [name, codec] of codecs) {
    for (const given of batches) {
      const batch = pool.take()
      assert.equal(appendAll(batch, given, routes), given.length)
      batch.seal(codec)
      // Neither idempotent nor in a transaction: what is tried here are the bytes.
      batch.stamp(-1n, -1, -1)
      const code = await produce(client, partitionOf(name), Buffer.from(batch.wire))
      assert.equal(code, 0, `the broker refused a batch of ${name}`)
      pool.release(batch)
    }
  }
})

for (const name of compressionNames) {
  test(`librdkafka reads what was appended to batches of ${name}`, async t => {
    const reason = absent.get(name)
    if (reason !== undefined) return t.skip(reason)
    const read = await fromWitness()
    assert.deepEqual(read.get(partitionOf(name)), records.map(withoutHeaders))
  })
}

test("Java's consumer reads what was appended, headers included, with every codec", async t => {
  const java = await javaReader()
  if (typeof java === 'string') return t.skip(java)
  const read = await readWithJava(java, sharedBrokers(), topic)
  for (const name of codecs.keys()) {
    const found = read.filter(({ partition }) => partition === partitionOf(name))
    assert.deepEqual(
      found.map(({ offset }) => offset),
      records.map((_, i) => i)
    )
    assert.deepEqual(
      found.map(({ timestamp, key, value, headers }) => ({ timestamp, key, value, headers })),
      records.map(expectedOf),
      name
    )
  }
})

type Read = Omit<ReturnType<typeof expectedOf>, 'headers'>

function withoutHeaders(given: GivenRecord): Read {
  const { timestamp, key, value } = expectedOf(given)
  return { timestamp, key, value }
}

let witnessed: Promise<Map<number, Read[]>> | null = null

/** All partitions at once, since starting the witness takes longer than reading. */
function fromWitness(): Promise<Map<number, Read[]>> {
  witnessed ??= witness(sharedBrokers(), [topic]).then(read => {
    const byPartition = new Map<number, Read[]>()
    for (const { partition, timestamp, key, bytes } of read) {
      const list = byPartition.get(partition) ?? []
      list.push({ timestamp, key: Buffer.from(key), value: bytes })
      byPartition.set(partition, list)
    }
    return byPartition
  })
  return witnessed
}
