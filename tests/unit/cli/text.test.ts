import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { producerSummary } from '../../../src/app/producer-status.ts'
import { type StatusSnapshot } from '../../../src/app/service.ts'
import { LiveTable } from '../../../src/cli/live-table.ts'
import { partitionLines, producerLine } from '../../../src/cli/producer-text.ts'
import { statusLine, statusLines } from '../../../src/cli/status-text.ts'
import { summaryText } from '../../../src/cli/summary-text.ts'
import { verdict } from '../../../src/cli/verdict.ts'
import { truthFaults } from '../../../src/domain/truth.ts'
import { FakeIo } from './fake-io.ts'
import { cleanTruth, samplePartition, sampleProducer, sampleStatus, sampleSummary } from './samples.ts'

const now = sampleStatus.started_at + 12_000
const widest = (lines: readonly string[]) => Math.max(...lines.map(line => line.length))

/** Numbers as large as they get, and a sink that has much to say. */
const extreme: StatusSnapshot = {
  ...sampleStatus,
  sink: { kind: 'kafka', available: false, message: `No broker answers: ${'x'.repeat(200)}.` },
  targets: sampleStatus.targets.map(target => ({
    ...target,
    target: 'coinbase/orderbook',
    state: 'subscribing',
    symbols: 12_345,
    records_per_s: 1_234_567,
    latency_ms: { p50: 123_456, p99: 1_234_567, p999: 9_999_999 },
    gaps_open: 12_345
  })),
  frames: {
    ...sampleStatus.frames,
    received: 123_456_789_012,
    dead: 1_234_567,
    shed: 12_345_678,
    in_flight: 99_999
  }
}

suite('the live table', () => {
  test('fits into 80 columns, whatever the numbers', () => {
    for (const status of [sampleStatus, extreme]) {
      assert.ok(widest(statusLines(status, now, { width: 79, rows: null })) <= 79)
    }
    assert.ok(widest(statusLines(sampleStatus, now, { width: 40, rows: null })) <= 40)
  })

  test('has a line for each target with state, symbols, rate, latencies and gaps', () => {
    const lines = statusLines(sampleStatus, now, { width: 80, rows: null })
    assert.equal(lines[0], 'coin-stream running, up 12s: simulated exchanges into the embedded log')
    assert.match(lines[1]!, /^target +state +symbols +records\/s +p50 ms +p99 ms +gaps$/)
    assert.match(lines[2]!, /^upbit\/ticker +live +5 +167 +3\.1 +21\.5 +0$/)
    assert.ok(lines.some(line => line === 'trouble FRAME_MALFORMED 20, SOCKET_FAILED 9'))
  })

  test('says that the sink is away and why', () => {
    const lines = statusLines(extreme, now, { width: 80, rows: null })
    assert.match(lines[0]!, /into Kafka \(away\)$/)
    assert.ok(lines.some(line => line.startsWith('sink    No broker answers')))
  })

  test('keeps within the height of the terminal and says what it leaves out', () => {
    const many = { ...extreme, targets: Array.from({ length: 50 }, () => extreme.targets[0]!) }
    const lines = statusLines(many, now, { width: 80, rows: 24 })
    assert.ok(lines.length < 24)
    assert.ok(lines.some(line => /^… and \d+ more targets$/.test(line)))
  })

  test('is drawn over itself on a terminal', () => {
    const io = new FakeIo()
    io.size = { columns: 200, rows: 24 }
    const table = new LiveTable(io, false)
    assert.ok(table.isInPlace)
    table.show(sampleStatus, now)
    const first = io.stdout
    const height = first.split('\n').length - 1
    table.show(sampleStatus, now)
    assert.equal(io.stdout.slice(first.length), `\u001b[${height}A${first}`)
  })

  test('is one line each time elsewhere, on stderr when stdout is for JSON', () => {
    const io = new FakeIo()
    new LiveTable(io, false).show(sampleStatus, now)
    assert.equal(io.stdout, `${statusLine(sampleStatus, now)}\n`)
    assert.match(
      io.stdout,
      /^ +12s {2}6\/6 live, 1,000 records\/s, 19,990 out, p99 21\.5 ms, gaps 1 open of 12, 20 dead/
    )
    io.size = { columns: 80, rows: 24 }
    new LiveTable(io, true).show(sampleStatus, now)
    assert.equal(io.stderr, `${statusLine(sampleStatus, now)}\n`)
  })
})

suite('the producer in the table', () => {
  const withProducer: StatusSnapshot = { ...sampleStatus, producer: sampleProducer }

  test('is one line with profile, compression, buffer and retries', () => {
    const lines = statusLines(withProducer, now, { width: 80, rows: null })
    assert.ok(lines.includes('kafka   throughput, lz4; 3.2M of 128M buffered; 2 retries'), lines.join('\n'))
    assert.ok(
      !statusLines(sampleStatus, now, { width: 80, rows: null }).some(line => line.startsWith('kafka'))
    )
  })

  test('says what waits undecoded, and which topics have a codec of their own', () => {
    const line = producerLine({
      ...sampleProducer,
      undecoded_bytes: 5_000_000,
      compression_by_topic: { 'ws.dlq': 'gzip' }
    })
    assert.equal(line, 'throughput, lz4 (ws.dlq gzip); 3.2M of 128M buffered; 4.8M undecoded; 2 retries')
  })

  test('names the quietest of the targets that bring nothing', () => {
    const quiet = sampleStatus.targets.map((target, i) => ({ ...target, freshness_ms: i * 7000 }))
    const lines = statusLines({ ...sampleStatus, targets: quiet }, now, { width: 80, rows: null })
    assert.ok(
      lines.includes('quiet   binance/orderbook for 35s, binance/trade for 28s, binance/ticker for 21s'),
      lines.join('\n')
    )
  })
})

suite('the table of partitions', () => {
  const many = Array.from({ length: 48 }, (_, i) => ({
    ...samplePartition,
    topic: i < 40 ? 'trade-data.asia' : 'ws.connect_success.korea',
    partition: 47 - i,
    linger_ms: i + 5,
    last_flush: i === 40 ? null : samplePartition.last_flush,
    ack_ms_p50: i === 40 ? null : i,
    ack_ms_p99: i === 40 ? null : i * 10
  }))

  test('has a line a partition with all that its batches are like, in 80 columns', () => {
    const lines = partitionLines([samplePartition], { width: 80, all: false })
    assert.match(lines[0]!, /^partition +rec\/s +linger +fill % +flush +p50 ms +p99 ms +buffer +resent$/)
    assert.match(lines[1]!, /^orderbook-data.korea\/0 +1,234 +12 +99 +full +3\.1 +21\.5 +128K +2$/)
    assert.ok(widest(lines) <= 80)
  })

  test('goes by topic when there are many, with sums, ranges and the slowest', () => {
    const lines = partitionLines(many, { width: 80, all: false })
    assert.equal(lines.length, 3)
    assert.match(lines[1]!, /^trade-data\.asia \(40\) +49,376 +5-44 +99 +full +39\.0 +390 +5\.0M +80$/)
    assert.match(lines[2]!, /^ws\.connect_success\.ko… +9,875 +45-52 +99 +full +47\.0 +470 +1\.0M +16$/)
    assert.ok(widest(lines) <= 80)
  })

  test('shows every partition when all are asked for, in the order of their numbers and with whole names', () => {
    const lines = partitionLines(many, { width: 100, all: true })
    assert.equal(lines.length, 49)
    assert.ok(widest(lines) <= 100)
    assert.ok(lines[1]!.startsWith('trade-data.asia/8 '))
    assert.match(lines[48]!, /^ws\.connect_success\.korea\/7 .* - +- +- +128K +2$/)
    assert.deepEqual(partitionLines([], { width: 80, all: true }), [])
  })
})

suite('the summary', () => {
  test('tells what the producer did, when the records went to Kafka', () => {
    const producer = producerSummary({ ...sampleProducer, partitions: [samplePartition, samplePartition] })
    assert.deepEqual(
      { ...producer, partitions: producer.partitions.length },
      {
        profile: 'throughput',
        compression: 'lz4',
        batches: 200,
        records: 24_690,
        records_per_batch: 123.45,
        bytes: 4_000_000,
        wire_bytes: 1_000_000,
        compression_ratio: 4,
        requests: 90,
        retries: 4,
        partitions: 2
      }
    )
    const flat = summaryText({ ...sampleSummary, producer }).replaceAll(/\s+/g, ' ')
    assert.ok(
      flat.includes(
        'producer throughput, lz4: 200 batches in 90 requests, 123 records a batch, 3.8M as 977K on the wire (4.0 times smaller), 4 retries'
      ),
      flat
    )
  })

  test('is readable at 80 columns and shows both sides of both ledgers', () => {
    const text = summaryText(sampleSummary)
    assert.ok(widest(text.split('\n')) <= 80)
    const flat = text.replaceAll(/\s+/g, ' ')
    assert.ok(
      flat.includes(
        'frames 20,110 received = 10 control + 20,000 transcoded + 40 ignored + 20 dead + 40 shed'
      )
    )
    assert.ok(flat.includes('records 20,000 made = 19,990 published + 6 duplicate + 4 superseded + 0 failed'))
    assert.ok(flat.includes('1,000 events a second (asked 1,000)'))
    assert.ok(flat.includes('9,000 books compared, 0 different'))
    const single = summaryText({ ...sampleSummary, exchanges: 1, targets: 1, symbols: 1 })
    assert.match(single, /: 1 exchange, 1 target, 1 symbol, /)
    assert.ok(!summaryText({ ...sampleSummary, truth: null }).includes('truth'))
  })

  test('of a clean run has nothing to complain about', () => {
    assert.deepEqual(verdict(sampleSummary, true), [])
    assert.deepEqual(verdict({ ...sampleSummary, truth: null }, false), [])
  })

  test('fails when records were left without an acknowledgement at the end', () => {
    const reasons = verdict({ ...sampleSummary, undelivered: 7, truth: null }, false)
    assert.deepEqual(reasons, ['7 records were not acknowledged in time; gaps declare them.'])
  })

  test('names every fault of the truth that is not 0', () => {
    for (const fault of truthFaults) {
      const reasons = verdict({ ...sampleSummary, truth: { ...cleanTruth, [fault]: 3 } }, true)
      assert.equal(reasons.length, 1, fault)
      assert.ok(reasons[0]!.startsWith(`${fault} is 3: `))
    }
  })

  test('wants both ledgers equal, an answer of the check, and books compared where there are book targets', () => {
    const frames = { ...sampleSummary.frames, received: 1 }
    const records = { ...sampleSummary.records, made: 1 }
    assert.equal(verdict({ ...sampleSummary, frames, records }, false).length, 2)
    assert.deepEqual(verdict({ ...sampleSummary, truth: null }, true), ['The check gave no answer.'])
    const replay = { connections: 1, frames: 0, missing: 0, first_ts: 0, last_ts: 0, remarks: [] }
    assert.match(verdict({ ...sampleSummary, replay }, false)[0]!, /^No frame lies in what was replayed/)
    const nothing = verdict({ ...sampleSummary, truth: { ...cleanTruth, sent: 0 } }, true)
    assert.deepEqual(nothing, ['sent is 0: nothing was compared.'])
    const truth = { ...cleanTruth, books_compared: 0 }
    assert.match(verdict({ ...sampleSummary, truth }, true)[0]!, /^books_compared is 0/)
    const tradesOnly = sampleSummary.per_target.filter(({ target }) => target.endsWith('/trade'))
    assert.deepEqual(verdict({ ...sampleSummary, truth, per_target: tradesOnly }, true), [])
  })
})
