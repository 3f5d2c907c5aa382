import { type Summary } from '../domain/summary.ts'
import { type Layout } from './layout.ts'
import { producerSummary } from './producer-status.ts'
import { type StatusSnapshot } from './service.ts'

/** What a summary says beyond the last status. */
export interface RunFacts extends Pick<Summary, 'undelivered' | 'truth' | 'capture' | 'replay' | 'digests'> {
  readonly durationMs: number
  /** CPU time of the process, all its threads. */
  readonly cpuMicros: number
  /** Events of the simulation, null without one. */
  readonly rate: { readonly asked: number | 'max'; readonly reached: number } | null
  /** States of the targets before the stop: what they were, not that they are stopped. */
  readonly states: ReadonlyMap<string, string>
  readonly layout: Layout
  readonly latency: Summary['latency_ms']
}

/** What a run comes to, from its last status. */
export function summaryOf(status: StatusSnapshot, facts: RunFacts): Summary {
  const { durationMs, cpuMicros, rate, states, layout, latency, ...rest } = facts
  const { published } = status.records
  return {
    duration_ms: durationMs,
    exchanges: layout.exchanges.length,
    targets: layout.targets.length,
    symbols: layout.targets.reduce((total, { plan }) => total + plan.symbols.length, 0),
    frames: status.frames,
    records: status.records,
    gaps: status.gaps,
    events_per_s: {
      asked: rate?.asked ?? null,
      reached: Math.round(rate?.reached ?? (published * 1000) / durationMs)
    },
    reconnects: status.reconnects,
    latency_ms: latency,
    cpu_us_per_record: published === 0 ? 0 : Math.round((cpuMicros * 100) / published) / 100,
    rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    per_target: status.targets.map(({ target, state, symbols, records, latency_ms }) => ({
      target,
      state: states.get(target) ?? state,
      symbols,
      records,
      latency_ms
    })),
    producer: status.producer === null ? null : producerSummary(status.producer),
    ...rest
  }
}
