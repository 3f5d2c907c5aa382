/**
 * The entries of a capture: what happened on the connections of one thread, in its order. Little-endian:
 *
 * ```
 * u32 bodyBytes | u8 kind | 3 bytes 0 | u32 connection | i32 detail | f64 micros | body
 * ```
 *
 * `connection` is unique within a capture, `micros` the time in microseconds since the epoch: of a frame the one at which
 * it left the socket, else the one at which it happened.
 */
export const EntryKind = {
  /** A socket is dialled. Body: `CapturedConnection` as JSON. */
  planned: 1,
  opened: 2,
  /** A frame as it came from the socket, compressed when the venue compresses. */
  frame: 3,
  /** What was sent, as text. */
  sent: 4,
  /** A ping of the WebSocket protocol was sent. */
  pinged: 5,
  /** A REST body that took its place among the frames; `detail` is its subscription. */
  snapshot: 6,
  /** The connection made requests that answer no frame. Body: `CapturedRequest` as JSON. */
  asked: 7,
  /** Body: `CapturedEnd` as JSON. */
  ended: 8,
  /** `detail` frames of the connection are not in the capture, because writing could not keep up. */
  hole: 9,
  /** The connection as it stands where a segment begins. Body: `StandingConnection` as JSON. */
  standing: 10,
  /** A request that is none of a subscription has taken a request id. */
  tookId: 11
} as const
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]

export const entryHeaderBytes = 24

/** Collects entries in one buffer of a fixed size; a larger entry has a larger one until `clear`. */
export class EntryWriter {
  readonly #bytes: number
  #buffer: Buffer
  #used = 0
  #entries = 0
  #firstMicros = Infinity
  #lastMicros = 0
  readonly #connections = new Set<number>()
  #lastConnection = -1

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  get entries(): number {
    return this.#entries
  }
  get bytes(): number {
    return this.#used
  }
  get firstMicros(): number {
    return this.#firstMicros
  }
  get lastMicros(): number {
    return this.#lastMicros
  }
  /** Of which connections there are entries. */
  get connections(): readonly number[] {
    return [...this.#connections]
  }
  /** The entries so far; valid until `clear`. */
  get content(): Buffer {
    return this.#buffer.subarray(0, this.#used)
  }

  hasRoomFor(bodyBytes: number): boolean {
    return this.#used + entryHeaderBytes + bodyBytes <= this.#buffer.length
  }

  append(kind: EntryKind, connection: number, detail: number, micros: number, body: Uint8Array): void {
    const at = this.#used
    const end = at + entryHeaderBytes + body.length
    if (end > this.#buffer.length) this.#grow(end)
    const buffer = this.#buffer
    buffer.writeUInt32LE(body.length, at)
    buffer.writeUInt32LE(kind, at + 4)
    buffer.writeUInt32LE(connection, at + 8)
    buffer.writeInt32LE(detail, at + 12)
    buffer.writeDoubleLE(micros, at + 16)
    buffer.set(body, at + entryHeaderBytes)
    this.#used = end
    this.#entries++
    if (micros < this.#firstMicros) this.#firstMicros = micros
    if (micros > this.#lastMicros) this.#lastMicros = micros
    if (connection !== this.#lastConnection) {
      this.#lastConnection = connection
      this.#connections.add(connection)
    }
  }

  clear(): void {
    if (this.#buffer.length > this.#bytes) this.#buffer = Buffer.allocUnsafeSlow(this.#bytes)
    this.#used = 0
    this.#entries = 0
    this.#firstMicros = Infinity
    this.#lastMicros = 0
    this.#connections.clear()
    this.#lastConnection = -1
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(needed)
    grown.set(this.content)
    this.#buffer = grown
  }
}

/** Walks the entries of one block; the fields are those of the entry that `next` has come to. */
export class EntryCursor {
  kind: number = 0
  connection = 0
  detail = 0
  micros = 0
  /** In place: valid as long as the block is. */
  body: Buffer
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.body = bytes.subarray(0, 0)
  }

  /** False at the end; an entry that does not fit into the block ends it as well. */
  next(): boolean {
    const bytes = this.#bytes
    const at = this.#at
    const start = at + entryHeaderBytes
    if (start > bytes.length) return false
    const end = start + bytes.readUInt32LE(at)
    if (end > bytes.length) return false
    this.kind = bytes[at + 4]!
    this.connection = bytes.readUInt32LE(at + 8)
    this.detail = bytes.readInt32LE(at + 12)
    this.micros = bytes.readDoubleLE(at + 16)
    this.body = bytes.subarray(start, end)
    this.#at = end
    return true
  }
}
