import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { answerFor, decodeProduceResponse } from '../../../../../actors/producer/kafka/produce-response.ts'

interface Given {
  readonly topic: string
  readonly partition: number
  readonly code: number
  readonly baseOffset: bigint
  readonly rows?: readonly number[]
  readonly message?: string | null
}

function int(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}

function long(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(value)
  return buffer
}

function text(value: string | null): Buffer {
  if (value === null) return int(2, -1)
  return Buffer.concat([int(2, Buffer.byteLength(value)), Buffer.from(value)])
}

/** @see https://kafka.apache.org/protocol.html#The_Messages_Produce */
function encode(version: number, answers: readonly Given[], throttleMs: number): Buffer {
  const topics = [...new Set(answers.map(({ topic }) => topic))]
  const parts = [int(4, topics.length)]
  for (const topic of topics) {
    const own = answers.filter(answer => answer.topic === topic)
    parts.push(text(topic), int(4, own.length))
    for (const { partition, code, baseOffset, rows = [], message = null } of own) {
      parts.push(int(4, partition), int(2, code), long(baseOffset), long(-1n))
      if (version >= 5) parts.push(long(0n))
      if (version < 8) continue
      parts.push(int(4, rows.length), ...rows.flatMap(row => [int(4, row), text('why')]), text(message))
    }
  }
  return Buffer.concat([...parts, int(4, throttleMs)])
}

const answers: readonly Given[] = [
  { topic: 'trade-data.asia', partition: 11, code: 0, baseOffset: 9_007_199_254_740_991n },
  { topic: 'trade-data.asia', partition: 0, code: 6, baseOffset: -1n },
  { topic: 'ticker-data.korea', partition: 0, code: 87, baseOffset: -1n, rows: [3, 70], message: 'no key' }
]

suite('an answer to Produce', () => {
  for (const version of [3, 5, 7, 8]) {
    test(`is read per partition, version ${version}`, () => {
      const body = encode(version, answers, 250)
      // Where it stands in what the socket read does not matter.
      const read = Buffer.concat([Buffer.from('before'), body, Buffer.from('behind')])
      const answer = decodeProduceResponse(read, 6, 6 + body.length, version)
      assert.equal(answer?.throttleMs, 250)
      assert.deepEqual(
        answer.partitions,
        answers.map(({ topic, partition, code, baseOffset, rows, message }) => ({
          topic,
          partition,
          code,
          baseOffset: Number(baseOffset),
          badRows: (version === 8 ? rows : undefined) ?? [],
          message: (version === 8 ? message : undefined) ?? null
        }))
      )
      assert.equal(answerFor({ topic: 'ticker-data.korea', partition: 0 }, answer, 0)?.code, 87)
      assert.equal(answerFor({ topic: 'trade-data.asia', partition: 0 }, answer, 2)?.code, 6)
      assert.equal(answerFor({ topic: 'trade-data.asia', partition: 1 }, answer, 1), null)
    })

    test(`counts for nothing when it is torn anywhere, version ${version}`, () => {
      const body = encode(version, answers, 0)
      for (let end = 0; end < body.length; end++) {
        assert.equal(decodeProduceResponse(body, 0, end, version), null, `cut at ${end}`)
        // Torn as well when the socket has read no more than that.
        assert.equal(decodeProduceResponse(body.subarray(0, end), 0, body.length, version), null)
      }
      const longer = Buffer.concat([body, Buffer.alloc(1)])
      assert.equal(decodeProduceResponse(longer, 0, longer.length, version), null)
    })
  }

  test('never throws, whatever byte is wrong', () => {
    const body = encode(8, answers, 0)
    for (let at = 0; at < body.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const garbled = Buffer.from(body)
        garbled[at] = value
        decodeProduceResponse(garbled, 0, garbled.length, 8)
      }
    }
  })
})
