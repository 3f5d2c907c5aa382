import { type MessagePort } from 'node:worker_threads'
import { type ExchangePlan } from '../../../actors/exchange/messages.ts'
import { fetchRest } from '../../../actors/exchange/rest.ts'
import { dialWebSocket, type SocketEnd } from '../../../actors/exchange/socket.ts'
import { type ExchangeName, type RequestType, requestTypes, type TargetPlan } from '../../domain/target.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { adapterOf } from '../../exchanges/registry.ts'
import { type ToProducer } from '../../wire/session-messages.ts'
import { SharedLedger } from '../../wire/shared-ledger.ts'
import { layOut, type PlacedTarget } from '../layout.ts'
import { ChannelEvidence } from './channel-evidence.ts'
import { channelReport, verdictOf } from './channel-report.ts'
import { SocketWatch } from './channel-sockets.ts'
import { checkConfig } from './check-config.ts'
import { chooseSymbols, namedSymbols } from './choose-symbols.ts'
import { toldElsewhere } from './findings.ts'
import { checkListing, type ListingCheck } from './listing-check.ts'
import { CheckedPipeline } from './pipeline.ts'
import { type ExchangeReport, type Finding, worstOf } from './report.ts'
import { StoppableClock } from './stoppable-clock.ts'

const lookEveryMs = 100
/** Channels whose dials fail are given up after this, however long the others go on. */
const failingMs = 10_000
/** A channel that has neither failed nor opened may still be in its first handshake, or wait for its turn to dial. */
const firstDialMs = 20_000
/** `Date` headers have whole seconds, and an answer takes its time. */
const dateOffsetWarningMs = 10_000

export interface ExchangeCheckOptions {
  readonly exchange: ExchangeName
  /** Where to dial instead of the venue; null dials the venue. */
  readonly endpoints: ExchangePlan['endpoints']
  /** Canonical symbols; null chooses a few liquid ones. */
  readonly symbols: readonly string[] | null
  /** How long each channel is watched from its first open socket. */
  readonly forMs: number
  /** Ends the check early; what was seen until then is reported. */
  readonly signal: AbortSignal
  readonly progress: (text: string) => void
}

export interface ExchangeProgress {
  readonly open: number
  readonly channels: number
  readonly events: number
}

/**
 * The check of one exchange: the service's own connections, codec and continuity run in this thread on the venue's three
 * channels, with somebody looking on at every seam between them.
 */
export class ExchangeCheck {
  readonly exchange: ExchangeName
  readonly #options: ExchangeCheckOptions
  readonly #adapter: ExchangeAdapter
  readonly #clock = new StoppableClock()
  readonly #watch: SocketWatch
  readonly #evidence = new Map<RequestType, ChannelEvidence>()
  /** Faults of no channel in particular. */
  readonly #faults: Finding[] = []
  #startedMicros = 0
  #ledger = new SharedLedger(0, 0)
  #placed: readonly PlacedTarget[] = []
  #unlisted: ReadonlySet<string> = new Set()

  constructor(options: ExchangeCheckOptions) {
    this.exchange = options.exchange
    this.#options = options
    this.#adapter = adapterOf(options.exchange)
    this.#watch = new SocketWatch(this.#adapter, this.#clock, checkConfig.limits.inflatedBytesMax)
  }

  get progress(): ExchangeProgress {
    const sockets = [...this.#watch.channels.values()].flatMap(({ opened }) => opened)
    return {
      open: sockets.filter(({ endedMicros }) => endedMicros === null).length,
      channels: requestTypes.length,
      events: this.#placed.reduce((sum, { targetIndex }) => sum + this.#madeOf(targetIndex), 0)
    }
  }

  async run(): Promise<ExchangeReport> {
    const { endpoints, symbols, progress } = this.#options
    const origin = endpoints?.rest.replace(/\/+$/, '') ?? this.#adapter.endpoints.rest
    if (this.#adapter.instruments.listing !== null) progress(`${this.exchange}: fetching the listing`)
    const listing = await checkListing(this.#adapter, origin, fetchRest, this.#clock)
    const instruments =
      symbols === null
        ? chooseSymbols(this.#adapter, listing.instruments)
        : namedSymbols(this.#adapter, listing.instruments, symbols)
    const known = new Set(listing.instruments?.map(({ symbol }) => symbol))
    const names = instruments.map(({ symbol }) => symbol)
    this.#unlisted = new Set(listing.instruments === null ? [] : names.filter(name => !known.has(name)))
    progress(`${this.exchange}: dialling for ${names.join(', ')}`)
    const plans = requestTypes.map((request_type): TargetPlan => {
      const target = { region: this.#adapter.region, exchange: this.exchange, request_type }
      this.#evidence.set(request_type, new ChannelEvidence(this.#adapter, target, instruments))
      return { target, symbols: names, projection: [] }
    })
    const layout = layOut(plans, checkConfig)
    this.#ledger = new SharedLedger(layout.shards, layout.targets.length)
    this.#placed = layout.targets
    const pipeline = new CheckedPipeline({
      plan: { exchange: this.exchange, endpoints, targets: layout.targets },
      adapter: listing.adapter,
      layout,
      ledger: this.#ledger,
      clock: this.#clock,
      dial: this.#watch.wrap(dialWebSocket),
      rest: listing.rest,
      observer: {
        port: port => this.#observePort(port),
        batch: (frames, records, { connection }) =>
          this.#evidence.get(connection.target.request_type)?.batch(frames, records, connection),
        gap: gap => {
          if (!this.#watch.isClosing) this.#evidence.get(gap.target.request_type)?.gap(gap)
        },
        crossedBook: (key, bid, ask) =>
          this.#evidence.get('orderbook')?.crossedBook(key.split('|').at(-1)!, bid, ask),
        fault: (error, target, suppressed) => {
          if (this.#watch.isClosing) return
          const evidence = target === null ? undefined : this.#evidence.get(target.request_type)
          if (evidence !== undefined) evidence.fault(error.code, error.message, suppressed)
          else if (!toldElsewhere.has(error.code)) {
            this.#faults.push({ severity: 'warning', text: `${error.code}: ${error.message}` })
          }
        }
      }
    })
    this.#startedMicros = this.#clock.nowMicros()
    pipeline.start()
    await this.#untilDone()
    const endMicros = this.#clock.nowMicros()
    this.#watch.isClosing = true
    await pipeline.stop()
    this.#clock.stop()
    return this.#report(listing, endMicros)
  }

  #report({ report: listing }: ListingCheck, endMicros: number): ExchangeReport {
    const channels = this.#placed.map(({ plan: { target }, targetIndex, firstShard, shards }) =>
      channelReport({
        adapter: this.#adapter,
        evidence: this.#evidence.get(target.request_type)!,
        sockets: this.#watch.of(target.request_type),
        frames: Array.from({ length: shards }, (_, shard) => this.#ledger.frames(firstShard + shard)),
        records: this.#ledger.records(targetIndex),
        endpoint: this.#endpointOf(target.request_type),
        unlisted: this.#unlisted,
        exchangeFailure: this.#failure,
        endMicros,
        wasInterrupted: this.#options.signal.aborted
      })
    )
    const findings = [...listingFindings(listing), ...this.#faults]
    return {
      exchange: this.exchange,
      region: this.#adapter.region,
      verdict: worstOf([verdictOf(findings), ...channels.map(({ verdict }) => verdict)]),
      findings,
      listing,
      channels
    }
  }

  #endpointOf(requestType: RequestType): string {
    return this.#options.endpoints?.websocket ?? this.#adapter.endpoints.websocket[requestType]
  }

  #madeOf(targetIndex: number): number {
    return this.#ledger.records(targetIndex).get('made')
  }

  /** Contexts and notices on their way to the producer; both listeners of the port get every message. */
  #observePort(port: MessagePort): void {
    const channelOf = new Map<number, ChannelEvidence>()
    port.on('message', (message: ToProducer) => {
      if (message.type === 'context') {
        const { context } = message
        const evidence = this.#evidence.get(context.target.request_type)
        if (evidence === undefined) return
        channelOf.set(context.connection, evidence)
        evidence.context(context)
      } else if (message.type === 'notice' && !this.#watch.isClosing) {
        channelOf.get(message.connection)?.notice(message)
      }
    })
  }

  #untilDone(): Promise<void> {
    const { signal } = this.#options
    return new Promise(resolve => {
      const timer = setInterval(() => {
        if (!signal.aborted && !requestTypes.every(type => this.#isDone(type))) return
        clearInterval(timer)
        resolve()
      }, lookEveryMs)
    })
  }

  #isDone(requestType: RequestType): boolean {
    const { forMs } = this.#options
    const now = this.#clock.nowMicros()
    if (this.#unlisted.size === this.#evidence.get(requestType)?.symbols.size) return true
    const sockets = this.#watch.of(requestType)
    const first = sockets.opened[0]
    if (first !== undefined) return now - first.openedMicros! >= forMs * 1000
    const triedMs = (now - this.#startedMicros) / 1000
    // One that is not dialled after failures of others waits for the exchange's circuit to close.
    const hasFailed = this.#failure !== null && !sockets.isDialling
    return triedMs >= (hasFailed ? Math.min(forMs, failingMs) : forMs + firstDialMs)
  }

  /** How a dial of any channel failed, when none has opened; null otherwise. */
  get #failure(): SocketEnd | null {
    const channels = [...this.#watch.channels.values()]
    if (channels.some(({ opened }) => opened.length > 0)) return null
    return channels.map(({ failure }) => failure).find(failure => failure !== null) ?? null
  }
}

function listingFindings(listing: ListingCheck['report']): Finding[] {
  if (listing === null) return []
  if (listing.state === 'failed') {
    const text = `the listing ${listing.url} could not be fetched: ${listing.reason}; symbols went by the naming rule, unchecked`
    return [{ severity: 'warning', text }]
  }
  const { date_offset_ms: offset } = listing
  if (offset === null || Math.abs(offset) < dateOffsetWarningMs) return []
  const text = `this clock is ${Math.abs(offset)} ms ${offset > 0 ? 'ahead of' : 'behind'} the venue's; check that this machine keeps the time`
  return [{ severity: 'warning', text }]
}
