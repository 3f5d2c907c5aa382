import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOfReason, DeadLetters, type LetterHeaders } from '../../../../actors/producer/dead-letters.ts'
import { errorTable } from '../../../../src/core/errors.ts'
import { frameReasons } from '../../../../src/wire/record-batch.ts'
import { type ConnectionContext } from '../../../../src/wire/session-messages.ts'

const context: ConnectionContext = {
  connection: 1,
  version: 1,
  connectionId: 'pod/upbit/trade/0/1790000000000',
  target: { region: 'korea', exchange: 'upbit', request_type: 'trade' },
  shard: 0,
  targetIndex: 0,
  instruments: [],
  projection: [],
  channelIds: {}
}
const nowMicros = 1_790_000_000_123_456

function open(
  perSecond: number,
  hasRoom: () => boolean = () => true
): {
  letters: DeadLetters
  envelopes: Record<string, unknown>[]
  keys: string[]
  headers: LetterHeaders[]
} {
  const envelopes: Record<string, unknown>[] = []
  const keys: string[] = []
  const headers: LetterHeaders[] = []
  const letters = new DeadLetters('pod', perSecond, hasRoom, (key, value, pairs) => {
    keys.push(key)
    headers.push(pairs)
    envelopes.push(JSON.parse(value) as Record<string, unknown>)
  })
  return { letters, envelopes, keys, headers }
}

test('a dead frame is kept byte for byte, with where it came from and why it is dead', () => {
  const { letters, envelopes, keys } = open(10)
  const bytes = Uint8Array.from([1, 2, 0, 255, 200, 3])
  letters.frame(context, bytes.subarray(1, 5), 42, 'malformed json', nowMicros)
  assert.deepEqual(keys, ['korea|upbit|trade'])
  const [{ dlq_id: id, ...envelope } = {}] = envelopes
  assert.match(String(id), /^pod\/upbit\/trade\/0\/1790000000000\/42\//)
  assert.deepEqual(envelope, {
    kind: 'frame',
    code: 'FRAME_MALFORMED',
    reason: 'malformed json',
    attempts: 1,
    ts: 1_790_000_000_123,
    source: { target: context.target, connection_id: context.connectionId, frame_seq: 42 },
    key_base64: Buffer.from('korea|upbit|trade').toString('base64'),
    value_base64: Buffer.from([2, 0, 255, 200]).toString('base64'),
    truncated: false
  })
})

test('a dead frame has the headers that are true of it: why, and when it came', () => {
  const { letters, headers } = open(10)
  letters.frame(context, Uint8Array.of(1), 42, 'malformed json', nowMicros)
  assert.deepEqual(headers, [
    [
      ['kafka_dlt-exception-fqcn', 'FRAME_MALFORMED'],
      ['kafka_dlt-exception-message', 'malformed json'],
      ['kafka_dlt-original-timestamp', '1790000000123']
    ]
  ])
})

test('a refused record is kept byte for byte under its own key, with the partition it was meant for', () => {
  const { letters, envelopes, keys, headers } = open(10)
  const key = 'korea|upbit|trade|BTC-KRW'
  const keyBytes = Buffer.from(key)
  const route = { id: 1, topic: 'trade-data.korea', partition: 4, key, keyBytes }
  const bytes = Uint8Array.of(0, 7, 255)
  letters.record(route, bytes.subarray(1), nowMicros, 'Kafka: too large.', nowMicros + 5_000_000)
  assert.deepEqual(keys, [key])
  const [{ dlq_id: id, ...envelope } = {}] = envelopes
  assert.match(String(id), /^pod\/trade-data\.korea\/4\//)
  assert.deepEqual(envelope, {
    kind: 'record',
    code: 'RECORD_UNDELIVERED',
    reason: 'Kafka: too large.',
    attempts: 1,
    ts: 1_790_000_005_123,
    source: {
      topic: 'trade-data.korea',
      partition: 4,
      offset: null,
      timestamp: 1_790_000_000_123,
      group: null
    },
    key_base64: keyBytes.toString('base64'),
    value_base64: Buffer.from([7, 255]).toString('base64'),
    truncated: false
  })
  assert.deepEqual(headers[0], [
    ['kafka_dlt-original-topic', 'trade-data.korea'],
    ['kafka_dlt-original-partition', '4'],
    ['kafka_dlt-exception-fqcn', 'RECORD_UNDELIVERED'],
    ['kafka_dlt-exception-message', 'Kafka: too large.'],
    ['kafka_dlt-original-timestamp', '1790000000123']
  ])
})

test('a frame beyond 512 KiB is cut, and says so', () => {
  const { letters, envelopes } = open(10)
  for (const length of [512 * 1024, 512 * 1024 + 1]) {
    letters.frame(context, new Uint8Array(length), 1, 'unknown', nowMicros)
  }
  assert.deepEqual(
    envelopes.map(({ value_base64, truncated }) => [
      Buffer.from(String(value_base64), 'base64').length,
      truncated
    ]),
    [
      [512 * 1024, false],
      [512 * 1024, true]
    ]
  )
})

test('no more than the limit are published in a second, and every suppressed one is counted', () => {
  const { letters, envelopes } = open(3)
  for (let i = 0; i < 5; i++) letters.frame(context, Uint8Array.of(i), i, 'unknown', nowMicros)
  assert.deepEqual([envelopes.length, letters.published, letters.suppressed], [3, 3, 2])
  letters.frame(context, Uint8Array.of(9), 9, 'unknown', nowMicros + 1_000_000)
  assert.deepEqual([envelopes.length, letters.published, letters.suppressed], [4, 4, 2])
  assert.equal(new Set(envelopes.map(envelope => envelope['dlq_id'])).size, 4)
})

test('while the buffer has no room a dead frame is only counted', () => {
  let hasRoom = false
  const { letters, envelopes } = open(10, () => hasRoom)
  letters.frame(context, Uint8Array.of(1), 1, 'unknown', nowMicros)
  assert.deepEqual([envelopes.length, letters.published, letters.suppressed], [0, 0, 1])
  hasRoom = true
  letters.frame(context, Uint8Array.of(2), 2, 'unknown', nowMicros)
  assert.deepEqual([envelopes.length, letters.published, letters.suppressed], [1, 1, 1])
})

test('every reason has a code of the error table, and every reason of a dead frame one of its own kind', () => {
  for (const reason of frameReasons) assert.ok(Object.hasOwn(errorTable, codeOfReason(reason)))
  assert.equal(codeOfReason('oversized'), 'FRAME_OVERSIZED')
  assert.equal(codeOfReason('field missing'), 'FRAME_UNEXPECTED')
  assert.equal(codeOfReason('unknown'), 'FRAME_UNKNOWN')
})
