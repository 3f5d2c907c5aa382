import { busyShare, cores, markCpu } from './ambient.ts'
import { BenchChild } from './child.ts'
import { type ContenderPlan, type ContenderReport } from './contenders/messages.ts'

export type Contender = 'coin-stream' | 'naive' | 'per-message'

/** One measurement of one contender. */
export interface Reading {
  readonly recordsPerS: number
  readonly cpuMicrosPerRecord: number
  /** Part of the machine's CPU time that the flood server took. */
  readonly floodShare: number
  /** Part that neither the flood nor the contender took. */
  readonly ambientShare: number
  /** Part of the events that did not become records. */
  readonly droppedShare: number
}

export interface Measurement {
  readonly contender: Contender
  readonly plan: Omit<ContenderPlan, 'origin'>
  /** Over all connections; null is as fast as the contender reads. */
  readonly eventsPerS: number | null
  readonly warmUpMs: number
  readonly measureMs: number
}

/** Runs a contender against a fresh flood, and reads what it cost once it is warm. */
export async function measure(measurement: Measurement): Promise<Reading> {
  const { contender, plan, eventsPerS, warmUpMs, measureMs } = measurement
  const [flood, listening] = await BenchChild.start('./flood/server.js', [], 'listening')
  try {
    flood.tell({ type: 'rate', eventsPerS })
    const origin = `http://127.0.0.1:${listening.port}`
    const [runner] = await BenchChild.start(
      `./contenders/${contender}.js`,
      [JSON.stringify({ ...plan, origin } satisfies ContenderPlan)],
      'ready'
    )
    try {
      await pause(warmUpMs)
      const before = await readBoth(runner, flood)
      await pause(measureMs)
      return difference(before, await readBoth(runner, flood))
    } finally {
      flood.tell({ type: 'rate', eventsPerS: 0 })
      await runner.stop()
    }
  } finally {
    await flood.stop()
  }
}

type Marks = Awaited<ReturnType<typeof readBoth>>

async function readBoth(runner: BenchChild, flood: BenchChild) {
  const reading: Extract<ContenderReport, { type: 'reading' }> = await runner.ask({ type: 'read' }, 'reading')
  const { cpuMicros } = await flood.ask({ type: 'usage' }, 'usage')
  return { reading, floodMicros: cpuMicros, cpu: markCpu() }
}

function difference(from: Marks, to: Marks): Reading {
  const records = to.reading.records - from.reading.records
  const dropped = to.reading.dropped - from.reading.dropped
  const cpuMicros = to.reading.cpuMicros - from.reading.cpuMicros
  const elapsedMs = to.reading.atMs - from.reading.atMs
  const floodMicros = to.floodMicros - from.floodMicros
  const machineMicros = (to.cpu.atMs - from.cpu.atMs) * 1000 * cores
  return {
    recordsPerS: (records * 1000) / elapsedMs,
    cpuMicrosPerRecord: cpuMicros / Math.max(1, records),
    floodShare: floodMicros / machineMicros,
    ambientShare: Math.max(0, busyShare(from.cpu, to.cpu) - (cpuMicros + floodMicros) / machineMicros),
    droppedShare: dropped / Math.max(1, records + dropped)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
