import { type Gap } from '../../domain/gap.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { type ChannelEvidence } from './channel-evidence.ts'
import { type ChannelFacts } from './channel-facts.ts'
import { findingsOf } from './findings.ts'
import {
  type ChannelReport,
  type ConnectionReport,
  type Finding,
  type FrameReport,
  type HeartbeatReport,
  type SequenceReport,
  type SymbolReport,
  type Verdict
} from './report.ts'
import { escaped } from './sample.ts'

/** Closes shown, from the first on. */
const closesShown = 10

export function channelReport(facts: ChannelFacts): ChannelReport {
  const { evidence, sockets, records, endMicros } = facts
  const { exchange, request_type } = evidence.target
  const openMs = sockets.openMs(endMicros)
  const events = records.get('made')
  const endpoint = sockets.records[0]?.url ?? facts.endpoint
  const report = {
    exchange,
    request_type,
    endpoint,
    host: new URL(endpoint).host,
    connection: connectionOf(facts),
    symbols: symbolsOf(facts),
    frames: framesOf(facts),
    events,
    events_per_s: openMs === 0 ? 0 : tenths((events * 1000) / openMs),
    undecodable: [...evidence.undecodable].map(([reason, { count, sample }]) => ({ reason, count, sample })),
    frames_examined: evidence.fields.examined,
    unknown_fields: evidence.fields.unknown,
    fields_never_seen: evidence.fields.neverSeen,
    sequence: sequenceOf(facts),
    heartbeat: heartbeatOf(facts),
    clock_offset_ms: evidence.offsets.report
  }
  const findings = findingsOf(report, facts)
  // The verdict stands in front, for whoever reads the document.
  const head = { exchange, request_type, verdict: verdictOf(findings) }
  return { ...head, ...report, findings }
}

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ severity }) => severity === 'failure')) return 'failed'
  return findings.some(({ severity }) => severity === 'warning') ? 'degraded' : 'ok'
}

function connectionOf({ sockets, evidence, frames, endMicros }: ChannelFacts): ConnectionReport {
  const first = sockets.opened[0]
  const last = sockets.opened.at(-1)
  return {
    dials: sockets.dials,
    sockets: sockets.opened.length,
    reconnects: sum(frames.map(account => account.get('reconnects'))),
    handshake_ms: first === undefined ? null : tenths((first.openedMicros! - first.dialledMicros) / 1000),
    subscribed_ms: evidence.subscribedMs === null ? null : tenths(evidence.subscribedMs),
    age_ms:
      last === undefined ? null : Math.round(((last.endedMicros ?? endMicros) - last.openedMicros!) / 1000),
    closes: sockets.records
      .filter(({ end, isOwnEnd }) => end !== null && !isOwnEnd)
      .slice(0, closesShown)
      .map(({ end }) => ({ code: end!.code, reason: escaped(end!.reason) }))
  }
}

function symbolsOf({ evidence, unlisted }: ChannelFacts): SymbolReport[] {
  return [...evidence.symbols.values()].map(
    ({ instrument: { symbol, native }, confirmedMs, isConfirmed, rejection, events }) => ({
      symbol: escaped(symbol),
      native: escaped(native),
      state: unlisted.has(symbol)
        ? 'unlisted'
        : rejection !== null
          ? 'rejected'
          : isConfirmed
            ? 'confirmed'
            : 'unconfirmed',
      confirmed_ms: confirmedMs === null ? null : tenths(confirmedMs),
      reason: rejection === null ? null : escaped(rejection),
      events
    })
  )
}

function framesOf({ evidence, sockets, frames }: ChannelFacts): FrameReport {
  const ledgers = frames.map(account => account.ledger())
  const total = (field: keyof (typeof ledgers)[number]): number => sum(ledgers.map(each => each[field]))
  return {
    received: total('received'),
    bytes: sum(frames.map(account => account.get('bytesReceived'))),
    data: total('transcoded') + total('ignored') + total('dead'),
    control: total('control'),
    alive: sockets.alive,
    transcoded: total('transcoded'),
    ignored: Object.fromEntries(evidence.ignored),
    undecodable: total('dead'),
    shed: total('shed')
  }
}

function sequenceOf({ adapter, evidence, records }: ChannelFacts): SequenceReport {
  const gaps = [...evidence.gaps.values()]
  const byReason: Record<string, number> = {}
  for (const { reason } of gaps) byReason[reason] = (byReason[reason] ?? 0) + 1
  const holes = gaps.filter(({ reason }) => reason === 'sequence')
  return {
    rule: sequenceRule(adapter, evidence),
    holes: holes.length,
    missed: sum(holes.map(({ missed }: Gap) => missed ?? 0)),
    checksum_mismatches: byReason['checksum'] ?? 0,
    crossed: evidence.crossed,
    repeats: records.get('duplicate'),
    superseded: records.get('superseded'),
    snapshots: evidence.snapshots,
    gaps: byReason
  }
}

function sequenceRule({ continuity: { trade, book } }: ExchangeAdapter, { target }: ChannelEvidence): string {
  switch (target.request_type) {
    case 'ticker':
      return 'none'
    case 'trade':
      return `${trade.ids} ids`
    case 'orderbook': {
      if (book.mode === 'whole') return 'whole books'
      const check = typeof book.check === 'object' ? 'checksum' : book.check
      return `deltas: sequence ${book.sequence}, check ${check}, snapshot by ${book.snapshot.from}`
    }
  }
}

function heartbeatOf({ adapter, sockets }: ChannelFacts): HeartbeatReport {
  const { ping } = adapter.heartbeat
  const { venuePings, pongs, pingsSent, heartbeatFrames, replies } = sockets
  const how = ping === null ? '' : ping.frame === 'websocket' ? 'a WebSocket ping' : 'a text ping'
  return {
    rule: ping === null ? 'the venue pings' : `we send ${how} every ${ping.everyMs / 1000} s`,
    is_seen: venuePings + pongs + heartbeatFrames > 0,
    venue_pings: venuePings,
    pings_sent: pingsSent,
    pongs,
    frames: heartbeatFrames,
    replies
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
