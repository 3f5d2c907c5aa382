/**
 * A log chunk: records on their way into the embedded log, one transferred ArrayBuffer. Entries lie one after the other,
 * each `i32 route | i32 valueLength | f64 timestampMicros | value`, padded to a multiple of 8 bytes.
 * A route is a number for (topic, partition, key), announced once before its first use.
 */
export interface LogRoute {
  readonly id: number
  readonly topic: string
  readonly partition: number
  /** UTF-8 text of the record key. */
  readonly key: string
}

/** Bytes before each value; its first four are the route, which the log renumbers in place. */
export const entryHeaderBytes = 16

export class LogChunkWriter {
  #buffer: ArrayBuffer
  #bytes: Uint8Array
  #view: DataView
  #used = 0
  #entries = 0

  constructor(bytesHint: number) {
    this.#buffer = new ArrayBuffer(bytesHint)
    this.#bytes = new Uint8Array(this.#buffer)
    this.#view = new DataView(this.#buffer)
  }

  get bytes(): number {
    return this.#used
  }
  get entries(): number {
    return this.#entries
  }

  append(route: number, timestampMicros: number, source: Uint8Array, start: number, end: number): void {
    const length = end - start
    const next = this.#used + entryHeaderBytes + ((length + 7) & ~7)
    if (next > this.#buffer.byteLength) this.#grow(next)
    const at = this.#used
    this.#view.setInt32(at, route, true)
    this.#view.setInt32(at + 4, length, true)
    this.#view.setFloat64(at + 8, timestampMicros, true)
    this.#bytes.set(source.subarray(start, end), at + entryHeaderBytes)
    this.#used = next
    this.#entries++
  }

  /** The entries as one exact buffer to transfer; the writer is empty afterwards. */
  take(): ArrayBuffer {
    const chunk = this.#buffer.slice(0, this.#used)
    this.#used = 0
    this.#entries = 0
    return chunk
  }

  #grow(needed: number): void {
    const grown = new ArrayBuffer(Math.max(needed, this.#buffer.byteLength * 2))
    new Uint8Array(grown).set(this.#bytes.subarray(0, this.#used))
    this.#buffer = grown
    this.#bytes = new Uint8Array(grown)
    this.#view = new DataView(grown)
  }
}

/** Walks the entries of a chunk; the value is given as a range of the chunk's own bytes. */
export function readLogChunk(
  chunk: Uint8Array,
  entry: (route: number, timestampMicros: number, start: number, end: number) => void
): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  let at = 0
  while (at + entryHeaderBytes <= chunk.byteLength) {
    const length = view.getInt32(at + 4, true)
    const start = at + entryHeaderBytes
    entry(view.getInt32(at, true), view.getFloat64(at + 8, true), start, start + length)
    at = start + ((length + 7) & ~7)
  }
}
