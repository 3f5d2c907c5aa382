import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createLogger } from '../../src/core/logger.ts'
import { dataTopic, recordKey } from '../../src/domain/routing.ts'
import { exchangeRegions, type Target } from '../../src/domain/target.ts'
import { accessTo, sharedBrokers } from '../support/kafka.ts'
import { type DeliveredRecord, KafkaRecords } from '../support/kafka-records.ts'
import {
  framesFolder,
  type Recording,
  readRecording,
  snapshotId,
  startRecordedVenue
} from '../support/recorded-venue.ts'
import { assertSettled, TestService } from '../support/run-service.ts'

const requestTypes = ['trade', 'orderbook'] as const

/** Counted with `grep -c` in the recordings. */
const counts = { upbit: { trade: 304, orderbook: 145 }, binance: { trade: 24, orderbook: 614 } }

function countsByKind({ records }: Recording) {
  const trade = records.filter(record => record.requestType === 'trade').length
  return { trade, orderbook: records.length - trade }
}

/** By key, in order, what the recording must have become in Kafka. */
function expectedByKey(recording: Recording, targets: readonly Target[]) {
  const expected = new Map<string, Readonly<Record<string, unknown>>[]>()
  for (const target of targets) {
    for (const [native, symbol] of recording.symbols) {
      const records: Readonly<Record<string, unknown>>[] = recording.records
        .filter(record => record.requestType === target.request_type && record.native === native)
        .map(({ values }) => ({ ...values, symbol }))
      if (recording.exchange === 'binance' && target.request_type === 'orderbook') {
        const facts = { kind: 'SNAPSHOT', stream_type: 'SNAPSHOT', exchange_ts: null, bids: [], asks: [] }
        const sequence_last = snapshotId(recording, native)
        records.unshift({ ...facts, native_symbol: native, symbol, sequence_last })
      }
      if (records.length > 0) expected.set(recordKey(target, symbol), records)
    }
  }
  return expected
}

function assertSame(
  found: readonly DeliveredRecord[],
  expected: readonly Readonly<Record<string, unknown>>[]
) {
  const key = found[0]?.key ?? ''
  assert.equal(found.length, expected.length, key)
  for (const [i, values] of expected.entries()) {
    const record = found[i]!.record as unknown as Readonly<Record<string, unknown>>
    const picked = Object.fromEntries(Object.keys(values).map(name => [name, record[name]]))
    assert.deepEqual(picked, values, `record ${i} of ${key}`)
  }
  assert.equal(new Set(found.map(({ record }) => record.connection_id)).size, 1, key)
  // The order of the wire. A snapshot takes its place in front of the updates that waited for it.
  const places = found.filter(({ record }) => record.stream_type === 'REALTIME')
  for (const [i, { record }] of places.slice(1).entries()) {
    assert.ok(record.frame_seq > places[i]!.record.frame_seq, `record ${i + 1} of ${key} is out of order`)
    assert.ok(record.received_ts >= places[i]!.record.received_ts)
  }
}

suite('recorded frames of real venues, from a loopback socket through the service into Kafka', () => {
  for (const exchange of ['upbit', 'binance'] as const) {
    test(`every ${exchange} event arrives, in order, with the digits of its frame`, async t => {
      const brokers = sharedBrokers()
      const recording = readRecording(exchange)
      if (recording === null) {
        t.skip(`${exchange}.ndjson is not in ${framesFolder}; set COIN_STREAM_FRAMES to its folder`)
        return
      }
      const targets = requestTypes.map(request_type => ({
        region: exchangeRegions[exchange],
        exchange,
        request_type
      }))
      const pod = `recorded-${exchange}-${process.pid}`
      await manageTopics(
        accessTo(brokers),
        planTopics(targets),
        'create',
        createLogger('silent', 'recorded-frames')
      )
      await using kafka = await KafkaRecords.from(brokers, targets.map(dataTopic), pod)
      await using venue = await startRecordedVenue(recording)
      const symbols = [...recording.symbols.values()].join(',')
      await using service = await TestService.start({
        targets: requestTypes.map(type => `${exchange}/${type}:${symbols}`),
        endpoints: new Map([[exchange, venue.endpoints]]),
        settings: { pod, 'kafka.brokers': brokers, 'registry.url': 'none', 'producer.lingerMs': '5' }
      })
      const expected = expectedByKey(recording, targets)
      const total = [...expected.values()].reduce((sum, { length }) => sum + length, 0)
      await service.until(
        ({ frames, records }) =>
          records.published >= total &&
          frames.transcoded + frames.ignored >= recording.frames.length * targets.length,
        `${total} published records`
      )
      const { frames, records, gaps, reconnects } = await service.stop()
      assertSettled({ frames, records })
      // Both sockets got the whole recording; each target's frames are data for one and nothing for the other.
      assert.equal(frames.transcoded, total)
      assert.equal(frames.ignored, recording.frames.length * targets.length - recording.records.length)
      assert.deepEqual(
        [frames.dead, frames.shed, records.duplicate, records.failed, reconnects],
        [0, 0, 0, 0, 0]
      )
      assert.deepEqual([records.made, records.published], [total, total])
      assert.deepEqual(countsByKind(recording), counts[exchange])
      assert.equal(gaps.opened, 0)

      const delivered = await kafka.finish()
      assert.equal(delivered.length, total)
      for (const [key, values] of expected) {
        assertSame(
          delivered.filter(record => record.key === key),
          values
        )
      }
    })
  }
})
