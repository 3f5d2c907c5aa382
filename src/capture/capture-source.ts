import { ThreadStream } from './thread-stream.ts'

/** All threads of a capture as one stream, in the order of their times. */
export class CaptureSource {
  readonly #streams: ThreadStream[]

  private constructor(streams: ThreadStream[]) {
    this.#streams = streams
  }

  /** @throws IngestError FILE_UNREADABLE */
  static async open(
    threads: readonly (readonly string[])[],
    fromMicros: number | null,
    note: (sentence: string) => void
  ): Promise<CaptureSource> {
    const streams: ThreadStream[] = []
    for (const paths of threads) {
      const stream = await ThreadStream.open(paths, fromMicros, note)
      if (stream.cursor !== null) streams.push(stream)
    }
    return new CaptureSource(streams)
  }

  /** The stream whose entry is next; null at the end of all. Threads are few, so looking at each is quick. */
  earliest(): ThreadStream | null {
    let earliest: ThreadStream | null = null
    for (const stream of this.#streams) {
      if (earliest === null || stream.headMicros < earliest.headMicros) earliest = stream
    }
    return earliest
  }

  /** After the last entry of a stream's block: reads on, or forgets a stream that has ended. */
  async load(stream: ThreadStream): Promise<void> {
    if (await stream.load()) return
    await stream.close()
    this.#streams.splice(this.#streams.indexOf(stream), 1)
  }

  async close(): Promise<void> {
    for (const stream of this.#streams.splice(0)) await stream.close()
  }
}
