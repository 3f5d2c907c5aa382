import { type StatusSnapshot } from '../app/service.ts'
import { type Io } from './io.ts'
import { statusLine, statusLines } from './status-text.ts'

/** Wider terminals do not make the table easier to read. */
const widthMax = 80

/** Shows a running service once a second: in place on a terminal, else one line each time. */
export class LiveTable {
  readonly #io: Io
  readonly #isJson: boolean
  #drawnLines = 0

  /** With `isJson` stdout belongs to the one document at the end, so the lines go to stderr. */
  constructor(io: Io, isJson: boolean) {
    this.#io = io
    this.#isJson = isJson
  }

  /** Whether it draws in place: then nothing else should write to the terminal. */
  get isInPlace(): boolean {
    return !this.#isJson && this.#io.terminal() !== null
  }

  show(status: StatusSnapshot, nowMs: number): void {
    const terminal = this.#isJson ? null : this.#io.terminal()
    if (terminal === null) this.#print(`${statusLine(status, nowMs)}\n`)
    else this.#print(this.#redraw(status, nowMs, terminal))
  }

  #redraw(
    status: StatusSnapshot,
    nowMs: number,
    { columns, rows }: { readonly columns: number; readonly rows: number }
  ): string {
    // A line of full width would wrap on some terminals and shift everything after it.
    const lines = statusLines(status, nowMs, { width: Math.min(widthMax, columns) - 1, rows })
    // Up to where the last table began, then each line over the old one, and the rest of the screen cleared.
    const up = this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A`
    this.#drawnLines = lines.length
    return `${up}\r${lines.map(line => `${line}\u001b[K\n`).join('')}\u001b[J`
  }

  #print(text: string): void {
    if (this.#isJson) this.#io.err(text)
    else void this.#io.out(text)
  }
}
