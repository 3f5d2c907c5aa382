import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type ContenderOrder, type ContenderReport } from './contenders/messages.ts'
import { type FloodOrder, type FloodReport } from './flood/messages.ts'

type Report = ContenderReport | FloodReport
type ReportOf<Type extends Report['type']> = Extract<Report, { readonly type: Type }>

const stopMs = 3_000

/** A process of the bench and its answers over IPC. */
export class BenchChild {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  /** @param entry path of the compiled entry, from this file */
  static async start<Type extends Report['type']>(
    entry: string,
    args: readonly string[],
    until: Type
  ): Promise<[BenchChild, ReportOf<Type>]> {
    const child = fork(new URL(entry, import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: []
    })
    const bench = new BenchChild(child)
    return [bench, await bench.#answer(until)]
  }

  async ask<Type extends Report['type']>(
    order: ContenderOrder | FloodOrder,
    answer: Type
  ): Promise<ReportOf<Type>> {
    const answered = this.#answer(answer)
    this.#child.send(order)
    return await answered
  }

  tell(order: ContenderOrder | FloodOrder): void {
    this.#child.send(order)
  }

  /** Gives the process a moment to clean up behind itself; what hangs is killed. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMs)
    await this.#exited
    clearTimeout(timer)
  }

  #answer<Type extends Report['type']>(type: Type): Promise<ReportOf<Type>> {
    return new Promise((resolve, reject) => {
      const onMessage = (report: Report): void => {
        if (report.type !== type) return
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
        resolve(report as ReportOf<Type>)
      }
      const onExit = (code: number | null): void => {
        reject(new RangeError(`a process of the bench ended early with exit code ${code}`))
      }
      this.#child.on('message', onMessage)
      this.#child.once('exit', onExit)
    })
  }
}
