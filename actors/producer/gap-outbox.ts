import { type Gap } from '../../src/domain/gap.ts'
import { recordKey } from '../../src/domain/routing.ts'
import { type GapFile } from './gap-file.ts'

/** Owners of gap events count down from here; see `controlOwner`. */
const firstOwner = -2

/** Gap events on their way: each is remembered until the sink has acknowledged it, and kept in a file if it never does. */
export class GapOutbox {
  readonly #file: GapFile | null
  readonly #send: (key: string, value: string, owner: number) => void
  readonly #waiting = new Map<number, string>()
  readonly #onClosed: (gapId: string) => void
  /** Ids of the gaps whose end is on its way. */
  readonly #closing = new Map<number, string>()
  /** Events of an earlier process that are not acknowledged yet. */
  readonly #restored = new Set<number>()
  #next = firstOwner

  /**
   * @param file null where there is nothing to survive for (the embedded log ends with the process)
   * @param onClosed told when the sink has the end of a gap
   */
  constructor(
    file: GapFile | null,
    send: (key: string, value: string, owner: number) => void,
    onClosed: (gapId: string) => void
  ) {
    this.#file = file
    this.#send = send
    this.#onClosed = onClosed
  }

  static owns(owner: number): boolean {
    return owner <= firstOwner
  }

  publish(gap: Gap): void {
    if (gap.status === 'closed') this.#closing.set(this.#next, gap.gap_id)
    this.#post(JSON.stringify(gap), recordKey(gap.target, gap.symbol ?? '*'))
  }

  /** Publishes what an earlier process could not. */
  restore(): void {
    for (const event of this.#file?.read() ?? []) {
      const gap = parseGap(event)
      if (gap === null) continue
      this.#restored.add(this.#next)
      this.#post(event, recordKey(gap.target, gap.symbol ?? '*'))
    }
  }

  settled(owner: number, isPublished: boolean): void {
    const closed = this.#closing.get(owner)
    this.#closing.delete(owner)
    if (!isPublished) return
    if (closed !== undefined) this.#onClosed(closed)
    this.#waiting.delete(owner)
    if (this.#restored.delete(owner) && this.#restored.size === 0) this.#file?.remove()
  }

  /** Nothing more will be acknowledged: what is left goes into the file. */
  close(): void {
    if (this.#waiting.size > 0) this.#file?.write([...this.#waiting.values()])
  }

  #post(event: string, key: string): void {
    const owner = this.#next--
    this.#waiting.set(owner, event)
    this.#send(key, event, owner)
  }
}

/** Null for a line that is no gap event: a file that was cut off must not stop the start. */
function parseGap(event: string): Pick<Gap, 'target' | 'symbol'> | null {
  try {
    const gap = JSON.parse(event) as Partial<Gap> | null
    const { target, symbol } = gap ?? {}
    if (target === undefined || symbol === undefined) return null
    return { target, symbol }
  } catch {
    return null
  }
}
