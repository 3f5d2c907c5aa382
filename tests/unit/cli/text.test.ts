import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type StatusSnapshot } from '../../../src/app/service.ts'
import { LiveTable } from '../../../src/cli/live-table.ts'
import { statusLine, statusLines } from '../../../src/cli/status-text.ts'
import { summaryText } from '../../../src/cli/summary-text.ts'
import { verdict } from '../../../src/cli/verdict.ts'
import { truthFaults } from '../../../src/domain/truth.ts'
import { FakeIo } from './fake-io.ts'
import { cleanTruth, sampleStatus, sampleSummary } from './samples.ts'

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

suite('the summary', () => {
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
    const truth = { ...cleanTruth, books_compared: 0 }
    assert.match(verdict({ ...sampleSummary, truth }, true)[0]!, /^books_compared is 0/)
    const tradesOnly = sampleSummary.per_target.filter(({ target }) => target.endsWith('/trade'))
    assert.deepEqual(verdict({ ...sampleSummary, truth, per_target: tradesOnly }, true), [])
  })
})
