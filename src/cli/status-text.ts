import { type StatusSnapshot, type TargetStatus } from '../app/service.ts'
import { producerLine } from './producer-text.ts'
import { type Column, cut, tableLines } from './table.ts'
import { formatCount, formatDuration, formatMs } from './values.ts'

const columns: readonly Column[] = [
  { title: 'target', width: 18, align: 'left' },
  { title: 'state', width: 11, align: 'left' },
  { title: 'symbols', width: 7, align: 'right' },
  { title: 'records/s', width: 9, align: 'right' },
  { title: 'p50 ms', width: 7, align: 'right' },
  { title: 'p99 ms', width: 7, align: 'right' },
  { title: 'gaps', width: 5, align: 'right' }
]

/** A quiet market is no trouble, so it is only said where people look. */
const quietAfterMs = 10_000

/** What a service does right now, in lines of at most `width` characters and, with `rows`, of at most that many. */
export function statusLines(
  status: StatusSnapshot,
  nowMs: number,
  { width, rows }: { readonly width: number; readonly rows: number | null }
): string[] {
  const below = footer(status)
  const shown = status.targets.slice(0, roomFor(status.targets.length, below.length, rows))
  const hidden = status.targets.length - shown.length
  const lines = [
    title(status, nowMs),
    ...tableLines(columns, shown.map(cells)),
    ...(hidden > 0 ? [`… and ${hidden} more targets`] : []),
    ...below
  ]
  return lines.map(line => cut(line, width))
}

/** How many targets fit between two lines above, those below, the line that names the rest, and the cursor's own. */
function roomFor(targets: number, linesBelow: number, rows: number | null): number {
  if (rows === null) return targets
  const room = rows - linesBelow - 3
  return targets <= room ? targets : Math.max(1, room - 1)
}

function cells(target: TargetStatus): string[] {
  return [
    target.target,
    target.state,
    formatCount(target.symbols),
    formatCount(target.records_per_s),
    formatMs(target.latency_ms.p50),
    formatMs(target.latency_ms.p99),
    formatCount(target.gaps_open)
  ]
}

function title(status: StatusSnapshot, nowMs: number): string {
  const source = status.replayed ? 'a capture' : status.simulated ? 'simulated exchanges' : 'live exchanges'
  const age = formatDuration(Math.max(0, nowMs - status.started_at))
  return `coin-stream ${status.state}, up ${age}: ${source} into ${sinkName(status)}`
}

function sinkName({ sink }: StatusSnapshot): string {
  const name = sink.kind === 'kafka' ? 'Kafka' : 'the embedded log'
  return sink.available ? name : `${name} (away)`
}

function footer(status: StatusSnapshot): string[] {
  const { frames, records, gaps } = status
  const lines = [
    `frames  ${formatCount(frames.received)} in, ${formatCount(frames.dead)} dead, ${formatCount(frames.shed)} shed, ` +
      `${formatCount(frames.in_flight)} in flight`,
    `records ${formatCount(records.published)} out, ${formatCount(records.duplicate)} duplicate, ` +
      `${formatCount(records.failed)} failed, ${formatCount(records.in_flight)} in flight`,
    `gaps    ${formatCount(gaps.opened)} opened, ${formatCount(gaps.closed)} closed, ${formatCount(gaps.open)} open; ` +
      `${formatCount(status.reconnects)} reconnects`
  ]
  if (status.producer !== null) lines.push(`kafka   ${producerLine(status.producer)}`)
  const quiet = quietTargets(status)
  if (quiet.length > 0) lines.push(`quiet   ${quiet.join(', ')}`)
  if (!status.sink.available) lines.push(`sink    ${status.sink.message}`)
  const troubles = [...most(status.errors), ...most(status.limits)]
  if (troubles.length > 0) lines.push(`trouble ${troubles.join(', ')}`)
  return lines
}

/** Targets whose connections live and bring nothing, with the time since their last frame; the quietest first. */
function quietTargets({ targets }: StatusSnapshot): string[] {
  return targets
    .flatMap(({ target, state, freshness_ms: ms }) =>
      state === 'live' && ms !== null && ms >= quietAfterMs ? [{ target, ms }] : []
    )
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 3)
    .map(({ target, ms }) => `${target} for ${formatDuration(ms)}`)
}

/** The embedded log forgets its oldest records all the time: that is no trouble. */
const ordinary = 'embeddedTopicBytes'

/** The three most frequent of a table of counters. */
function most(counters: Readonly<Record<string, number>>): string[] {
  return Object.entries(counters)
    .filter(([name, count]) => count > 0 && name !== ordinary)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
}

/** The same in one line, for logs and pipes. */
export function statusLine(status: StatusSnapshot, nowMs: number): string {
  const { targets, frames, records, gaps, sink } = status
  const perSecond = targets.reduce((sum, target) => sum + target.records_per_s, 0)
  const live = targets.filter(({ state }) => state === 'live').length
  const worst = Math.max(0, ...targets.map(target => target.latency_ms.p99))
  const parts = [
    `${live}/${targets.length} live`,
    `${formatCount(perSecond)} records/s`,
    `${formatCount(records.published)} out`,
    `p99 ${formatMs(worst)} ms`,
    `gaps ${gaps.open} open of ${gaps.opened}`
  ]
  if (frames.dead > 0) parts.push(`${formatCount(frames.dead)} dead`)
  if (frames.shed > 0) parts.push(`${formatCount(frames.shed)} shed`)
  if (!sink.available) parts.push(`sink away: ${sink.message}`)
  return `${formatDuration(Math.max(0, nowMs - status.started_at)).padStart(6)}  ${parts.join(', ')}`
}
