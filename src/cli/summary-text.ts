import { type CaptureSummary, type KeyDigest, type ReplaySummary, type Summary } from '../domain/summary.ts'
import { type Truth } from '../domain/truth.ts'
import { wrap } from './args.ts'
import { producerSummaryText } from './producer-text.ts'
import { type Column, tableLines } from './table.ts'
import { formatBytes, formatCount, formatDuration, formatMs } from './values.ts'

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
  const timed = columns.findIndex(({ title }) => title === 'p50 ms')
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
      `Ran for ${formatDuration(summary.duration_ms)}: ${counted(summary.exchanges, 'exchange')}, ` +
        `${counted(summary.targets, 'target')}, ${counted(summary.symbols, 'symbol')}, ` +
        `${formatCount(rate.reached)} events a second${asked}.`,
      80
    ),
    '',
    ...tableLines(summary.replay === null ? columns : columns.slice(0, timed), rows),
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
    ...(summary.replay === null ? latencyItem(summary) : []),
    ...(summary.producer === null ? [] : item('producer', producerSummaryText(summary.producer))),
    ...item(
      'cost',
      `${summary.cpu_us_per_record.toFixed(1)} µs of CPU a record, ${formatCount(summary.rss_mb)} MB of memory`
    ),
    ...(summary.truth === null ? [] : item('truth', truthText(summary.truth))),
    ...(summary.capture === null ? [] : item('capture', captureText(summary.capture))),
    ...(summary.replay === null ? [] : item('replay', replayText(summary.replay))),
    ...(summary.replay?.remarks ?? []).flatMap(remark => item('', remark)),
    ...(summary.digests === null ? [] : ['', ...digestLines(summary.digests)]),
    ''
  ].join('\n')
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

function latencyItem({ latency_ms: { p50, p99, p999 } }: Summary): string[] {
  return item(
    'latency',
    `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, p99.9 ${formatMs(p999)} ms from the socket to the sink's ` +
      'acknowledgement'
  )
}

function captureText(capture: CaptureSummary): string {
  const { frames, raw_bytes, file_bytes, segments, dropped, folder, stopped } = capture
  const left = dropped === 0 ? '' : `; ${formatCount(dropped)} frames could not be kept`
  const ended = stopped === null ? '' : '; it stopped before the run did'
  return (
    `${formatCount(frames)} frames of ${formatBytes(raw_bytes)}B, as ${formatBytes(file_bytes)}B in ` +
    `${formatCount(segments)} ${segments === 1 ? 'file' : 'files'} in ${folder}${left}${ended}`
  )
}

function replayText({ connections, frames, missing, first_ts, last_ts }: ReplaySummary): string {
  if (first_ts === 0) return 'nothing lies in that time'
  const holes = missing === 0 ? '' : `; ${formatCount(missing)} more are not in the capture`
  return (
    `${formatCount(frames)} frames of ${formatCount(connections)} connections, ` +
    `${new Date(first_ts / 1000).toISOString()} to ${new Date(last_ts / 1000).toISOString()}${holes}`
  )
}

function digestLines(digests: readonly KeyDigest[]): string[] {
  return digests.map(({ sha256, records, key }) => `${sha256}  ${formatCount(records).padStart(9)}  ${key}`)
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
