import { type ErrorCode } from '../../core/errors.ts'
import { type Gap } from '../../domain/gap.ts'
import { type Instrument } from '../../domain/instrument.ts'
import { type Target } from '../../domain/target.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { type FrameBatch, FrameKind } from '../../wire/frame-batch.ts'
import { FrameOutcome, type RecordBatch, RecordFlag } from '../../wire/record-batch.ts'
import { type ConnectionContext, type ToProducer } from '../../wire/session-messages.ts'
import { FieldWatch } from './field-watch.ts'
import { Offsets } from './offsets.ts'
import { sampleOf } from './sample.ts'

/** What is known of one symbol of a channel. */
export interface SymbolEvidence {
  readonly instrument: Instrument
  confirmedMs: number | null
  isConfirmed: boolean
  rejection: string | null
  events: number
}

export interface UndecodableEvidence {
  count: number
  readonly sample: string
}

export interface FaultEvidence {
  count: number
  /** Of the first one. */
  readonly message: string
}

interface OpenConnection {
  readonly context: ConnectionContext
  openedMicros: number
}

/** Gaps kept with their facts; their number goes on. */
const gapsMax = 10_000

/** Everything that one channel showed during a check, gathered where the service itself passes it on. */
export class ChannelEvidence {
  readonly target: Target
  readonly symbols: ReadonlyMap<string, SymbolEvidence>
  readonly fields: FieldWatch
  readonly offsets = new Offsets()
  readonly ignored = new Map<string, number>()
  readonly undecodable = new Map<string, UndecodableEvidence>()
  readonly faults = new Map<ErrorCode, FaultEvidence>()
  readonly gaps = new Map<string, Gap>()
  snapshots = 0
  crossed = 0
  crossedExample = ''
  /** From the first open socket until nothing was wanted any more. */
  subscribedMs: number | null = null
  readonly #connections = new Map<number, OpenConnection>()

  constructor(adapter: ExchangeAdapter, target: Target, instruments: readonly Instrument[]) {
    this.target = target
    this.fields = new FieldWatch(adapter, target.request_type)
    this.symbols = new Map(
      instruments.map(instrument => [
        instrument.symbol,
        { instrument, confirmedMs: null, isConfirmed: false, rejection: null, events: 0 }
      ])
    )
  }

  get settledSymbols(): number {
    return [...this.symbols.values()].filter(each => each.isConfirmed || each.rejection !== null).length
  }

  context(context: ConnectionContext): void {
    const known = this.#connections.get(context.connection)
    this.#connections.set(context.connection, { context, openedMicros: known?.openedMicros ?? 0 })
  }

  /** A fact of the life of one of its connections. */
  notice({ connection, notice }: ToProducer & { readonly type: 'notice' }): void {
    const open = this.#connections.get(connection)
    if (open === undefined) return
    if (notice.type === 'opened') open.openedMicros = notice.atMicros
    else if (notice.type === 'confirmed') {
      const ms = (notice.atMicros - open.openedMicros) / 1000
      for (const subscription of notice.subscriptions) this.#confirmed(open, subscription, ms)
    } else if (notice.type === 'rejected') {
      for (const subscription of notice.subscriptions) {
        const symbol = this.#symbolOf(open.context, subscription)
        if (symbol !== undefined) symbol.rejection = notice.reason
      }
    }
  }

  /** A batch of frames and what the codec made of it. */
  batch(frames: FrameBatch, records: RecordBatch, context: ConnectionContext): void {
    for (let row = 0; row < records.frames; row++) this.#frame(frames, records, row)
    for (let row = 0; row < records.records; row++) this.#record(records, row, context)
  }

  gap(gap: Gap): void {
    if (this.gaps.size < gapsMax || this.gaps.has(gap.gap_id)) this.gaps.set(gap.gap_id, gap)
  }

  crossedBook(symbol: string, bid: string, ask: string): void {
    this.crossed++
    if (this.crossed === 1) this.crossedExample = `${symbol}: bid ${bid}, ask ${ask}`
  }

  fault(code: ErrorCode, message: string, suppressed: number): void {
    const known = this.faults.get(code)
    if (known === undefined) this.faults.set(code, { count: 1 + suppressed, message })
    else known.count += 1 + suppressed
  }

  #confirmed(open: OpenConnection, subscription: number, ms: number): void {
    const symbol = this.#symbolOf(open.context, subscription)
    if (symbol === undefined || symbol.isConfirmed) return
    symbol.isConfirmed = true
    symbol.confirmedMs = ms
    const isComplete = open.context.instruments.every(instrument => {
      const each = this.symbols.get(instrument.symbol)
      return each === undefined || each.isConfirmed || each.rejection !== null
    })
    if (isComplete) this.subscribedMs ??= ms
  }

  #frame(frames: FrameBatch, records: RecordBatch, row: number): void {
    const reason = records.reason(row)
    switch (records.outcome(row)) {
      case FrameOutcome.transcoded:
        this.fields.look(
          frames.bytes.subarray(frames.start(row), frames.end(row)),
          frames.kind(row) === FrameKind.snapshot,
          frames.receivedMicros(row)
        )
        break
      case FrameOutcome.ignored:
        this.ignored.set(reason, (this.ignored.get(reason) ?? 0) + 1)
        break
      case FrameOutcome.dead: {
        const known = this.undecodable.get(reason)
        if (known !== undefined) known.count++
        else {
          const sample = sampleOf(frames.bytes.subarray(frames.start(row), frames.end(row)))
          this.undecodable.set(reason, { count: 1, sample })
        }
        break
      }
      case FrameOutcome.control:
        break
    }
  }

  #record(records: RecordBatch, row: number, context: ConnectionContext): void {
    const symbol = this.#symbolOf(context, records.subscription(row))
    if (symbol !== undefined) symbol.events++
    const flags = records.flags(row)
    if ((flags & RecordFlag.bookSnapshot) !== 0) this.snapshots++
    // What a subscription brings first happened some time ago.
    if ((flags & RecordFlag.snapshotStream) === 0) {
      this.offsets.add(records.receivedMicros(row) - records.exchangeMicros(row))
    }
  }

  #symbolOf(context: ConnectionContext, subscription: number): SymbolEvidence | undefined {
    const symbol = context.instruments[subscription]?.symbol
    return symbol === undefined ? undefined : this.symbols.get(symbol)
  }
}
