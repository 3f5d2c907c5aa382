import { basename, dirname, join } from 'node:path'
import { EntryCursor } from './entry.ts'
import { segmentName, segmentNumbers } from './segment-format.ts'
import { SegmentReader } from './segment-reader.ts'

/**
 * The entries of one captured thread in their order, over all its segments. Blocks are read ahead by one; the walk within a
 * block is synchronous.
 */
export class ThreadStream {
  /** At the entry that comes next; null at the end. */
  cursor: EntryCursor | null = null
  /**
   * When the next entry happened, never earlier than the one before it: frames of one read carry its time, and what
   * happened between two of them is written between them.
   */
  headMicros = 0
  readonly #paths: readonly string[]
  readonly #note: (sentence: string) => void
  #next = 0
  #segment: SegmentReader | null = null
  #block = 0
  #ahead: Promise<Buffer | null> | null = null
  /** Whether the segment that was read last says that another follows. */
  #goesOn = false

  private constructor(paths: readonly string[], note: (sentence: string) => void) {
    this.#paths = paths
    this.#note = note
  }

  /**
   * Opens the stream at its first entry; with `fromMicros` at the beginning of the segment that holds that time, which
   * says what stood there.
   * @param note told of what is torn or damaged
   * @throws IngestError FILE_UNREADABLE
   */
  static async open(
    paths: readonly string[],
    fromMicros: number | null,
    note: (sentence: string) => void
  ): Promise<ThreadStream> {
    const stream = new ThreadStream(paths, note)
    for (const sentence of missingBetween(paths)) note(sentence)
    if (fromMicros !== null) stream.#next = await segmentAt(paths, fromMicros)
    await stream.load()
    return stream
  }

  /** Goes on by one entry within the block; false at its end, after which `load` must be awaited. */
  next(): boolean {
    const { cursor } = this
    if (cursor === null || !cursor.next()) return false
    if (cursor.micros > this.headMicros) this.headMicros = cursor.micros
    return true
  }

  /** Takes the next block; false at the end of the stream. */
  async load(): Promise<boolean> {
    for (;;) {
      const raw = await this.#nextBlock()
      if (raw === null) {
        this.cursor = null
        return false
      }
      this.cursor = new EntryCursor(raw)
      if (this.next()) return true
    }
  }

  /** The file that the entry of the cursor is in. */
  get path(): string {
    return this.#segment?.path ?? ''
  }

  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined)
    await this.#segment?.close()
    this.#segment = null
    this.cursor = null
  }

  async #nextBlock(): Promise<Buffer | null> {
    for (;;) {
      if (this.#segment === null) {
        const path = this.#paths[this.#next++]
        if (path === undefined) {
          this.#noteMissingEnd()
          return null
        }
        this.#segment = await SegmentReader.open(path)
        this.#block = 0
        if (this.#segment.torn !== null) this.#note(`${path}: ${this.#segment.torn}.`)
        this.#goesOn = this.#segment.torn === null && !this.#segment.isLast
        this.#readAhead()
      }
      const raw = await this.#ahead
      if (raw !== null) {
        this.#block++
        this.#readAhead()
        return raw
      }
      if (this.#block < this.#segment.blocks.length) {
        const { offset } = this.#segment.blocks[this.#block]!
        this.#note(`${this.#segment.path}: the block at byte ${offset} is damaged; the rest is left out.`)
      }
      await this.#segment.close()
      this.#segment = null
    }
  }

  #noteMissingEnd(): void {
    if (!this.#goesOn) return
    this.#goesOn = false
    this.#note(`${this.#paths.at(-1)} is not the last of its segments: what came after it is missing.`)
  }

  #readAhead(): void {
    const block = this.#segment!.blocks[this.#block]
    this.#ahead = block === undefined ? Promise.resolve(null) : this.#segment!.read(block)
    // A failure is told to whoever awaits it.
    this.#ahead.catch(() => undefined)
  }
}

/** Segments are numbered from 0 on; a number that is not there is a file that was taken away. */
function missingBetween(paths: readonly string[]): string[] {
  let expected = 0
  return paths.flatMap(path => {
    const numbers = segmentNumbers(basename(path))
    if (numbers === null) return []
    const [first, last] = [expected, numbers.segment - 1]
    expected = numbers.segment + 1
    if (last < first) return []
    const nameOf = (segment: number): string => join(dirname(path), segmentName(numbers.thread, segment))
    return [`${first === last ? nameOf(first) : `${nameOf(first)} to ${nameOf(last)}`}: missing.`]
  })
}

/** The last segment that begins at this time or before it; the first when none does. */
async function segmentAt(paths: readonly string[], micros: number): Promise<number> {
  for (let at = paths.length - 1; at > 0; at--) {
    const segment = await SegmentReader.open(paths[at]!)
    const { firstMicros } = segment
    await segment.close()
    if (firstMicros <= micros) return at
  }
  return 0
}
