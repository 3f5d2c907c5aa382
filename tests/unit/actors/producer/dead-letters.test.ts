import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOfReason, DeadLetters } from '../../../../actors/producer/dead-letters.ts'
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
} {
  const envelopes: Record<string, unknown>[] = []
  const keys: string[] = []
  const letters = new DeadLetters(perSecond, hasRoom, (key, value) => {
    keys.push(key)
    envelopes.push(JSON.parse(value) as Record<string, unknown>)
  })
  return { letters, envelopes, keys }
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
