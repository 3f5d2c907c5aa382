import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BatchPerformance,
  type BatchPerformanceEvent
} from '../../../../actors/producer/batch-performance.ts'
import { type PartitionActivity } from '../../../../src/domain/partition-activity.ts'

const idle: PartitionActivity = {
  topic: 'trade-data.korea',
  partition: 0,
  batches: 0,
  records: 0,
  bytes: 0,
  wire_bytes: 0,
  retries: 0,
  linger_ms: 50,
  fill: 0,
  records_per_s: 0,
  last_flush: null,
  buffered_bytes: 0,
  ack_ms_p50: null,
  ack_ms_p99: null
}
const nowMicros = 1_790_000_000_123_456

function open() {
  const events: [string, BatchPerformanceEvent][] = []
  const performance = new BatchPerformance('pod', (key, event) => events.push([key, event]))
  const report = (...changes: readonly Partial<PartitionActivity>[]): [string, BatchPerformanceEvent][] => {
    events.length = 0
    const activities = changes.map(change => ({ ...idle, ...change }))
    performance.report(activities, (topic, partition) => `key of ${topic}/${partition}`, nowMicros)
    return [...events]
  }
  return { report }
}

const first = {
  batches: 10,
  records: 1000,
  bytes: 90_000,
  last_flush: 'linger',
  ack_ms_p50: 4,
  ack_ms_p99: 9
} as const

test('each active partition has an event with what is new since the last, and all have a summary', () => {
  const { report } = open()
  const second = { partition: 1, batches: 30, records: 100, bytes: 7, linger_ms: 10 } as const
  const full = { last_flush: 'full', ack_ms_p50: 2, ack_ms_p99: 20 } as const
  const ts = 1_790_000_000_123
  assert.deepEqual(report(first, { ...second, ...full }, { partition: 2 }), [
    [
      'key of trade-data.korea/0',
      {
        topic: 'trade-data.korea',
        partition: 0,
        batches: 10,
        records: 1000,
        bytes: 90_000,
        linger_ms: 50,
        flush_reason: 'linger',
        ack_ms_p50: 4,
        ack_ms_p99: 9,
        ts
      }
    ],
    [
      'key of trade-data.korea/1',
      {
        topic: 'trade-data.korea',
        partition: 1,
        batches: 30,
        records: 100,
        bytes: 7,
        linger_ms: 10,
        flush_reason: 'full',
        ack_ms_p50: 2,
        ack_ms_p99: 20,
        ts
      }
    ],
    [
      'pod',
      {
        topic: null,
        partition: null,
        batches: 40,
        records: 1100,
        bytes: 90_007,
        linger_ms: 20,
        flush_reason: 'full',
        ack_ms_p50: 4,
        ack_ms_p99: 20,
        ts
      }
    ]
  ])
  const again = report({ ...first, batches: 12, records: 1010, bytes: 90_100 }, { ...second, ...full })
  assert.deepEqual(
    again.map(([key, { batches, records, bytes }]) => [key, batches, records, bytes]),
    [
      ['key of trade-data.korea/0', 2, 10, 100],
      ['pod', 2, 10, 100]
    ]
  )
})

test('a period in which nothing was acknowledged, but for events like these, is not reported', () => {
  const { report } = open()
  assert.deepEqual(report({}), [])
  assert.deepEqual(report({ ...first, topic: 'monitoring.batch.performance' }), [])
})
