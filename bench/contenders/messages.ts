/** What a contender is told, as JSON in its first argument. */
export interface ContenderPlan {
  /** Origin of the flood server, `http://127.0.0.1:port`. */
  readonly origin: string
  readonly sink: { readonly kind: 'embedded' } | { readonly kind: 'kafka'; readonly brokers: readonly string[] }
  readonly lingerMs: number
  readonly batchBytes: number
  readonly symbols: { readonly binance: readonly string[]; readonly upbit: readonly string[] }
}

/** Parent → contender: when to read the counters. */
export type ContenderOrder = { readonly type: 'read' } | { readonly type: 'stop' }

/** Contender → parent. `records` are those acknowledged by the sink since the start. */
export type ContenderReport =
  | { readonly type: 'ready' }
  | { readonly type: 'reading'; readonly records: number; readonly cpuMicros: number; readonly atMs: number }

/** Answers the parent's readings until it says stop. */
export function serveReadings(records: () => number, stop: () => Promise<void>): void {
  process.on('message', (order: ContenderOrder) => {
    switch (order.type) {
      case 'read': {
        const { user, system } = process.cpuUsage()
        const reading = { records: records(), cpuMicros: user + system, atMs: performance.now() }
        process.send?.({ type: 'reading', ...reading } satisfies ContenderReport)
        break
      }
      case 'stop':
        void stop().finally(() => process.exit(0))
        break
    }
  })
  process.on('disconnect', () => process.exit(1))
  process.send?.({ type: 'ready' } satisfies ContenderReport)
}

export function contenderPlan(): ContenderPlan {
  return JSON.parse(process.argv[2] ?? '{}') as ContenderPlan
}
