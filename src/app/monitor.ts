import { Histogram } from '../core/histogram.ts'
import { type FrameLedger, type RecordLedger } from '../domain/ledger.ts'
import { type LatencySummary } from '../domain/summary.ts'
import { connectionStates, type SharedLedger } from '../wire/shared-ledger.ts'
import { type PlacedTarget } from './layout.ts'
import { type TargetStatus } from './service.ts'

const worstFirst = [
  'open',
  'backoff',
  'stopped',
  'idle',
  'connecting',
  'subscribing',
  'stale',
  'stopping',
  'live'
]

/** Reads the shared ledger for people and machines: sums, states, rates and latencies. */
export class Monitor {
  readonly #ledger: SharedLedger
  readonly #targets: readonly PlacedTarget[]
  readonly #hasLatency: boolean
  readonly #before = new Map<number, { atMs: number; records: number; rate: number }>()

  /** @param hasLatency false for a replay: from the receipt of a captured frame to now says nothing, and 0 is shown */
  constructor(ledger: SharedLedger, targets: readonly PlacedTarget[], hasLatency = true) {
    this.#hasLatency = hasLatency
    this.#ledger = ledger
    this.#targets = targets
  }

  frames(): FrameLedger {
    const ledgers = this.#shardAccounts(this.#targets).map(account => account.ledger())
    return sum(ledgers, {
      received: 0,
      control: 0,
      transcoded: 0,
      ignored: 0,
      dead: 0,
      shed: 0,
      in_flight: 0
    })
  }

  records(): RecordLedger {
    const ledgers = this.#targets.map(target => this.#ledger.records(target.targetIndex).ledger())
    return sum(ledgers, { made: 0, published: 0, duplicate: 0, superseded: 0, failed: 0, in_flight: 0 })
  }

  reconnects(): number {
    return this.#total('reconnects')
  }

  /** How often connections have reached a limit of their own. */
  limitHits(): {
    readonly keepAlivesWaiting: number
    readonly requestsWaiting: number
    readonly messagesWaiting: number
  } {
    return {
      keepAlivesWaiting: this.#total('keepAlivesReplaced'),
      requestsWaiting: this.#total('requestsDropped'),
      messagesWaiting: this.#total('messagesGivenUp')
    }
  }

  latency(): LatencySummary {
    const all = new Histogram()
    for (const target of this.#targets) all.add(this.#ledger.records(target.targetIndex).latency)
    return this.#latencyOf(all)
  }

  target(placed: PlacedTarget, gapsOpen: number, nowMs: number): TargetStatus {
    const account = this.#ledger.records(placed.targetIndex)
    const shards = this.#shardAccounts([placed])
    const states = shards.map(shard => connectionStates[shard.get('state')] ?? 'idle')
    const records = account.get('published')
    return {
      target: `${placed.plan.target.exchange}/${placed.plan.target.request_type}`,
      state: worstFirst.find(state => states.some(has => has === state)) ?? 'idle',
      symbols: placed.plan.symbols.length,
      connections: states.filter(state => state === 'live' || state === 'stale').length,
      records,
      records_per_s: this.#rate(placed.targetIndex, records, nowMs),
      latency_ms: this.#latencyOf(account.latency),
      gaps_open: gapsOpen,
      freshness_ms: this.#hasLatency
        ? freshness(
            shards.map(shard => shard.get('lastFrameMicros')),
            nowMs
          )
        : null
    }
  }

  #latencyOf(histogram: Histogram): LatencySummary {
    return this.#hasLatency ? latencyOf(histogram) : { p50: 0, p99: 0, p999: 0 }
  }

  /** Records a second since the reading before, at least half a second ago. */
  #rate(targetIndex: number, records: number, nowMs: number): number {
    const before = this.#before.get(targetIndex)
    if (before === undefined) {
      this.#before.set(targetIndex, { atMs: nowMs, records, rate: 0 })
      return 0
    }
    const elapsedMs = nowMs - before.atMs
    if (elapsedMs < 500) return before.rate
    const rate = Math.round(((records - before.records) * 1000) / elapsedMs)
    this.#before.set(targetIndex, { atMs: nowMs, records, rate })
    return rate
  }

  #total(field: 'reconnects' | 'keepAlivesReplaced' | 'requestsDropped' | 'messagesGivenUp'): number {
    return this.#shardAccounts(this.#targets).reduce((total, account) => total + account.get(field), 0)
  }

  #shardAccounts(targets: readonly PlacedTarget[]) {
    return targets.flatMap(target =>
      Array.from({ length: target.shards }, (_, i) => this.#ledger.frames(target.firstShard + i))
    )
  }
}

function freshness(lastFrameMicros: readonly number[], nowMs: number): number | null {
  const last = Math.max(0, ...lastFrameMicros)
  return last === 0 ? null : Math.max(0, Math.round(nowMs - last / 1000))
}

function latencyOf(histogram: Histogram): LatencySummary {
  const ms = (q: number): number => Math.round(histogram.quantile(q) / 10) / 100
  return { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999) }
}

function sum<Ledger extends FrameLedger | RecordLedger>(ledgers: readonly Ledger[], zero: Ledger): Ledger {
  const total: Record<string, number> = { ...zero }
  for (const ledger of ledgers) {
    for (const [field, value] of Object.entries(ledger)) total[field] = (total[field] ?? 0) + Number(value)
  }
  return total as unknown as Ledger
}
