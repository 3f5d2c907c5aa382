import { type Route } from '../sinks/record-sink.ts'
import { writeHeader, writeProducer } from './batch-header.ts'
import { type Codec } from './compression.ts'
import { copyWords } from './copy.ts'
import { noHeaders } from './record-headers.ts'
import { type RecordSpan, recordSpans } from './record-spans.ts'
import { noSlab, type Slab } from './slab.ts'
import { type SourceViews } from './source-views.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** Where batches get their memory from; `BatchPool` is it. */
export interface BatchStore {
  /** No batch with more than one record is larger, its header included. */
  readonly batchBytes: number
  readonly sources: SourceViews
  take(minBytes: number): Batch
  release(batch: Batch): void
  takeSlab(minBytes: number): Slab
  releaseSlab(slab: Slab): void
  /** A batch in use takes so many bytes more, or fewer. */
  resized(bytes: number): void
}

/** The header, without records. */
export const batchHeaderBytes = 61

const noRows: ReadonlySet<number> = new Set()
const firstRows = 64
const rowBytes = 16

/**
 * One record batch (magic 2) under construction, in flight, or waiting for another attempt. Records are encoded once,
 * straight into its buffer. `seal` compresses them in place: a second buffer would double what an outage takes, and
 * who splits a sealed batch, which is rare, decompresses them.
 */
export class Batch {
  count = 0
  /** Monotonic milliseconds of the first append; set by the accumulator. */
  createdMs = 0
  /** Per record: owner, id of its route, receive time in microseconds; valid up to `count`. */
  owners = new Int32Array(firstRows)
  routes = new Int32Array(firstRows)
  receivedMicros = new Float64Array(firstRows)
  readonly #store: BatchStore
  readonly #sources: SourceViews
  #slab = noSlab
  /** Records may be written up to here; 0 once the batch is sealed. */
  #room = 0
  #size = batchHeaderBytes
  #wireBytes = 0
  #compressedBy: Codec | null = null
  #baseTimestamp = 0
  #maxTimestamp = 0

  constructor(store: BatchStore) {
    this.#store = store
    this.#sources = store.sources
  }

  /** Exact bytes of the uncompressed batch, the header of 61 bytes included. */
  get size(): number {
    return this.#size
  }

  /** Bytes of memory that it takes: its buffer and what it knows of each record. */
  get capacity(): number {
    return this.#slab.bytes.length + this.owners.length * rowBytes
  }

  get isSealed(): boolean {
    return this.#wireBytes > 0
  }

  /** The bytes to send, after `seal` and `stamp`; valid until the batch is released, split or sealed again. */
  get wire(): Uint8Array {
    return this.#slab.bytes.subarray(0, this.#wireBytes)
  }

  get wireBytes(): number {
    return this.#wireBytes
  }

  /** Makes an idle batch usable; for the pool. */
  open(slab: Slab): void {
    this.#slab = slab
    this.#room = slab.bytes.length
    this.count = 0
    this.createdMs = 0
    this.#size = batchHeaderBytes
    this.#wireBytes = 0
    this.#compressedBy = null
  }

  /** Gives its buffer back; for the pool. */
  shut(): Slab {
    const slab = this.#slab
    this.open(noSlab)
    return slab
  }

  /**
   * Appends a record whose value is `bytes[start, end)`, copied before it returns. False when it does not fit or the batch
   * is sealed (the batch is unchanged); a batch without records takes any size. `headers` are as `encodeHeaders` writes them.
   */
  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    headers: Uint8Array = noHeaders
  ): boolean {
    const sources = this.#sources
    const key = sources.keyOf(route)
    return this.#add(
      route.id,
      sources.keys,
      sources.keysView,
      sources.keyStart(key),
      sources.keyEnd(key),
      bytes,
      sources.viewOf(bytes),
      start,
      end,
      receivedMicros,
      owner,
      headers
    )
  }

  /**
   * Ends the batch: compresses the records, if that makes them smaller, and writes the header but for the producer's
   * fields. May be called again with another codec.
   */
  seal(codec: Codec): void {
    const records = this.#records()
    const compressed = codec.attribute === 0 ? records : codec.compress(records)
    const isSmaller = compressed.length < records.length
    const written = isSmaller ? compressed : records
    const { bytes } = this.#slab
    // Uncompressed records stand there already, unless the batch was compressed before.
    if (isSmaller || this.#compressedBy !== null) bytes.set(written, batchHeaderBytes)
    this.#compressedBy = isSmaller ? codec : null
    this.#wireBytes = batchHeaderBytes + written.length
    this.#room = 0
    const attribute = isSmaller ? codec.attribute : 0
    writeHeader(bytes, this.#wireBytes, attribute, this.count, this.#baseTimestamp, this.#maxTimestamp)
  }

  /** Writes producer id, epoch and first sequence, and the checksum. May be called again, with a new producer id. */
  stamp(producerId: bigint, epoch: number, baseSequence: number): void {
    writeProducer(this.#slab.bytes, this.#wireBytes, producerId, epoch, baseSequence)
  }

  /** The values of its records, in order; valid until the batch is released, split or sealed again. */
  values(): Uint8Array[] {
    const records = this.#records()
    return recordSpans(records, this.count).map(({ valueStart, valueEnd }) =>
      records.subarray(valueStart, valueEnd)
    )
  }

  /**
   * The records in two unsealed batches of about the same size, in order; this one is released. Three when one of them
   * outgrew a batch, since times are written as differences from a batch's first; one when there is only one record. With
   * rows given, each of these gets a batch of its own instead, and what lies between them one.
   */
  split(pool: BatchStore, alone: ReadonlySet<number> = noRows): Batch[] {
    const records = this.#records()
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
    const half = records.length / 2
    const parts: Batch[] = []
    const beginPart = (): Batch => {
      const part = pool.take(alone.size > 0 ? 0 : half + batchHeaderBytes)
      part.createdMs = this.createdMs
      parts.push(part)
      return part
    }
    let part = beginPart()
    for (const [row, span] of recordSpans(records, this.count).entries()) {
      const isCut =
        alone.size > 0 ? alone.has(row) || alone.has(row - 1) : parts.length === 1 && span.end > half
      if (row > 0 && isCut) part = beginPart()
      if (!this.#copyRecord(row, span, records, view, part)) {
        part = beginPart()
        this.#copyRecord(row, span, records, view, part)
      }
    }
    pool.release(this)
    return parts
  }

  #copyRecord(row: number, span: RecordSpan, records: Uint8Array, view: DataView, to: Batch): boolean {
    return to.#add(
      this.routes[row]!,
      records,
      view,
      span.keyStart,
      span.keyEnd,
      records,
      view,
      span.valueStart,
      span.valueEnd,
      this.receivedMicros[row]!,
      this.owners[row]!,
      records.subarray(span.headersStart, span.end)
    )
  }

  /** Uncompressed, without the batch's header. */
  #records(): Uint8Array {
    const { bytes } = this.#slab
    if (this.#compressedBy === null) return bytes.subarray(batchHeaderBytes, this.#size)
    return this.#compressedBy.decompress(bytes.subarray(batchHeaderBytes, this.#wireBytes))
  }

  /** The key comes with the varint of its length, the headers with their count. */
  #add(
    routeId: number,
    keys: Uint8Array,
    keysView: DataView,
    keyStart: number,
    keyEnd: number,
    values: Uint8Array,
    valuesView: DataView | null,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number,
    headers: Uint8Array
  ): boolean {
    const row = this.count
    const timestamp = Math.floor(receivedMicros / 1000)
    const delta = row === 0 ? 0 : timestamp - this.#baseTimestamp
    const keyBytes = keyEnd - keyStart
    const valueBytes = end - start
    const body =
      1 +
      varintBytes(delta) +
      varintBytes(row) +
      keyBytes +
      varintBytes(valueBytes) +
      valueBytes +
      headers.length
    const size = this.#size + varintBytes(body) + body
    if (size > this.#room && !this.#makeRoom(size)) return false
    const slab = this.#slab
    const { bytes } = slab
    let to = writeVarint(bytes, this.#size, body)
    bytes[to] = 0
    to = writeVarint(bytes, to + 1, delta)
    to = writeVarint(bytes, to, row)
    copyWords(slab, to, keys, keysView, keyStart, keyEnd)
    to = writeVarint(bytes, to + keyBytes, valueBytes)
    if (valuesView === null) bytes.set(values.subarray(start, end), to)
    else copyWords(slab, to, values, valuesView, start, end)
    to += valueBytes
    if (headers.length === 1) bytes[to] = 0
    else bytes.set(headers, to)
    this.#size = size
    if (row === 0) {
      this.#baseTimestamp = timestamp
      this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    if (row === this.owners.length) this.#growRows()
    this.owners[row] = owner
    this.routes[row] = routeId
    this.receivedMicros[row] = receivedMicros
    this.count = row + 1
    return true
  }

  #makeRoom(size: number): boolean {
    if (this.isSealed || (this.count > 0 && size > this.#store.batchBytes)) return false
    const before = this.#slab
    if (before === noSlab) throw new RangeError('a record was appended to a batch that was released')
    const slab = this.#store.takeSlab(size)
    slab.bytes.set(before.bytes.subarray(0, this.#size))
    this.#slab = slab
    this.#room = slab.bytes.length
    this.#store.releaseSlab(before)
    this.#store.resized(slab.bytes.length - before.bytes.length)
    return true
  }

  #growRows(): void {
    const rows = this.owners.length
    const owners = new Int32Array(rows * 2)
    const routes = new Int32Array(rows * 2)
    const receivedMicros = new Float64Array(rows * 2)
    owners.set(this.owners)
    routes.set(this.routes)
    receivedMicros.set(this.receivedMicros)
    this.owners = owners
    this.routes = routes
    this.receivedMicros = receivedMicros
    this.#store.resized(rows * rowBytes)
  }
}
