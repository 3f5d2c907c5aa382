import { type LogRoute } from '../../src/wire/log-chunk.ts'
import { type TailRecord } from '../../src/wire/log-port.ts'

const segmentBytes = 256 * 1024
/** i32 route | i32 length | f64 timestamp | f64 offset; entries are padded to 8 bytes. */
const headerBytes = 24

interface Segment {
  readonly bytes: Uint8Array
  readonly view: DataView
  used: number
  entries: number
}

/** Where a reader stands: a segment, counted from the first ever, a byte in it, and how many records lie before. */
export interface TopicCursor {
  segment: number
  at: number
  passed: number
}

/** What one reading of a topic gave. */
export interface TopicRead {
  readonly records: TailRecord[]
  /** Records of the topic that had gone before the reader came to them. */
  readonly skipped: number
}

/** The last records of one topic, in segments; the oldest segment goes when the topic exceeds its bytes. */
export class TopicLog {
  readonly topic: string
  readonly #bytesMax: number
  readonly #segments: Segment[] = []
  readonly #nextOffset: number[] = []
  readonly #routes: ReadonlyMap<number, LogRoute>
  /** Number of the oldest segment that is kept. */
  #firstSegment = 0
  #keptBytes = 0
  #records = 0
  #evictedRecords = 0

  /** @param routes by number, as the entries name them */
  constructor(topic: string, bytesMax: number, routes: ReadonlyMap<number, LogRoute>) {
    this.topic = topic
    this.#bytesMax = bytesMax
    this.#routes = routes
  }

  get records(): number {
    return this.#records
  }
  get keptBytes(): number {
    return this.#keptBytes
  }
  get evictedRecords(): number {
    return this.#evictedRecords
  }

  append(route: LogRoute, timestampMicros: number, source: Uint8Array, start: number, end: number): void {
    const length = end - start
    const needed = headerBytes + ((length + 7) & ~7)
    const segment = this.#room(needed)
    const at = segment.used
    const offset = this.#nextOffset[route.partition] ?? 0
    this.#nextOffset[route.partition] = offset + 1
    segment.view.setInt32(at, route.id, true)
    segment.view.setInt32(at + 4, length, true)
    segment.view.setFloat64(at + 8, timestampMicros, true)
    segment.view.setFloat64(at + 16, offset, true)
    segment.bytes.set(source.subarray(start, end), at + headerBytes)
    segment.used = at + needed
    segment.entries++
    this.#records++
  }

  earliest(): TopicCursor {
    return { segment: this.#firstSegment, at: 0, passed: this.#evictedRecords }
  }

  latest(): TopicCursor {
    const last = this.#segments.at(-1)
    if (last === undefined) return this.earliest()
    return { segment: this.#firstSegment + this.#segments.length - 1, at: last.used, passed: this.#records }
  }

  /** Reads on from a cursor and moves it, up to a number of records and bytes. */
  read(cursor: TopicCursor, keyPrefix: string, recordsMax: number, bytesMax: number): TopicRead {
    let skipped = 0
    if (cursor.segment < this.#firstSegment) {
      skipped = this.#evictedRecords - cursor.passed
      cursor.passed = this.#evictedRecords
      cursor.segment = this.#firstSegment
      cursor.at = 0
    }
    const records: TailRecord[] = []
    let bytes = 0
    while (records.length < recordsMax && bytes < bytesMax) {
      const segment = this.#segments[cursor.segment - this.#firstSegment]
      if (segment === undefined) break
      if (cursor.at >= segment.used) {
        if (cursor.segment - this.#firstSegment >= this.#segments.length - 1) break
        cursor.segment++
        cursor.at = 0
        continue
      }
      const length = segment.view.getInt32(cursor.at + 4, true)
      const route = this.#routes.get(segment.view.getInt32(cursor.at, true))
      if (route?.key.startsWith(keyPrefix) === true) {
        const start = cursor.at + headerBytes
        records.push({
          partition: route.partition,
          offset: segment.view.getFloat64(cursor.at + 16, true),
          timestampMicros: segment.view.getFloat64(cursor.at + 8, true),
          key: route.key,
          value: segment.bytes.slice(start, start + length)
        })
        bytes += length
      }
      cursor.at += headerBytes + ((length + 7) & ~7)
      cursor.passed++
    }
    return { records, skipped }
  }

  #room(needed: number): Segment {
    const last = this.#segments.at(-1)
    if (last !== undefined && last.used + needed <= last.bytes.length) return last
    const bytes = new Uint8Array(Math.max(segmentBytes, needed))
    const segment = { bytes, view: new DataView(bytes.buffer), used: 0, entries: 0 }
    this.#segments.push(segment)
    this.#keptBytes += bytes.length
    while (this.#keptBytes > this.#bytesMax && this.#segments.length > 1) this.#evict()
    return segment
  }

  #evict(): void {
    const oldest = this.#segments.shift()!
    this.#keptBytes -= oldest.bytes.length
    this.#evictedRecords += oldest.entries
    this.#firstSegment++
  }
}
