import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Readable } from 'node:stream'
import { type StatusSnapshot } from '../../src/app/service.ts'
import { type Summary } from '../../src/domain/summary.ts'

const main = new URL('../../src/main.js', import.meta.url).pathname
const awaitedWithinMs = 60_000

export interface CliEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A `coin-stream` process. It is killed when the test leaves it running. */
export class CliProcess implements AsyncDisposable {
  readonly ended: Promise<CliEnd>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #waiting = new Set<() => void>()
  #stdout = ''
  #stderr = ''

  constructor(words: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [main, ...words], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      for (const look of this.#waiting) look()
    })
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr
    }))
  }

  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.#child.kill(name)
  }

  /** Resolves when stderr has said this. */
  async said(pattern: RegExp): Promise<void> {
    let look: () => void = () => undefined
    let timer: NodeJS.Timeout | undefined
    const said = new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}, not said: ${pattern}\n${this.#stderr}`))
      look = () => {
        if (pattern.test(this.#stderr)) resolve()
      }
      timer = setTimeout(() => fail(`within ${awaitedWithinMs} ms`), awaitedWithinMs)
      this.ended.then(({ code }) => fail(`it ended with ${code}`), fail)
      this.#waiting.add(look)
      look()
    })
    try {
      await said
    } finally {
      this.#waiting.delete(look)
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.ended
  }
}

/** A folder of a test's own, in which its processes run: the admin socket is below it. */
export class CliFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'coin-stream-run-'))

  start(words: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
    return new CliProcess(words, this.path, env)
  }

  async run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliEnd> {
    await using child = this.start(words, env)
    return await child.ended
  }

  async status(): Promise<StatusSnapshot> {
    const { code, stdout, stderr } = await this.run(['status', '--json'])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as StatusSnapshot
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** The one document on stdout. */
export function summaryOf({ stdout, stderr }: CliEnd): Summary {
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout) as Summary
}
