import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { asIngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { makeFolder } from '../../src/core/make-folder.ts'

/**
 * Gap events that the sink could not take before the process ended, one JSON document a line. They are published first
 * thing at the next start; the file goes once the sink has acknowledged them all.
 */
export class GapFile {
  readonly #path: string
  readonly #logger: Logger

  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
  }

  /** The events an earlier process left; empty when there are none. */
  read(): string[] {
    try {
      return readFileSync(this.#path, 'utf8')
        .split('\n')
        .filter(line => line !== '')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complain('read', error)
      return []
    }
  }

  write(events: readonly string[]): void {
    try {
      makeFolder(dirname(this.#path), 0o700)
      writeFileSync(this.#path, events.map(event => `${event}\n`).join(''), { mode: 0o600 })
      this.#logger.warn(
        { path: this.#path, gaps: events.length },
        'gap events are kept in a file for the next start'
      )
    } catch (error) {
      this.#complain('written', error)
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }

  #complain(verb: string, error: unknown): void {
    this.#logger.error(
      { code: 'FILE_UNREADABLE', path: this.#path },
      `The file of undelivered gap events cannot be ${verb}: ${asIngestError(error).message}`
    )
  }
}
