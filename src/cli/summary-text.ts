import { type Summary } from '../domain/summary.ts'
import { type Truth } from '../domain/truth.ts'
import { wrap } from './args.ts'
import { producerSummaryText } from './producer-text.ts'
import { type Column, tableLines } from './table.ts'
import { formatCount, formatDuration, formatMs } from './values.ts'

const columns: readonly Column[] = [
  { title: 'target', width: 18, align: 'left' },
  { title: 'state', width: 11, align: 'left' },
  { title: 'symbols', width: 7, align: 'right' },
  { title: 'records', width: 12, align: 'right' },
  { title: 'p50 ms', width: 7, align: 'right' },
  { title: 'p99 ms', width: 7, align: 'right' }
]

/** The summary of a run for people, 80 columns wide. */
export function summaryText(summary: Summary): string {
  const { frames, records, gaps, events_per_s: rate } = summary
  const asked =
    rate.asked === null ? '' : ` (asked ${rate.asked === 'max' ? 'for the most' : formatCount(rate.asked)})`
  const rows = summary.per_target.map(target => [
    target.target,
    target.state,
    formatCount(target.symbols),
    formatCount(target.records),
    formatMs(target.latency_ms.p50),
    formatMs(target.latency_ms.p99)
  ])
  return [
    '',
    ...wrap(
      `Ran for ${formatDuration(summary.duration_ms)}: ${summary.exchanges} exchanges, ${summary.targets} targets, ` +
        `${formatCount(summary.symbols)} symbols, ${formatCount(rate.reached)} events a second${asked}.`,
      80
    ),
    '',
    ...tableLines(columns, rows),
    '',
    ...item(
      'frames',
      `${formatCount(frames.received)} received = ${formatCount(frames.control)} control + ` +
        `${formatCount(frames.transcoded)} transcoded + ${formatCount(frames.ignored)} ignored + ` +
        `${formatCount(frames.dead)} dead + ${formatCount(frames.shed)} shed + ${formatCount(frames.in_flight)} in flight`
    ),
    ...item(
      'records',
      `${formatCount(records.made)} made = ${formatCount(records.published)} published + ` +
        `${formatCount(records.duplicate)} duplicate + ${formatCount(records.superseded)} superseded + ` +
        `${formatCount(records.failed)} failed + ${formatCount(records.in_flight)} in flight`
    ),
    ...item(
      'gaps',
      `${formatCount(gaps.opened)} opened, ${formatCount(gaps.closed)} closed, ${formatCount(gaps.open)} still open; ` +
        `${formatCount(summary.reconnects)} reconnects`
    ),
    ...item(
      'latency',
      `p50 ${formatMs(summary.latency_ms.p50)}, p99 ${formatMs(summary.latency_ms.p99)}, ` +
        `p99.9 ${formatMs(summary.latency_ms.p999)} ms from the socket to the sink's acknowledgement`
    ),
    ...(summary.producer === null ? [] : item('producer', producerSummaryText(summary.producer))),
    ...item(
      'cost',
      `${summary.cpu_us_per_record.toFixed(1)} µs of CPU a record, ${formatCount(summary.rss_mb)} MB of memory`
    ),
    ...(summary.truth === null ? [] : item('truth', truthText(summary.truth))),
    ''
  ].join('\n')
}

export function truthText(truth: Truth): string {
  return (
    `${formatCount(truth.sent)} sent, ${formatCount(truth.delivered)} delivered, ` +
    `${formatCount(truth.superseded)} superseded, ${formatCount(truth.declared_missing)} declared missing; ` +
    `faults: ${formatCount(truth.missing)} missing, ${formatCount(truth.overdeclared)} overdeclared, ` +
    `${formatCount(truth.duplicated)} duplicated, ${formatCount(truth.misordered)} misordered, ` +
    `${formatCount(truth.altered)} altered; ${formatCount(truth.books_compared)} books compared, ` +
    `${formatCount(truth.books_different)} different`
  )
}

/** A labelled line, continued under its own text. */
function item(label: string, text: string): string[] {
  return wrap(text, 80 - 9).map((line, i) => `${i === 0 ? label.padEnd(9) : ' '.repeat(9)}${line}`)
}
