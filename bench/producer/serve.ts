import { quantile } from '../figure.ts'
import { type BenchRecords, readRecords } from './records.ts'
import { type ProducerReading, type ProducerReport, type ProducerRun } from './run.ts'

/** A producer while it runs: it sends by itself until it is stopped. */
export interface Flow {
  acknowledged(): number
  failed(): number
  fault(): string | null
  /** Milliseconds from append to acknowledgement of the records since the last call. */
  takeAckMs(): readonly number[] | Float64Array
  stop(): Promise<void>
}

export type StartFlow = (run: ProducerRun, records: BenchRecords) => Promise<Flow>

/** Serves the bench's runs, one after the other, in a process of its own: warm-up, window, reading. */
export function serveRuns(start: StartFlow): void {
  const tell = (report: ProducerReport): void => void process.send?.(report)
  process.on('message', (run: ProducerRun) => {
    perform(start, run, tell).then(
      reading => tell({ type: 'reading', reading }),
      (error: unknown) =>
        tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) })
    )
  })
  process.on('disconnect', () => process.exit(0))
  tell({ type: 'ready' })
}

async function perform(
  start: StartFlow,
  run: ProducerRun,
  tell: (report: ProducerReport) => void
): Promise<ProducerReading> {
  const flow = await start(run, readRecords(run.recordsFile))
  await pause(run.warmUpMs)
  tell({ type: 'window' })
  flow.takeAckMs()
  const records = flow.acknowledged()
  const atMs = performance.now()
  const cpu = process.cpuUsage()
  await pause(run.measureMs)
  const { user, system } = process.cpuUsage(cpu)
  const reading = {
    records: flow.acknowledged() - records,
    cpuMicros: user + system,
    elapsedMs: performance.now() - atMs
  }
  const ackMs = flow.takeAckMs()
  await flow.stop()
  return {
    ...reading,
    acknowledged: flow.acknowledged(),
    failed: flow.failed(),
    fault: flow.fault(),
    ackMs: run.timesRecords
      ? { p50: quantile(ackMs, 0.5), p99: quantile(ackMs, 0.99), p999: quantile(ackMs, 0.999) }
      : null
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
