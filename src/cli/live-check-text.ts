import {
  type ChannelReport,
  type ExchangeReport,
  type Finding,
  type HeartbeatReport,
  type ListingReport,
  type LiveCheckReport
} from '../app/live-check/report.ts'
import { wrap } from './args.ts'
import { type Column, tableLines } from './table.ts'
import { formatBytes, formatCount, formatDuration, formatMs } from './values.ts'

const width = 80
const columns: readonly Column[] = [
  { title: 'channel', width: 18, align: 'left' },
  { title: 'verdict', width: 8, align: 'left' },
  { title: 'symbols', width: 7, align: 'right' },
  { title: 'frames', width: 7, align: 'right' },
  { title: 'events/s', width: 8, align: 'right' },
  { title: 'dead', width: 5, align: 'right' },
  { title: 'holes', width: 5, align: 'right' },
  { title: 'offset', width: 6, align: 'right' }
]

/** The report of a live check for people: one line a channel, and below it what was found. */
export function liveCheckText(report: LiveCheckReport): string {
  const { version, node, platform, date, for_ms, simulated, interrupted, exchanges, held_up_ms } = report
  const kind = simulated ? ', simulated exchanges' : ''
  const end = interrupted ? ', interrupted' : ''
  const [title = '', ...rows] = tableLines(
    columns,
    exchanges.flatMap(({ channels }) => channels.map(row))
  )
  const lines = [
    ...wrap(
      `coin-stream ${version} live-check, node ${node}, ${platform}, ${date}, ${formatDuration(for_ms)} a channel${kind}${end}`,
      width
    ),
    '',
    title
  ]
  let next = 0
  for (const exchange of exchanges) {
    const told = new Map<string, string>()
    for (const channel of exchange.channels) {
      lines.push(rows[next++]!, ...channelLines(channel), ...findingLines(channel, told))
      // As they are: a frame that is broken into lines cannot be copied.
      for (const { reason, sample } of channel.undecodable) lines.push(`     ${reason}: ${sample}`)
    }
    lines.push(...exchangeLines(exchange))
  }
  const count = (verdict: string): number =>
    exchanges.flatMap(({ channels }) => channels).filter(each => each.verdict === verdict).length
  lines.push(
    '',
    ...wrap(
      `This process kept its sockets waiting ${held_up_ms.max} ms at most (p99 ${held_up_ms.p99}): times and offsets may be too large by as much.`,
      width
    ),
    `${report.verdict}: ${count('ok')} ok, ${count('degraded')} degraded, ${count('failed')} failed`,
    ''
  )
  return lines.join('\n')
}

function row(channel: ChannelReport): string[] {
  const { exchange, request_type, verdict, symbols, frames, sequence } = channel
  const confirmed = symbols.filter(({ state }) => state === 'confirmed').length
  return [
    `${exchange}/${request_type}`,
    verdict,
    `${confirmed}/${symbols.length}`,
    formatCount(frames.received),
    channel.events_per_s < 100 ? String(channel.events_per_s) : formatCount(channel.events_per_s),
    formatCount(frames.undecodable),
    formatCount(sequence.holes + sequence.checksum_mismatches),
    msOf(channel.clock_offset_ms?.median ?? null)
  ]
}

function channelLines(channel: ChannelReport): string[] {
  const { connection, endpoint, symbols, frames, sequence, heartbeat, clock_offset_ms: offset } = channel
  if (connection.age_ms === null) {
    return indented(`${endpoint} (never open; dialled ${times(connection.dials)})`, '    ', '    ')
  }
  const again = connection.reconnects > 0 ? `, dialled ${times(connection.dials)}` : ''
  const facts = [
    `${endpoint} (open ${formatDuration(connection.age_ms)}${again}; handshake ${msOf(connection.handshake_ms)} ms, subscribed in ${msOf(connection.subscribed_ms)} ms)`,
    symbols
      .map(({ symbol, state, events }) => `${symbol} ${state === 'confirmed' ? formatCount(events) : state}`)
      .join(', '),
    `${formatBytes(frames.bytes)}B: ${formatCount(frames.data)} data, ${formatCount(frames.control)} control`,
    `heartbeat: ${heartbeatText(heartbeat)}`,
    ...(sequence.rule === 'none'
      ? []
      : [
          `${sequence.rule} (holes ${sequence.holes}, repeats ${sequence.repeats}, snapshots ${sequence.snapshots})`
        ]),
    ...(offset === null ? [] : [`offset ${offset.min} to ${offset.max} ms`])
  ]
  return indented(facts.join('; '), '    ', '    ')
}

function heartbeatText({ rule, venue_pings, pings_sent, pongs, frames }: HeartbeatReport): string {
  const counts = { 'pings of theirs': venue_pings, 'of ours': pings_sent, pongs, 'heartbeat frames': frames }
  const seen = Object.entries(counts).filter(([, count]) => count > 0)
  const text = seen.map(([name, count]) => `${name} ${count}`).join(', ')
  return `${text === '' ? 'none yet' : text} (${rule})`
}

function exchangeLines({ exchange, listing, findings }: ExchangeReport): string[] {
  const lines = listing === null ? [] : indented(`${exchange}: ${listingText(listing)}`, '  ', '    ')
  return [...lines, ...findings.flatMap(finding => findingLine(finding, finding.text))]
}

function listingText({ url, state, symbols, took_ms, date_offset_ms }: ListingReport): string {
  if (state === 'failed') return `no listing from ${url}`
  const date = date_offset_ms === null ? '' : `, this clock less its Date header ${date_offset_ms} ms`
  return `listing ${url} has ${formatCount(symbols)} symbols, in ${formatMs(took_ms)} ms${date}`
}

const marks = { failure: '!!', warning: ' !', note: ' -' } as const

/** What the channels of an exchange have in common is said once. */
function findingLines({ request_type, findings }: ChannelReport, told: Map<string, string>): string[] {
  return findings.flatMap(finding => {
    const first = told.get(finding.text)
    if (first === undefined) told.set(finding.text, request_type)
    return findingLine(finding, first === undefined ? finding.text : `the same as ${first}`)
  })
}

function findingLine({ severity }: Finding, text: string): string[] {
  return indented(text, `  ${marks[severity]} `, '     ')
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function indented(text: string, first: string, rest: string): string[] {
  return wrap(text, width - rest.length).map((line, at) => (at === 0 ? first : rest) + line)
}

function msOf(ms: number | null): string {
  return ms === null ? '-' : formatMs(ms)
}
