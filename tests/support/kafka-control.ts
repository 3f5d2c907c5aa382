import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Readable, type Writable } from 'node:stream'

/** The tests run with the project's folder as their working directory. */
const servicesScript = resolve('scripts/services.mjs')

type Answer = Readonly<Record<string, unknown>>

/** The process that starts brokers for one test and does with them what it is told, one order after the other. */
export class KafkaControl implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()

  private constructor(kind: string) {
    this.#process = spawn(process.execPath, [servicesScript, 'control', kind], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** @param kind broker, cluster or guarded; resolves with where they are, when they answer */
  static async start(kind: string): Promise<{ control: KafkaControl; greeting: Answer }> {
    const control = new KafkaControl(kind)
    return { control, greeting: await control.#answer() }
  }

  /** Resolves when it is done, with what came of it. */
  order(line: string): Promise<unknown> {
    const done = this.#last.then(async () => {
      this.#process.stdin.write(`${line}\n`)
      const { result, ...rest } = await this.#answer()
      assert.deepEqual(rest, { done: line })
      return result
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.stdin.end()
    await exited
  }

  async #answer(): Promise<Answer> {
    const line = await this.#lines.next()
    assert.ok(line.done !== true, 'the process that controls the brokers ended')
    return JSON.parse(line.value) as Answer
  }
}
