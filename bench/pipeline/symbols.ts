import { type Finding, finding, median } from '../figure.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { doubtsOf, runPhases } from './rounds.ts'
import { type RunnerOptions } from './runner.ts'

const rate = 20_000
const mib = 1024 * 1024
const fullCounts = [1, 10, 100, 500, 1_000, 2_000]
const quickCounts = [1, 2_000]

export const symbolsSuite: Suite = {
  name: 'symbols',
  figures: ['pipeline.symbols_2000_over_1', 'pipeline.symbols'],
  needsKafka: true,
  run: measureSymbols
}

/** The same rate spread over more and more symbols: ticker and trade of one exchange. */
async function measureSymbols(context: BenchContext): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  const { kafka, pace, ambient } = context
  await kafka.deleteDataTopics()
  const counts = pace.isQuick ? quickCounts : fullCounts
  const lineup = Object.fromEntries(counts.map(count => [String(count), optionsFor(count, context)]))
  const names = Object.keys(lineup)
  const [readings] = await runPhases(lineup, [{ names, eventsPerS: rate }], pace)
  const of = (count: number) => readings!.get(String(count))!
  const doubts = doubtsOf([...readings!.values()].flat(), ambient, rate)
  const costs = counts.map(count => of(count).map(each => each.cpuMicrosPerRecord))
  const memories = counts.map(count => of(count).map(each => each.rssBytes / mib))
  const [one, all] = [costs[0]!, costs.at(-1)!]
  const findings = [
    finding(
      'pipeline.symbols_2000_over_1',
      'times the CPU per event',
      all.map((cost, i) => cost / one[i]!),
      doubts
    ),
    ...counts.flatMap((count, i) => [
      finding(`pipeline.symbols_cpu_us_per_record.${count}`, 'us', costs[i]!, doubts),
      finding(`pipeline.symbols_rss_mb.${count}`, 'MB', memories[i]!, doubts)
    ])
  ]
  const line = (label: string, values: readonly (readonly number[])[]) => ({
    label,
    points: counts.map((count, i) => [count, median(values[i]!)] as const)
  })
  const axes = { kind: 'lines' as const, xLabel: 'symbols', isLogX: true }
  return {
    findings,
    drawings: [
      {
        ...axes,
        title: `CPU per event at ${rate} events/s`,
        yLabel: 'µs',
        lines: [line('coin-stream', costs)]
      },
      {
        ...axes,
        title: `Memory at ${rate} events/s`,
        yLabel: 'MB',
        lines: [line('coin-stream', memories)]
      }
    ]
  }
}

function optionsFor(count: number, { kafka }: BenchContext): RunnerOptions {
  const binance = Array.from({ length: count }, (_, i) => `C${String(i).padStart(4, '0')}USDT`)
  return {
    program: 'coin-stream',
    kafka,
    // Flat out would show in the memory.
    warmUpEventsPerS: rate,
    plan: {
      sink: { kind: 'kafka', brokers: kafka.brokers },
      lingerMs: 50,
      batchBytes: 128 * 1024,
      compression: 'none',
      symbols: { binance, upbit: [] },
      requestTypes: ['ticker', 'trade']
    }
  }
}
