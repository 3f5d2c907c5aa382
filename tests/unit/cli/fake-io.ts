import { Readable } from 'node:stream'
import { type Io } from '../../../src/cli/io.ts'

/** An Io that remembers what was written, and lets a test send signals and close stdout. */
export class FakeIo implements Io {
  readonly env: Record<string, string | undefined>
  readonly stdin: NodeJS.ReadableStream
  stdout = ''
  stderr = ''
  size: { columns: number; rows: number } | null = null
  readonly #closed = new AbortController()
  readonly outClosed = this.#closed.signal
  readonly #listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>()

  constructor(input = '', env: Record<string, string | undefined> = {}) {
    this.stdin = Readable.from([Buffer.from(input)])
    this.env = env
  }

  out(text: string): Promise<void> {
    this.stdout += text
    return Promise.resolve()
  }

  err(text: string): void {
    this.stderr += text
  }

  terminal(): { columns: number; rows: number } | null {
    return this.size
  }

  onSignal(callback: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
    this.#listeners.add(callback)
    return () => this.#listeners.delete(callback)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  signal(name: 'SIGINT' | 'SIGTERM'): void {
    for (const listener of [...this.#listeners]) listener(name)
  }

  closeOut(): void {
    this.#closed.abort()
  }
}
