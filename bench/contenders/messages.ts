import { type CompressionName } from '../../src/domain/producer-tuning.ts'
import { type RequestType } from '../../src/domain/target.ts'

/** What a contender is told, as JSON in its first argument. */
export interface ContenderPlan {
  /** Origin of the flood server, `http://127.0.0.1:port`. */
  readonly origin: string
  readonly sink:
    | { readonly kind: 'embedded' }
    /** The service with its own producer, or with kafkajs `send()` at its end; the baselines know only the latter. */
    | { readonly kind: 'kafka' | 'kafkajs-send'; readonly brokers: readonly string[] }
  readonly lingerMs: number
  readonly batchBytes: number
  readonly compression: CompressionName
  readonly requestTypes: readonly RequestType[]
  readonly symbols: { readonly binance: readonly string[]; readonly upbit: readonly string[] }
}

/** Parent → contender: when to read the counters. The end of the channel is the order to stop. */
export interface ContenderOrder {
  readonly type: 'read'
}

/** Contender → parent: what happened since its start. */
export type ContenderReport = { readonly type: 'ready' } | ({ readonly type: 'reading' } & ContenderReading)

export interface ContenderReading extends ContenderCounts {
  readonly cpuMicros: number
  readonly atMs: number
  readonly rssBytes: number
}

export interface ContenderCounts {
  /** Acknowledged by the sink. */
  readonly records: number
  /** Events that came and did not become an acknowledged record: a measurement with many of them is worth nothing. */
  readonly dropped: number
}

/** Answers the parent's readings until it hangs up. */
export function serveReadings(counts: () => ContenderCounts, stop: () => Promise<void>): void {
  process.on('message', (_order: ContenderOrder) => {
    const { user, system } = process.cpuUsage()
    const rssBytes = process.memoryUsage.rss()
    const reading = { ...counts(), cpuMicros: user + system, atMs: performance.now(), rssBytes }
    process.send?.({ type: 'reading', ...reading } satisfies ContenderReport)
  })
  process.on('disconnect', () => void stop().finally(() => process.exit(0)))
  process.send?.({ type: 'ready' } satisfies ContenderReport)
}

export function contenderPlan(): ContenderPlan {
  return JSON.parse(process.argv[2] ?? '{}') as ContenderPlan
}
