import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Processors of the machine, as the shares below count them. */
export const cores = cpus().length

/** The machine's CPU time up to a moment, for the share that was busy between two of them. */
export interface CpuMark {
  readonly atMs: number
  readonly idleMs: number
}

export function markCpu(): CpuMark {
  return { atMs: performance.now(), idleMs: cpus().reduce((sum, cpu) => sum + cpu.times.idle, 0) }
}

/** Part of the machine that was not idle, 0 to 1: time stolen by a hypervisor counts as busy. */
export function busyShare(from: CpuMark, to: CpuMark): number {
  const total = (to.atMs - from.atMs) * cores
  return total <= 0 ? 0 : Math.min(1, Math.max(0, 1 - (to.idleMs - from.idleMs) / total))
}

/** How busy the machine is before the bench does anything. */
export async function ambientLoad(sampleMs: number): Promise<number> {
  const before = markCpu()
  await new Promise(resolve => setTimeout(resolve, sampleMs))
  return busyShare(before, markCpu())
}

/** The kernel counts in ticks of 10 ms. */
const tickMicros = 10_000

/** CPU time of a process up to now, or null where there is no /proc to ask, or no such process. */
export function processCpuMicros(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Its name, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * tickMicros
  } catch {
    return null
  }
}
