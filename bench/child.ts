import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type ContenderOrder, type ContenderPlan, type ContenderReport } from './contenders/messages.ts'
import { type FloodOrder, type FloodReport } from './flood/server.ts'

type Report = ContenderReport | FloodReport

/** A process of the bench and its answers over IPC. */
export class BenchChild {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(entry: string, args: readonly string[], until: Report['type']): Promise<[BenchChild, Report]> {
    const child = fork(new URL(entry, import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: []
    })
    const bench = new BenchChild(child)
    return [bench, await bench.#answer(until)]
  }

  async ask(order: ContenderOrder | FloodOrder, answer: Report['type']): Promise<Report> {
    const answered = this.#answer(answer)
    this.#child.send(order)
    return answered
  }

  tell(order: FloodOrder): void {
    this.#child.send(order)
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #answer(type: Report['type']): Promise<Report> {
    return new Promise((resolve, reject) => {
      const onMessage = (report: Report): void => {
        if (report.type !== type) return
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
        resolve(report)
      }
      const onExit = (code: number | null): void => {
        reject(new RangeError(`a process of the bench ended early with exit code ${code}`))
      }
      this.#child.on('message', onMessage)
      this.#child.once('exit', onExit)
    })
  }
}

export type Contender = 'coin-stream' | 'naive' | 'per-message'

/** One measurement of one contender. */
export interface Reading {
  readonly records: number
  readonly recordsPerS: number
  readonly cpuMicrosPerRecord: number
  /** Part of the machine's CPU time that the flood server took. */
  readonly floodShare: number
}

/** Runs a contender against a fresh flood for `seconds`, after a warm-up, and reads what it cost. */
export async function measure(
  contender: Contender,
  plan: Omit<ContenderPlan, 'origin'>,
  eventsPerS: number | null,
  seconds: number,
  cores: number
): Promise<Reading> {
  const [flood, listening] = await BenchChild.start('./flood/server.js', [], 'listening')
  try {
    flood.tell({ type: 'rate', eventsPerS })
    const origin = `http://127.0.0.1:${listening.type === 'listening' ? listening.port : 0}`
    const args = [JSON.stringify({ ...plan, origin } satisfies ContenderPlan)]
    const [runner] = await BenchChild.start(`./contenders/${contender}.js`, args, 'ready')
    try {
      await pause(3000)
      const before = await read(runner)
      const floodBefore = await usage(flood)
      await pause(seconds * 1000)
      const after = await read(runner)
      const floodAfter = await usage(flood)
      const records = after.records - before.records
      const elapsedMs = after.atMs - before.atMs
      return {
        records,
        recordsPerS: (records * 1000) / elapsedMs,
        cpuMicrosPerRecord: (after.cpuMicros - before.cpuMicros) / Math.max(1, records),
        floodShare: (floodAfter - floodBefore) / (elapsedMs * 1000 * cores)
      }
    } finally {
      await runner.end()
    }
  } finally {
    await flood.end()
  }
}

async function read(child: BenchChild): Promise<Extract<ContenderReport, { type: 'reading' }>> {
  const report = await child.ask({ type: 'read' }, 'reading')
  if (report.type !== 'reading') throw new RangeError('the contender did not answer with a reading')
  return report
}

async function usage(flood: BenchChild): Promise<number> {
  const report = await flood.ask({ type: 'usage' }, 'usage')
  return report.type === 'usage' ? report.cpuMicros : 0
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
