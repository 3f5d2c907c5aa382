/**
 * A frame batch: raw frames of one connection on their way from its thread to the codec, one transferred ArrayBuffer.
 *
 * ```
 * header  32 bytes   i32: magic, version, connection, contextVersion, batchNumber, frames, payloadBytes, 0
 * rows    32 bytes each, frames times
 *         f64 receivedMicros | f64 frameSeq | i32 start | i32 end | i32 subscription | i32 kind
 * payload the frames' bytes, one after the other; start and end of a row count from the start of the buffer
 * ```
 */
const magic = 0x42465343 // "CSFB"
const version = 1
const headerBytes = 32
const rowBytes = 32

/**
 * `stream`: came over the socket. `snapshot`: the body of a REST answer for the symbol in `subscription`. `poisoned`: a codec
 * has ended on it, and no codec looks at it again. `garbled`: came over the socket and is not compressed as its venue does
 * it; it is dead as it is.
 */
export const FrameKind = { stream: 0, snapshot: 1, poisoned: 2, garbled: 3 } as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

/** The subscription of a frame whose symbol is not known before it is parsed. */
export const unknownSubscription = -1

/** Collects the frames of one connection; `take` copies them out as one exact buffer and starts anew. */
export class FrameBatchWriter {
  readonly #connection: number
  readonly #bytesMax: number
  #payload: Uint8Array
  #rows: Float64Array
  #rowInts: Int32Array
  #frames = 0
  #used = 0
  #batchNumber = 0

  /**
   * @param bytesMax payload bytes after which the batch is full; a single larger frame still gets a batch of its own
   * @throws RangeError when the header has no room for this number
   */
  constructor(connection: number, bytesMax: number) {
    if ((connection | 0) !== connection) throw new RangeError(`${connection} is no number of a connection`)
    this.#connection = connection
    this.#bytesMax = bytesMax
    this.#payload = new Uint8Array(4096)
    this.#rows = new Float64Array(4 * 16)
    this.#rowInts = new Int32Array(this.#rows.buffer)
  }

  get frames(): number {
    return this.#frames
  }

  /** Payload bytes waiting. */
  get bytes(): number {
    return this.#used
  }

  /** Whether a frame of this length must wait for the next batch. */
  isFullFor(length: number): boolean {
    return this.#frames > 0 && this.#used + length > this.#bytesMax
  }

  append(
    frame: Uint8Array,
    receivedMicros: number,
    frameSeq: number,
    subscription: number,
    kind: FrameKind
  ): void {
    const start = this.#used
    const end = start + frame.length
    if (end > this.#payload.length) this.#growPayload(end)
    const row = this.#frames
    if ((row + 1) * 4 > this.#rows.length) this.#growRows()
    this.#payload.set(frame, start)
    this.#rows[row * 4] = receivedMicros
    this.#rows[row * 4 + 1] = frameSeq
    const ints = this.#rowInts
    ints[row * 8 + 4] = start
    ints[row * 8 + 5] = end
    ints[row * 8 + 6] = subscription
    ints[row * 8 + 7] = kind
    this.#used = end
    this.#frames = row + 1
  }

  /** The frames so far as one buffer to transfer; the writer is empty afterwards. */
  take(contextVersion: number): ArrayBuffer {
    const frames = this.#frames
    const payloadStart = headerBytes + frames * rowBytes
    const buffer = new ArrayBuffer(payloadStart + this.#used)
    const header = new Int32Array(buffer, 0, headerBytes / 4)
    header[0] = magic
    header[1] = version
    header[2] = this.#connection
    header[3] = contextVersion
    header[4] = this.#batchNumber++
    header[5] = frames
    header[6] = this.#used
    const rows = new Float64Array(buffer, headerBytes, frames * 4)
    rows.set(this.#rows.subarray(0, frames * 4))
    const ints = new Int32Array(buffer, headerBytes, frames * 8)
    for (let row = 0; row < frames; row++) {
      ints[row * 8 + 4] = ints[row * 8 + 4]! + payloadStart
      ints[row * 8 + 5] = ints[row * 8 + 5]! + payloadStart
    }
    new Uint8Array(buffer, payloadStart).set(this.#payload.subarray(0, this.#used))
    this.#frames = 0
    this.#used = 0
    return buffer
  }

  #growPayload(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#payload.length * 2))
    grown.set(this.#payload.subarray(0, this.#used))
    this.#payload = grown
  }

  #growRows(): void {
    const grown = new Float64Array(this.#rows.length * 2)
    grown.set(this.#rows)
    this.#rows = grown
    this.#rowInts = new Int32Array(grown.buffer)
  }
}

/** Marks one frame of a batch, in place, so that no codec looks at it again. */
export function poisonFrame(buffer: ArrayBuffer, row: number): void {
  new Int32Array(buffer, headerBytes + row * rowBytes, rowBytes / 4)[7] = FrameKind.poisoned
}

/** Reads a frame batch in place. */
export class FrameBatch {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
  readonly connection: number
  readonly contextVersion: number
  readonly batchNumber: number
  readonly frames: number
  readonly payloadBytes: number
  readonly #rows: Float64Array
  readonly #ints: Int32Array

  /** @throws RangeError when the buffer is not a frame batch of this version */
  constructor(buffer: ArrayBuffer) {
    const header = new Int32Array(buffer, 0, headerBytes / 4)
    if (header[0] !== magic || header[1] !== version)
      throw new RangeError('not a frame batch of this version')
    this.buffer = buffer
    this.bytes = new Uint8Array(buffer)
    this.connection = header[2]!
    this.contextVersion = header[3]!
    this.batchNumber = header[4]!
    this.frames = header[5]!
    this.payloadBytes = header[6]!
    this.#rows = new Float64Array(buffer, headerBytes, this.frames * 4)
    this.#ints = new Int32Array(buffer, headerBytes, this.frames * 8)
  }

  receivedMicros(row: number): number {
    return this.#rows[row * 4]!
  }

  frameSeq(row: number): number {
    return this.#rows[row * 4 + 1]!
  }

  start(row: number): number {
    return this.#ints[row * 8 + 4]!
  }

  end(row: number): number {
    return this.#ints[row * 8 + 5]!
  }

  subscription(row: number): number {
    return this.#ints[row * 8 + 6]!
  }

  kind(row: number): FrameKind {
    return this.#ints[row * 8 + 7]! as FrameKind
  }
}
