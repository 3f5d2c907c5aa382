import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { type ProducerConnection } from '../../../../actors/producer/connection.ts'
import { Decoding, type FrameCodec } from '../../../../actors/producer/decoding.ts'
import { createLogger } from '../../../../src/core/logger.ts'
import { FrameBatch, FrameBatchWriter, FrameKind } from '../../../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../../../src/wire/record-batch.ts'
import { RecordBatchWriter } from '../../../../src/wire/record-batch-writer.ts'
import { type ConnectionContext } from '../../../../src/wire/session-messages.ts'

const inlineBytesMax = 100
const noRecords = new RecordBatchWriter().finish(0, 0, new Uint8Array(0))
const target = { region: 'korea', exchange: 'upbit', request_type: 'trade' } as const

function contextOf(shard: number): ConnectionContext {
  return { connection: shard, version: 1, connectionId: '', target, shard } as unknown as ConnectionContext
}

/** Decoding with a codec that makes nothing of any batch; the pool answers when it is told to. */
class Rig {
  isFull = false
  readonly inPool: { readonly done: () => void; readonly failed: () => void }[] = []
  readonly handedOn: string[] = []
  readonly decoding: Decoding
  readonly #connections = [0, 1].map(shard => ({ context: contextOf(shard) }) as ProducerConnection)

  constructor(pooledMax = 2, canOffload = true) {
    const codec: FrameCodec = {
      offloaded: 0,
      inlined: 0,
      canOffload,
      encodingOf: () => ({ format: 'avro', schemaId: 1 }),
      transcode: () => noRecords,
      transcodeInPlace: () => new RecordBatch(noRecords),
      offload: () =>
        new Promise((resolve, reject) => {
          this.inPool.push({ done: () => resolve(noRecords), failed: () => reject(new RangeError('twice')) })
        })
    }
    this.decoding = new Decoding({
      codec,
      inlineBytesMax,
      pooledMax,
      isSinkFull: () => this.isFull,
      handOn: ({ connection, item }) => {
        const name = item.type === 'notice' ? item.notice.type : `${item.frames.frameSeq(0)}:${item.type}`
        this.handedOn.push(`${connection.context.shard}/${name}`)
      },
      logger: createLogger('silent', 'test')
    })
  }

  batch(shard: number, number: number, isLarge = false): void {
    const writer = new FrameBatchWriter(shard, 1_000_000)
    writer.append(new Uint8Array(isLarge ? inlineBytesMax : 10), 1, number, 0, FrameKind.stream)
    const connection = this.#connections[shard]!
    this.decoding.batch(connection, connection.context, new FrameBatch(writer.take(1)))
  }

  notice(shard: number): void {
    this.decoding.notice(this.#connections[shard]!, { type: 'closed', atMicros: 1 })
  }
}

test('a small batch is decoded at once, a large one in the pool, and each shard keeps its order', async () => {
  const rig = new Rig()
  rig.batch(0, 1)
  rig.batch(0, 2, true)
  rig.batch(0, 3)
  rig.batch(1, 1)
  assert.deepEqual(rig.handedOn, ['0/1:batch', '1/1:batch'])
  rig.inPool[0]!.done()
  await rig.decoding.idle()
  assert.deepEqual(rig.handedOn.slice(2), ['0/2:batch', '0/3:batch'])
})

test('while the sink is full nothing is decoded, and all of it is once there is room', async () => {
  const rig = new Rig()
  rig.isFull = true
  for (const [shard, number] of [
    [0, 1],
    [1, 1],
    [0, 2]
  ] as const)
    rig.batch(shard, number)
  rig.notice(0)
  rig.decoding.resume()
  await turn()
  assert.deepEqual(rig.handedOn, [])
  assert.deepEqual([rig.decoding.undecoded, rig.decoding.undecodedBytes, rig.decoding.heldUp], [3, 30, 3])
  rig.isFull = false
  rig.batch(1, 2)
  assert.deepEqual(rig.handedOn, [], 'what comes later does not overtake what waits')
  rig.decoding.resume()
  await rig.decoding.idle()
  assert.deepEqual(rig.handedOn, ['0/1:batch', '1/1:batch', '0/2:batch', '0/closed', '1/2:batch'])
  assert.deepEqual([rig.decoding.undecoded, rig.decoding.undecodedBytes], [0, 0])
})

test('the pool has no more than it is given at once, so that little is decoded after the sink is full', async () => {
  const rig = new Rig(2)
  for (let number = 1; number <= 5; number++) rig.batch(0, number, true)
  assert.equal(rig.inPool.length, 2)
  rig.isFull = true
  rig.inPool[0]!.done()
  rig.inPool[1]!.done()
  await turn()
  assert.equal(rig.inPool.length, 2, 'the sink is full')
  assert.deepEqual(rig.handedOn, ['0/1:batch', '0/2:batch'])
  rig.isFull = false
  rig.decoding.resume()
  await turn()
  assert.equal(rig.inPool.length, 4)
  const idle = rig.decoding.idle()
  rig.inPool[2]!.done()
  rig.inPool[3]!.done()
  await turn()
  rig.inPool[4]!.done()
  await idle
  assert.equal(rig.handedOn.length, 5)
})

test('a batch that the codec gives up keeps its place', async () => {
  const rig = new Rig()
  rig.batch(0, 1, true)
  rig.batch(0, 2)
  rig.inPool[0]!.failed()
  await rig.decoding.idle()
  assert.deepEqual(rig.handedOn, ['0/1:undecodable', '0/2:batch'])
})

test('what is given up is handed on in its place, and a late answer of the pool is not', async () => {
  const rig = new Rig(1)
  rig.batch(0, 1, true)
  rig.batch(0, 2, true)
  rig.isFull = true
  rig.batch(0, 3)
  rig.notice(0)
  rig.decoding.abandon()
  const all = ['0/1:abandoned', '0/2:abandoned', '0/3:abandoned', '0/closed']
  assert.deepEqual(rig.handedOn, all)
  assert.deepEqual([rig.decoding.undecoded, rig.decoding.undecodedBytes], [0, 0])
  await rig.decoding.idle()
  rig.inPool[0]!.done()
  await turn()
  rig.batch(0, 4)
  assert.deepEqual(rig.handedOn, [...all, '0/4:abandoned'])
})

test('whatever fills and empties the sink, nothing is lost, doubled or out of its order', async () => {
  const step = fc.record({
    type: fc.constantFrom('small', 'large', 'notice', 'full', 'room', 'pool', 'turn'),
    shard: fc.nat(1),
    pick: fc.nat(9)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      const rig = new Rig(2)
      const expected: Record<number, string[]> = { 0: [], 1: [] }
      let number = 0
      const answer = (pick: number): void => rig.inPool.splice(pick % rig.inPool.length, 1)[0]?.done()
      for (const { type, shard, pick } of steps) {
        if (type === 'small' || type === 'large') {
          expected[shard]!.push(`${shard}/${++number}:batch`)
          rig.batch(shard, number, type === 'large')
        } else if (type === 'notice') {
          expected[shard]!.push(`${shard}/closed`)
          rig.notice(shard)
        } else if (type === 'full' || type === 'room') {
          rig.isFull = type === 'full'
          rig.decoding.resume()
        } else if (type === 'pool') {
          if (rig.inPool.length > 0) answer(pick)
        } else await turn()
      }
      rig.isFull = false
      const all = expected[0]!.length + expected[1]!.length
      for (let rounds = 0; rig.handedOn.length < all; rounds++) {
        assert.ok(rounds < 500, 'it stands still')
        rig.decoding.resume()
        if (rig.inPool.length > 0) answer(0)
        await turn()
      }
      for (const shard of [0, 1]) {
        assert.deepEqual(
          rig.handedOn.filter(name => name.startsWith(`${shard}/`)),
          expected[shard]
        )
      }
      assert.deepEqual([rig.decoding.undecoded, rig.decoding.undecodedBytes], [0, 0])
    }),
    { numRuns: 60 }
  )
})
