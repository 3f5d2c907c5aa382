import { type Clock } from '../../src/core/clock.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeName, type RequestType, targetName } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { type SharedLedger } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { type ThreadCapture } from './capture.ts'
import { type FaultReporter } from './fault-reporter.ts'
import { Gate } from './gate.ts'
import { fetchInstruments, type InstrumentBook } from './instruments.ts'
import { type Link } from './link.ts'
import { type ListingCache } from './listing-cache.ts'
import {
  type ExchangeLimits,
  type ExchangePlan,
  type ExchangeReport,
  type ExchangeTarget
} from './messages.ts'
import { type Rest } from './rest.ts'
import { RestBudget } from './rest-budget.ts'
import { type ExchangeServices } from './services.ts'
import { Shard } from './shard.ts'
import { Snapshots } from './snapshots.ts'
import { type Dial } from './socket.ts'

const namesShown = 20

export interface ExchangeEnvironment {
  readonly pod: string
  readonly limits: ExchangeLimits
  readonly clock: Clock
  readonly random: () => number
  readonly dial: Dial
  readonly rest: Rest
  /** Listings kept on disk; null keeps none. */
  readonly listings: ListingCache | null
  readonly batcher: Batcher
  readonly faults: FaultReporter
  /** Null when nothing is captured. */
  readonly capture: ThreadCapture | null
  readonly ledger: SharedLedger
  report(report: ExchangeReport): void
  nextConnection(): number
  linkStarted(link: Link, exchange: ExchangeActor): void
  linkEnded(link: Link): void
}

/** Everything of one exchange: its listing, its budgets, its circuit breaker, its connections. */
export class ExchangeActor {
  readonly #plan: ExchangePlan
  readonly #adapter: ExchangeAdapter
  readonly #environment: ExchangeEnvironment
  readonly #gate: Gate
  readonly #budget: RestBudget
  readonly #snapshots: Snapshots | null
  readonly #services: ExchangeServices
  #shards: readonly Shard[] = []
  #starting: Promise<void> = Promise.resolve()
  #lastKey = 0
  #isStopping = false

  constructor(plan: ExchangePlan, adapter: ExchangeAdapter, environment: ExchangeEnvironment) {
    const { clock, random, rest } = environment
    this.#plan = plan
    this.#adapter = adapter
    this.#environment = environment
    this.#budget = new RestBudget(clock, adapter.limits)
    this.#gate = new Gate({
      clock,
      random,
      limits: adapter.limits,
      onCircuit: (state, openMs) => this.#circuit(state, openMs)
    })
    const { book } = adapter.continuity
    this.#snapshots =
      book.mode === 'delta' && book.snapshot.from === 'rest'
        ? new Snapshots({
            clock,
            random,
            rest,
            origin: this.#restOrigin,
            rules: book.snapshot,
            budget: this.#budget,
            onFault: (error, link) =>
              environment.faults.fault(adapter.name, error, link.plan.target, link.plan.connectionId)
          })
        : null
    this.#services = {
      pod: environment.pod,
      adapter,
      limits: environment.limits,
      clock,
      random,
      dial: environment.dial,
      batcher: environment.batcher,
      gate: this.#gate,
      faults: environment.faults,
      capture: environment.capture,
      report: report => environment.report(report),
      nextKey: () => ++this.#lastKey,
      nextConnection: () => environment.nextConnection(),
      urlOf: requestType => this.#urlOf(requestType),
      linkStarted: link => environment.linkStarted(link, this),
      linkEnded: link => {
        // Its snapshots are not wanted any more.
        this.#budget.discard()
        environment.linkEnded(link)
      }
    }
  }

  get name(): ExchangeName {
    return this.#plan.exchange
  }

  /** Looks up the symbols, then dials; what the exchange does not list is reported and stops nothing else. */
  async start(): Promise<void> {
    this.#starting = this.#start()
    await this.#starting
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#budget.stop()
    await Promise.all([this.#starting.catch(() => undefined), ...this.#shards.map(shard => shard.stop())])
    this.#gate.stop()
  }

  async #start(): Promise<void> {
    const { clock, random, rest, faults, listings } = this.#environment
    const book = await fetchInstruments({
      adapter: this.#adapter,
      origin: this.#restOrigin,
      rest,
      budget: this.#budget,
      clock,
      random,
      // What a simulator lists is never kept, and what the venue lists says nothing about a simulator.
      cache: this.#plan.endpoints === null ? listings : null,
      wanted: this.#plan.targets.flatMap(({ plan }) => plan.symbols),
      onFault: error => {
        if (!this.#isStopping) faults.fault(this.#adapter.name, error)
      }
    })
    if (this.#isStopping) return
    this.#shards = this.#plan.targets.flatMap(target => this.#shardsOf(target, book))
    const connections = this.#shards.length
    this.#environment.report({ type: 'lookedUp', exchange: this.#adapter.name, connections })
    for (const shard of this.#shards) shard.start()
  }

  tick(nowMicros: number): void {
    for (const shard of this.#shards) shard.tick(nowMicros)
  }

  /** The producer wants the book of a subscription fetched anew; `requests` counts those for one snapshot. */
  resnapshot(link: Link, subscription: number, requests: number): void {
    if (this.#snapshots !== null) this.#snapshots.want(link, subscription)
    else link.wantSnapshot(subscription, requests)
  }

  get #restOrigin(): string {
    return this.#plan.endpoints?.rest.replace(/\/+$/, '') ?? this.#adapter.endpoints.rest
  }

  #urlOf(requestType: RequestType): string {
    const venue = this.#adapter.endpoints.websocket[requestType]
    if (this.#plan.endpoints === null) return venue
    const url = new URL(this.#plan.endpoints.websocket)
    if (url.pathname === '/') url.pathname = new URL(venue).pathname
    return url.href
  }

  /** A symbol's shard follows from its place in the plan alone, so that it stays where it is. */
  #shardsOf(placed: ExchangeTarget, book: InstrumentBook): Shard[] {
    const { plan, targetIndex, firstShard, shards } = placed
    const perConnection = this.#adapter.limits.symbolsPerConnection
    const found: Shard[] = []
    const unknown: string[] = []
    for (let ordinal = 0; ordinal < shards; ordinal++) {
      const symbols = plan.symbols.slice(ordinal * perConnection, (ordinal + 1) * perConnection)
      const instruments: Instrument[] = []
      for (const symbol of symbols) {
        const instrument = book.find(symbol)
        if (instrument === null) unknown.push(symbol)
        else instruments.push(instrument)
      }
      if (instruments.length === 0) continue
      const account = this.#environment.ledger.frames(firstShard + ordinal)
      found.push(
        new Shard(
          this.#services,
          {
            target: plan.target,
            targetIndex,
            shard: firstShard + ordinal,
            ordinal,
            projection: plan.projection,
            account,
            lastLanes: [],
            producerEpoch: this.#environment.batcher.epoch
          },
          instruments
        )
      )
    }
    this.#reportUnknown(placed, unknown, book)
    return found
  }

  #reportUnknown({ plan, shards }: ExchangeTarget, unknown: readonly string[], book: InstrumentBook): void {
    const { faults } = this.#environment
    const name = targetName(plan.target)
    if (unknown.length > 0) {
      // One report for all: faults of one code are rate limited, and each name matters to whoever wrote it.
      const named = unknown.slice(0, namesShown).map(symbol => symbol + book.hint(symbol))
      const rest = unknown.length > namesShown ? ` and ${unknown.length - namesShown} more` : ''
      const message = `${this.#adapter.name} does not list ${named.join(', ')}${rest}; ${name} goes on without`
      faults.fault(this.#adapter.name, new IngestError('SYMBOL_UNKNOWN', message), plan.target)
    }
    const room = shards * this.#adapter.limits.symbolsPerConnection
    if (plan.symbols.length > room) {
      const message = `${name} has ${plan.symbols.length} symbols but connections for ${room}; the rest is left out`
      faults.fault(this.#adapter.name, new IngestError('LIMIT_HIT', message), plan.target)
    }
  }

  #circuit(state: 'closed' | 'open' | 'halfOpen', openMs: number): void {
    const { faults } = this.#environment
    this.#environment.report({ type: 'circuit', exchange: this.#adapter.name, state })
    if (state !== 'open') return
    const message = `connecting to ${this.#adapter.name} keeps failing; no dial for ${Math.ceil(openMs / 1000)} s`
    faults.fault(this.#adapter.name, new IngestError('BREAKER_OPEN', message))
  }
}
