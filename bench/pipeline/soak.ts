import { type Finding, finding, quantile } from '../figure.ts'
import { floodSymbols } from '../flood/frames.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { Runner } from './runner.ts'

const rate = 20_000
const soakMs = 300_000
/** Heaps grow to their working size first. */
const settleMs = 60_000
const everyMs = 5_000
const mib = 1024 * 1024

export const soakSuite: Suite = {
  name: 'soak',
  figures: ['pipeline.soak_rss_mb_per_min', 'pipeline.soak_rss_mb'],
  needsKafka: true,
  run: soak
}

/** Five minutes at a steady rate: does memory grow? A busy machine does not change the answer. */
async function soak({ kafka }: BenchContext): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  await kafka.deleteDataTopics()
  const runner = await Runner.start({
    program: 'coin-stream',
    kafka,
    warmUpEventsPerS: rate,
    plan: {
      sink: { kind: 'kafka', brokers: kafka.brokers },
      lingerMs: 50,
      batchBytes: 128 * 1024,
      compression: 'lz4',
      symbols: floodSymbols,
      requestTypes: ['ticker', 'trade', 'orderbook']
    }
  })
  const points: [minutes: number, mb: number][] = []
  let last = { records: 0, dropped: 0 }
  try {
    await runner.watch(rate, soakMs, everyMs, (atMs, reading) => {
      points.push([atMs / 60_000, reading.rssBytes / mib])
      last = reading
    })
  } finally {
    await runner.stop()
  }
  const reached = (last.records * 1000) / soakMs
  const doubts = reached < rate * 0.95 ? [`it reached only ${Math.round(reached)} of ${rate} events/s`] : []
  const steady = points.filter(([minutes]) => minutes * 60_000 > settleMs)
  const memories = points.map(([, mb]) => mb)
  return {
    findings: [
      finding('pipeline.soak_rss_mb_per_min', 'MB/min', [slopeOf(steady)], doubts),
      finding('pipeline.soak_rss_mb', 'MB', [quantile(memories, 1)], doubts)
    ],
    drawings: [
      {
        kind: 'lines',
        title: `Memory over five minutes at ${rate} events/s`,
        xLabel: 'minutes',
        yLabel: 'MB',
        isLogX: false,
        lines: [{ label: 'resident', points }]
      }
    ]
  }
}

/** Least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
