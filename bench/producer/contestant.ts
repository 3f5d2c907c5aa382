import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type ProducerReading, type ProducerReport, type ProducerRun } from './run.ts'

/** A producer in a process of its own. It is asked for one run at a time. */
export interface Contestant {
  /**
   * @param onWindow called when the warm-up is over and measuring begins
   * @throws RangeError when it could not do the run
   */
  run(run: ProducerRun, onWindow: () => void): Promise<ProducerReading>
  stop(): Promise<void>
}

const stopMs = 3_000

/** A program of the bench in Node.js; it stays for all its runs, so that its code is hot. */
export class NodeContestant implements Contestant {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** @param entry path of the compiled entry, from this file */
  static async start(entry: string, args: readonly string[] = []): Promise<NodeContestant> {
    const child = fork(new URL(entry, import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: []
    })
    const contestant = new NodeContestant(child)
    await contestant.#await('ready', () => undefined)
    return contestant
  }

  async run(run: ProducerRun, onWindow: () => void): Promise<ProducerReading> {
    const answered = this.#await('reading', onWindow)
    this.#child.send(run)
    const { reading } = await answered
    return reading
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(timer)
  }

  #await<Type extends 'ready' | 'reading'>(
    type: Type,
    onWindow: () => void
  ): Promise<Extract<ProducerReport, { readonly type: Type }>> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
      }
      const onMessage = (report: ProducerReport): void => {
        if (report.type === 'window') onWindow()
        else if (report.type === 'failed') {
          end()
          reject(new RangeError(report.reason))
        } else if (report.type === type) {
          end()
          resolve(report as Extract<ProducerReport, { readonly type: Type }>)
        }
      }
      const onExit = (code: number | null, signal: string | null): void => {
        end()
        reject(new RangeError(`its process ended early (${signal ?? `exit code ${code}`})`))
      }
      this.#child.on('message', onMessage)
      this.#child.once('exit', onExit)
    })
  }
}

/** A compiled program: hot from the start, so that each run is a process. */
export class ProgramContestant implements Contestant {
  readonly #program: string

  constructor(program: string) {
    this.#program = program
  }

  async run(run: ProducerRun, onWindow: () => void): Promise<ProducerReading> {
    const child = spawn(
      this.#program,
      [
        run.brokers.join(','),
        run.topic,
        run.partitions,
        run.compression,
        run.lingerMs,
        run.batchBytes,
        run.recordsPerS ?? 0,
        run.warmUpMs,
        run.measureMs,
        run.recordsFile
      ].map(String),
      { stdio: ['ignore', 'pipe', 'pipe'] }
    )
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-500)))
    let reading: Omit<ProducerReading, 'ackMs' | 'fault'> | null = null
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', error => reject(new RangeError(error.message)))
      child.once('close', resolve)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'window') onWindow()
      else reading = JSON.parse(line) as Omit<ProducerReading, 'ackMs' | 'fault'>
    }
    const code = await ended
    if (reading === null) throw new RangeError(`${complaint.trim()} (exit code ${code})`)
    return { ...reading, fault: null, ackMs: null }
  }

  async stop(): Promise<void> {
    // Nothing runs between two runs.
  }
}
