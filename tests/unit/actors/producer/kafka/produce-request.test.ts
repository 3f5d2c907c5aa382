import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  encodeProduceRequest,
  type ProduceEntry
} from '../../../../../actors/producer/kafka/produce-request.ts'

const clientId = Buffer.from('me')

function entry(topic: string, partition: number, wire: Uint8Array): ProduceEntry {
  return { topic, topicBytes: Buffer.from(topic), partition, wire }
}

interface Read {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string
  readonly acks: number
  readonly timeoutMs: number
  readonly topics: readonly (readonly [string, readonly (readonly [number, Buffer])[]])[]
}

/** A second reading of the protocol's description. @see https://kafka.apache.org/protocol.html#The_Messages_Produce */
function read(bytes: Buffer): Read {
  let at = 0
  const int16 = (): number => bytes.readInt16BE((at += 2) - 2)
  const int32 = (): number => bytes.readInt32BE((at += 4) - 4)
  const take = (length: number): Buffer => bytes.subarray(at, (at += length))
  assert.equal(int32(), bytes.length - 4)
  const head = { key: int16(), version: int16(), correlationId: int32(), clientId: take(int16()).toString() }
  assert.equal(int16(), -1, 'no transaction')
  const rest = { acks: int16(), timeoutMs: int32() }
  const topics = Array.from({ length: int32() }, () => {
    const topic = take(int16()).toString()
    return [topic, Array.from({ length: int32() }, () => [int32(), take(int32())] as const)] as const
  })
  assert.equal(at, bytes.length)
  return { ...head, ...rest, topics }
}

suite('a Produce request', () => {
  test('carries the batches of one partition each, by topic', () => {
    const small = Buffer.from('small batch')
    const large = Buffer.alloc(40_000, 7)
    const entries = [entry('a', 0, small), entry('a', 4, large), entry('b', 1, small), entry('c', 2, large)]
    const chunks = encodeProduceRequest(8, 1_073_741_824, clientId, 7_500, entries)
    assert.deepEqual(read(Buffer.concat(chunks)), {
      key: 0,
      version: 8,
      correlationId: 1_073_741_824,
      clientId: 'me',
      acks: -1,
      timeoutMs: 7_500,
      topics: [
        [
          'a',
          [
            [0, small],
            [4, large]
          ]
        ],
        ['b', [[1, small]]],
        ['c', [[2, large]]]
      ]
    })
  })

  test('does not copy large batches, and sends small ones in one piece', () => {
    const large = Buffer.alloc(40_000)
    const chunks = encodeProduceRequest(7, 1, clientId, 1, [entry('a', 0, large), entry('a', 1, large)])
    assert.equal(chunks.filter(chunk => chunk === large).length, 2)
    const small = [entry('a', 0, Buffer.alloc(100)), entry('a', 1, Buffer.alloc(100))]
    assert.equal(encodeProduceRequest(7, 1, clientId, 1, small).length, 1)
  })
})
