import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type ExchangePlan } from '../../../actors/exchange/messages.ts'
import { type ExchangeName } from '../../domain/target.ts'
import { ExchangeCheck } from './exchange-check.ts'
import { type ExchangeReport, type LiveCheckReport, worstOf } from './report.ts'

/** More at once would measure this machine and not the venues. */
const exchangesAtOnce = 4
/** Progress lines of a check; a long one does not need more of them. */
const progressLines = 6
const delayResolutionMs = 10
const progressEveryMsMin = 1_000
const progressEveryMsMax = 5_000

export interface LiveCheckOptions {
  readonly exchanges: readonly ExchangeName[]
  readonly symbols: readonly string[] | null
  readonly forMs: number
  readonly isSimulated: boolean
  /** Where to dial instead of the venue; null dials the venue. */
  endpointsOf(exchange: ExchangeName): ExchangePlan['endpoints']
  readonly signal: AbortSignal
  /** Told what goes on, a line at a time. */
  progress(line: string): void
}

/** Connects to each exchange as the service does and reports what works. Never rejects because of a venue. */
export async function runLiveCheck(options: LiveCheckOptions): Promise<LiveCheckReport> {
  const { exchanges, symbols, forMs, isSimulated, signal } = options
  const version = projectVersion()
  const startedMs = Date.now()
  const delays = monitorEventLoopDelay({ resolution: delayResolutionMs })
  delays.enable()
  const running = new Set<ExchangeCheck>()
  const waiting = [...exchanges]
  const reports = new Map<ExchangeName, ExchangeReport>()
  const everyMs = Math.min(progressEveryMsMax, Math.max(progressEveryMsMin, forMs / progressLines))
  const timer = setInterval(() => {
    if (running.size > 0) options.progress(progressLine(running, Date.now() - startedMs))
  }, everyMs)
  async function work(): Promise<void> {
    for (let exchange = waiting.shift(); exchange !== undefined; exchange = waiting.shift()) {
      if (signal.aborted) return
      const check = new ExchangeCheck({
        exchange,
        endpoints: options.endpointsOf(exchange),
        symbols,
        forMs,
        signal,
        progress: text => options.progress(text)
      })
      running.add(check)
      const report = await check.run()
      running.delete(check)
      reports.set(exchange, report)
      options.progress(`${exchange}: ${report.verdict}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: exchangesAtOnce }, work))
  } finally {
    clearInterval(timer)
    delays.disable()
  }
  const found = exchanges.flatMap(exchange => reports.get(exchange) ?? [])
  return {
    live_check: 1,
    version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    date: new Date(startedMs).toISOString(),
    for_ms: forMs,
    simulated: isSimulated,
    interrupted: signal.aborted,
    held_up_ms: { p99: delayMs(delays.percentile(99)), max: delayMs(delays.max) },
    verdict: worstOf(found.map(({ verdict }) => verdict)),
    exchanges: found
  }
}

function progressLine(running: ReadonlySet<ExchangeCheck>, elapsedMs: number): string {
  const parts = [...running].map(check => {
    const { open, channels, events } = check.progress
    return `${check.exchange} ${open}/${channels} open, ${events} events`
  })
  return `${Math.round(elapsedMs / 1000)} s: ${parts.join('; ')}`
}

/** A look that is on time comes after the resolution itself. */
function delayMs(nanos: number): number {
  return Math.max(0, Math.round(nanos / 1e6) - delayResolutionMs)
}

function projectVersion(): string {
  const file = new URL('../../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
