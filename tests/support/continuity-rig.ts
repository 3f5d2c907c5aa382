import assert from 'node:assert/strict'
import avsc from 'avsc'
import { Continuity } from '../../actors/producer/continuity.ts'
import { Gaps } from '../../actors/producer/gaps.ts'
import { Routes } from '../../actors/producer/routes.ts'
import { type SymbolTrack } from '../../actors/producer/symbol-track.ts'
import { Tracks } from '../../actors/producer/tracks.ts'
import { orderBookSchema } from '../../schemas/generated/order-book.ts'
import { tickerSchema } from '../../schemas/generated/ticker.ts'
import { tradeSchema } from '../../schemas/generated/trade.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type Gap, type GapReason } from '../../src/domain/gap.ts'
import { type RequestType, type Target } from '../../src/domain/target.ts'
import {
  type ContinuityRules,
  type DeltaBookRules,
  type ExchangeAdapter
} from '../../src/exchange-kit/adapter.ts'
import { FrameOutcome, RecordBatch, RecordFlag } from '../../src/wire/record-batch.ts'
import { RecordBatchWriter } from '../../src/wire/record-batch-writer.ts'

export const wholeBooks: ContinuityRules = { trade: { ids: 'unique' }, book: { mode: 'whole' } }
export const chainedBooks: ContinuityRules = {
  trade: { ids: 'contiguous' },
  book: {
    mode: 'delta',
    sequence: 'first-follows-last',
    snapshot: { from: 'rest', path: native => `/depth/${native}`, weight: 1 },
    check: 'none',
    depth: null
  }
}

/** Books whose snapshots come in the stream. */
export function streamBooks(change: Partial<DeltaBookRules> = {}): ContinuityRules {
  const book: DeltaBookRules = {
    mode: 'delta',
    sequence: 'previous-equals-last',
    snapshot: { from: 'stream' },
    check: 'none',
    depth: null,
    ...change
  }
  return { trade: { ids: 'unique' }, book }
}

const types: Readonly<Record<RequestType, avsc.Type>> = {
  ticker: avsc.Type.forSchema(JSON.parse(tickerSchema) as avsc.Schema),
  trade: avsc.Type.forSchema(JSON.parse(tradeSchema) as avsc.Schema),
  orderbook: avsc.Type.forSchema(JSON.parse(orderBookSchema) as avsc.Schema)
}
const nullTicker = {
  open: null,
  high: null,
  low: null,
  prev_close: null,
  bid: null,
  bid_size: null,
  ask: null,
  ask_size: null
}
const nullTickerRest = { base_volume: null, quote_volume: null, change: null, change_rate: null }
const windows = { price_window: 'UNKNOWN', volume_window: 'UNKNOWN' }

/** One record as a test writes it; what it does not say is taken from the rig. */
export interface RecordSpec {
  /** Trade id of a trade; of a ticker or whole book the digits of its price. */
  readonly id?: string
  readonly first?: number
  readonly last?: number
  readonly previous?: number
  readonly isSnapshot?: boolean
  /** Levels of a book as [price, size]; without them the bids have one with price `id`. */
  readonly bids?: readonly (readonly [string, string])[]
  readonly asks?: readonly (readonly [string, string])[]
  readonly checksum?: number
  /** The connection that brings it; the one that carries the symbol when not said. */
  readonly connection?: number
  readonly exchangeMs?: number | null
  readonly evidence?: number
  /** It stands in the frame of the record before. */
  readonly isSameFrame?: boolean
}

/** A gap event without what every gap of a test has alike. */
export interface GapLine {
  readonly id: string
  readonly status: Gap['status']
  readonly reason: GapReason
  readonly frames: readonly [number | null, number | null]
  readonly sequences: readonly [string | null, string | null]
  readonly missed: number | null
  readonly shed: number | null
}

/**
 * One symbol's continuity with everything around it within a test's reach: records are encoded with avsc, go in as the
 * codec's record batches, and what comes out is decoded. Time is in milliseconds from 0 and moves by 1 with each frame.
 */
export class ContinuityRig {
  readonly track: SymbolTrack
  readonly gaps: Gaps
  readonly continuity: Continuity
  readonly gapEvents: Gap[] = []
  /** Ids of published trades, prices of tickers, `snapshot:last` and `first-last` of books, in order. */
  readonly published: string[] = []
  readonly fates = new Map<number, string>()
  snapshotsAsked = 0
  /** Of each request for a snapshot: how many were made for it. */
  readonly requests: number[] = []
  resubscribesAsked = 0
  /** What people are told of broken books. */
  readonly reports: string[] = []
  nowMs = 1_790_000_000_000
  frameSeq = 0
  readonly #writer = new RecordBatchWriter()
  #connections = 0
  #owners = 0

  constructor(
    requestType: RequestType,
    rules: ContinuityRules,
    limits?: { ids?: number; pendingBytes?: number; levels?: number }
  ) {
    const target: Target = { region: 'asia', exchange: 'binance', request_type: requestType }
    const trackLimits = {
      tradeIdsPerSymbol: limits?.ids ?? 4096,
      bookPendingBytes: limits?.pendingBytes ?? 65536,
      bookLevelsMax: limits?.levels ?? 1000
    }
    const adapter = { continuity: rules } as ExchangeAdapter
    const tracks = new Tracks(new Routes({}), trackLimits, () => adapter)
    this.track = tracks.of(target, 'BTC-USDT')
    this.gaps = new Gaps('pod', 0, gap => this.gapEvents.push(gap))
    this.continuity = new Continuity(
      this.gaps,
      {
        publish: (route, bytes, start, end, receivedMicros, owner) => {
          assert.equal(route, this.track.route)
          assert.ok(receivedMicros > 0)
          this.#settle(owner, 'published')
          this.published.push(this.#read(bytes, start, end))
        },
        drop: (owner, outcome) => this.#settle(owner, outcome),
        requestSnapshot: (_, requests) => {
          this.snapshotsAsked++
          this.requests.push(requests)
        },
        requestResubscribe: () => this.resubscribesAsked++,
        reportBroken: (_, message) => this.reports.push(message)
      },
      { handOverBytes: 1_048_576 },
      createLogger('silent', 'test')
    )
  }

  /** A socket opens and its subscription is confirmed, as the producer session tells it. */
  open(): void {
    this.frameSeq = 0
    this.carry()
    this.confirm()
  }

  /** A socket opens, and carries the symbol from now on. */
  carry(): void {
    this.track.connection = ++this.#connections
    this.track.connectionId = `connection-${this.#connections}`
    this.track.subscription = 0
    this.track.isConnected = true
  }

  /** A socket opens beside the one that carries the symbol, to replace it. */
  overlap(): void {
    this.continuity.overlaps(this.track, this.nowMs * 1000)
    this.carry()
    this.confirm()
  }

  /** The connection that is to replace the other has ended. Returns whether the older one goes on. */
  endNewer(reason: GapReason | null = 'disconnect'): boolean {
    return this.continuity.newerEnded(this.track, reason, this.nowMs * 1000)
  }

  /** The connection that was to be replaced has ended. */
  endOlder(isLost = false): void {
    this.continuity.olderEnded(this.track, isLost, this.nowMs * 1000)
  }

  confirm(): void {
    this.continuity.confirmed(this.track, this.nowMs * 1000)
  }

  /** Lets so many seconds pass, with the look at owed snapshots that the producer takes every second. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1_000
      this.continuity.tick(this.track, this.nowMs * 1000)
    }
  }

  lose(reason: GapReason = 'disconnect'): void {
    this.track.isConnected = false
    this.gaps.open(this.track, reason, this.nowMs * 1000, {})
    this.continuity.broke(this.track)
  }

  reopen(): void {
    this.lose()
    this.open()
  }

  /** Past the time in which repetitions are looked for. */
  settleDown(): void {
    this.nowMs += 60_000
  }

  trades(...ids: readonly (number | string)[]): void {
    for (const id of ids) this.send({ id: String(id) })
  }

  /** Deltas as [first, last]. */
  deltas(...ranges: readonly (readonly [number, number])[]): void {
    for (const [first, last] of ranges) this.send({ first, last })
  }

  /** Deltas as [previous, last]. */
  links(...ranges: readonly (readonly [number, number])[]): void {
    for (const [previous, last] of ranges) this.send({ previous, last })
  }

  snapshot(last: number): void {
    this.send({ last, isSnapshot: true })
  }

  /** Each record comes in a frame and a batch of its own; its fate is returned, 'waiting' while it has none. */
  send(spec: RecordSpec): string {
    if (spec.isSameFrame !== true) {
      this.nowMs++
      this.frameSeq++
    }
    const owner = this.#owners++
    this.continuity.record(this.track, this.#encode(spec), 0, owner)
    return this.fates.get(owner) ?? 'waiting'
  }

  /** How many records met which fate; those without one are waiting. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (let owner = 0; owner < this.#owners; owner++) {
      const fate = this.fates.get(owner) ?? 'waiting'
      counts[fate] = (counts[fate] ?? 0) + 1
    }
    return counts
  }

  gapLines(): GapLine[] {
    return this.gapEvents.map(gap => ({
      id: gap.gap_id.replace(/^.*-/, ''),
      status: gap.status,
      reason: gap.reason,
      frames: [gap.last_frame_seq, gap.first_frame_seq],
      sequences: [gap.last_sequence, gap.first_sequence],
      missed: gap.missed,
      shed: gap.shed
    }))
  }

  #settle(owner: number, fate: string): void {
    assert.equal(this.fates.get(owner), undefined, 'a record meets its fate once')
    this.fates.set(owner, fate)
  }

  #encode(spec: RecordSpec): RecordBatch {
    const value = Buffer.concat([
      Buffer.from([0, 0x40, 0, 0, 1]),
      types[this.track.target.request_type].toBuffer(this.#value(spec))
    ])
    const isSnapshot = spec.isSnapshot === true
    const isBookSnapshot = isSnapshot || this.track.book === null
    const flags =
      (isSnapshot ? RecordFlag.snapshotStream : 0) |
      (isBookSnapshot ? RecordFlag.bookSnapshot : 0) |
      (spec.checksum === undefined ? 0 : RecordFlag.checksum)
    const exchangeMs = this.#exchangeMs(spec)
    const writer = this.#writer
    writer.reset()
    const exchangeMicros = exchangeMs === null ? Number.NaN : exchangeMs * 1000
    writer.record(exchangeMicros, this.nowMs * 1000, this.frameSeq, 0, 0, flags, 0, value.length)
    if (this.track.target.request_type === 'trade') writer.tradeId(...rangeOf(value, spec.id ?? ''))
    if (spec.first !== undefined) writer.sequenceFirst(...rangeOf(value, String(spec.first)))
    if (spec.last !== undefined) writer.sequenceLast(...rangeOf(value, String(spec.last)))
    if (spec.previous !== undefined) writer.sequencePrevious(...rangeOf(value, String(spec.previous)))
    if (spec.checksum !== undefined) writer.checksum(spec.checksum)
    if (spec.evidence !== undefined) writer.evidence(spec.evidence)
    writer.frame(this.nowMs * 1000, this.frameSeq, FrameOutcome.transcoded, 'none', 1, 0)
    return new RecordBatch(writer.finish(spec.connection ?? this.track.connection, this.frameSeq, value))
  }

  #exchangeMs(spec: RecordSpec): number | null {
    return spec.exchangeMs === undefined ? this.nowMs : spec.exchangeMs
  }

  #value(spec: RecordSpec): Record<string, unknown> {
    const exchangeMs = this.#exchangeMs(spec)
    const head = {
      exchange: 'binance',
      region: 'asia',
      symbol: 'BTC-USDT',
      native_symbol: 'BTCUSDT',
      exchange_ts: exchangeMs === null ? null : exchangeMs * 1000,
      received_ts: this.nowMs * 1000,
      connection_id: this.track.connectionId,
      frame_seq: this.frameSeq,
      frame_index: 0,
      stream_type: spec.isSnapshot === true ? 'SNAPSHOT' : 'REALTIME',
      extras: null
    }
    const id = spec.id ?? ''
    switch (this.track.target.request_type) {
      case 'ticker':
        return { ...head, last: id, ...nullTicker, ...nullTickerRest, ...windows }
      case 'trade':
        return { ...head, trade_id: id, price: '1', size: '2', side: 'BUY', sequence: null }
      case 'orderbook':
        return {
          ...head,
          kind: spec.isSnapshot === true || this.track.book === null ? 'SNAPSHOT' : 'DELTA',
          bids: spec.bids?.map(levelOf) ?? (spec.asks === undefined ? [{ price: id, size: '1' }] : []),
          asks: spec.asks?.map(levelOf) ?? [],
          sequence_first: spec.first === undefined ? null : String(spec.first),
          sequence_last: spec.last === undefined ? null : String(spec.last),
          sequence_previous: spec.previous === undefined ? null : String(spec.previous),
          checksum: spec.checksum ?? null
        }
    }
  }

  #read(bytes: Uint8Array, start: number, end: number): string {
    const value = types[this.track.target.request_type].fromBuffer(
      Buffer.from(bytes.subarray(start + 5, end))
    ) as {
      readonly last: string
      readonly trade_id: string
      readonly kind: string
      readonly bids: readonly { readonly price: string }[]
      readonly asks: readonly { readonly price: string }[]
      readonly sequence_first: string | null
      readonly sequence_previous: string | null
      readonly sequence_last: string | null
    }
    switch (this.track.target.request_type) {
      case 'ticker':
        return value.last
      case 'trade':
        return value.trade_id
      case 'orderbook':
        if (value.sequence_last === null) return value.bids[0]?.price ?? value.asks[0]?.price ?? ''
        return value.kind === 'SNAPSHOT'
          ? `snapshot:${value.sequence_last}`
          : `${value.sequence_first ?? value.sequence_previous}-${value.sequence_last}`
    }
  }
}

function levelOf([price, size]: readonly [string, string]): { price: string; size: string } {
  return { price, size }
}

/** Where a text stands in an encoded value: behind its length, which is below 64 in these tests. */
function rangeOf(value: Buffer, text: string): [number, number] {
  const at = value.indexOf(Buffer.concat([Buffer.from([text.length * 2]), Buffer.from(text)]))
  assert.ok(at >= 0)
  return [at + 1, at + 1 + text.length]
}
