/** Everything of the outside world that a verb touches, so that tests can run verbs without a process. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream
  /** Documents. Resolves when the reader has room for more. */
  out(text: string): Promise<void>
  /** Logs and remarks. */
  err(text: string): void
  /** Size of the terminal behind stdout, null when stdout is no terminal. */
  terminal(): { readonly columns: number; readonly rows: number } | null
  /** Aborts, with the error, when stdout takes nothing any more: nobody reads it (`coin-stream tail … | head`), a disk is full. */
  readonly outClosed: AbortSignal
  /** Calls back on SIGINT and SIGTERM until the answer is called. */
  onSignal(callback: (signal: 'SIGINT' | 'SIGTERM') => void): () => void
}

export const ExitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export function processIo(): Io {
  const closed = new AbortController()
  process.stdout.on('error', error => closed.abort(error))
  process.stderr.on('error', () => {
    // With stderr gone there is nobody left to tell.
  })
  return {
    env: process.env,
    stdin: process.stdin,
    out: text => writeOut(text, closed),
    err: text => void process.stderr.write(text),
    terminal: () =>
      process.stdout.isTTY
        ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
        : null,
    outClosed: closed.signal,
    onSignal(callback) {
      const onInt = () => callback('SIGINT')
      const onTerm = () => callback('SIGTERM')
      process.on('SIGINT', onInt)
      process.on('SIGTERM', onTerm)
      return () => {
        process.off('SIGINT', onInt)
        process.off('SIGTERM', onTerm)
      }
    }
  }
}

function writeOut(text: string, closed: AbortController): Promise<void> {
  if (closed.signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    // The callback also fires with an error when the pipe has no reader, so this never hangs.
    process.stdout.write(text, error => {
      if (error) closed.abort(error)
      resolve()
    })
  })
}
