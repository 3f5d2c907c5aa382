import { type ExchangeName, type Region, type RequestType } from '../../domain/target.ts'

/** `degraded`: it works and the service copes, but something should be looked at. */
export type Verdict = 'ok' | 'degraded' | 'failed'

/** `note`: harmless, the verdict stays `ok`. `warning` makes a channel degraded, `failure` makes it failed. */
export type Severity = 'note' | 'warning' | 'failure'

export interface Finding {
  readonly severity: Severity
  /** One sentence: what was found, and for what is worse than a note what to do. */
  readonly text: string
}

/**
 * The one document of `coin-stream live-check --json`. Its shape is stable: fields may be added, and `live_check` counts
 * up when one changes or goes. Times are milliseconds; what was not seen is null.
 */
export interface LiveCheckReport {
  readonly live_check: 1
  readonly version: string
  readonly node: string
  /** Operating system and processor architecture, nothing that names a machine. */
  readonly platform: string
  /** Start of the check, ISO 8601 in UTC. */
  readonly date: string
  readonly for_ms: number
  readonly simulated: boolean
  /** Somebody ended it before its time was up. */
  readonly interrupted: boolean
  /**
   * How long this process kept its own sockets waiting, at most and in 99 of 100 looks: what times and clock offsets below
   * may be too large by.
   */
  readonly held_up_ms: { readonly p99: number; readonly max: number }
  /** The worst of all channels. */
  readonly verdict: Verdict
  readonly exchanges: readonly ExchangeReport[]
}

export interface ExchangeReport {
  readonly exchange: ExchangeName
  readonly region: Region
  readonly verdict: Verdict
  /** Of no channel in particular. */
  readonly findings: readonly Finding[]
  /** Null where the venue has none. */
  readonly listing: ListingReport | null
  readonly channels: readonly ChannelReport[]
}

export interface ListingReport {
  readonly url: string
  readonly state: 'fetched' | 'failed'
  readonly reason: string | null
  /** Instruments in it. */
  readonly symbols: number
  readonly took_ms: number
  /** This clock less the `Date` header of the answer, which has whole seconds only: right to about half a second. */
  readonly date_offset_ms: number | null
}

export interface ChannelReport {
  readonly exchange: ExchangeName
  readonly request_type: RequestType
  readonly verdict: Verdict
  readonly endpoint: string
  readonly host: string
  readonly connection: ConnectionReport
  readonly symbols: readonly SymbolReport[]
  readonly frames: FrameReport
  /** Records made of the frames, and how many a second while a socket was open. */
  readonly events: number
  readonly events_per_s: number
  /** One entry a reason, with its first frame: at most 300 bytes, control characters escaped. */
  readonly undecodable: readonly {
    readonly reason: string
    readonly count: number
    readonly sample: string
  }[]
  /** Frames that were looked at field by field (a busy channel is sampled). */
  readonly frames_examined: number
  /** Keys of data frames that the adapter's table of that kind does not know. */
  readonly unknown_fields: readonly UnknownField[]
  /** Optional fields of kinds that came, which were in none of their frames. */
  readonly fields_never_seen: readonly string[]
  readonly sequence: SequenceReport
  readonly heartbeat: HeartbeatReport
  /** `received_ts` less `exchange_ts` of live events: latency and the difference of both clocks together. */
  readonly clock_offset_ms: OffsetReport | null
  readonly findings: readonly Finding[]
}

export interface ConnectionReport {
  /** Dials, and how many of them came to an open socket. */
  readonly dials: number
  readonly sockets: number
  readonly reconnects: number
  /** From the dial to the open socket, of the first that opened. */
  readonly handshake_ms: number | null
  /** From the open socket until every symbol was confirmed or refused. */
  readonly subscribed_ms: number | null
  /** Of the newest socket, at the end of the check. */
  readonly age_ms: number | null
  /** Ends that were not ours, in their order; `code` is the WebSocket close code where there was one. */
  readonly closes: readonly { readonly code: number | null; readonly reason: string }[]
}

export interface SymbolReport {
  readonly symbol: string
  readonly native: string
  readonly state: 'confirmed' | 'rejected' | 'unconfirmed' | 'unlisted'
  /** From the open socket to the confirmation. */
  readonly confirmed_ms: number | null
  /** Of a refusal, in the venue's words. */
  readonly reason: string | null
  readonly events: number
}

/** The frame ledger of the channel. */
export interface FrameReport {
  readonly received: number
  readonly bytes: number
  /** Frames that were decoded as data, `transcoded + ignored + undecodable`. */
  readonly data: number
  readonly control: number
  /** Of those, heartbeats without content that need no parsing. */
  readonly alive: number
  readonly transcoded: number
  readonly ignored: Readonly<Record<string, number>>
  readonly undecodable: number
  readonly shed: number
}

export interface UnknownField {
  /** Place in the frame: `data.x`, `units[].x`, `2.11`. */
  readonly path: string
  /** Name of the table whose frames have it. */
  readonly table: string
  /** Frames examined that have it. */
  readonly count: number
  readonly example: string
}

export interface SequenceReport {
  /** How the adapter can check this channel: `contiguous ids`, `unique ids`, `whole books`, `first-follows-last`, … */
  readonly rule: string
  /** Numbers left out (a jump in trade ids, a broken book sequence), and how many events went with them where it is known. */
  readonly holes: number
  readonly missed: number
  readonly checksum_mismatches: number
  /** Book snapshots whose best bid is not below their best ask. */
  readonly crossed: number
  /** Records that repeated an earlier one, or that a snapshot covered already. */
  readonly repeats: number
  readonly superseded: number
  readonly snapshots: number
  /** Gaps that the service declared, by reason. */
  readonly gaps: Readonly<Record<string, number>>
}

export interface HeartbeatReport {
  /** What is to be expected by the adapter, in words. */
  readonly rule: string
  readonly is_seen: boolean
  readonly venue_pings: number
  readonly pings_sent: number
  readonly pongs: number
  /** Heartbeats as frames of the venue's own kind, and how many of them were answered. */
  readonly frames: number
  readonly replies: number
}

export interface OffsetReport {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly events: number
}

const order: readonly Verdict[] = ['ok', 'degraded', 'failed']

export function worstOf(verdicts: readonly Verdict[]): Verdict {
  return order.findLast(verdict => verdicts.includes(verdict)) ?? 'ok'
}
