import { RecordBatch } from '../../src/wire/record-batch.ts'
import { RecordBatchWriter } from '../../src/wire/record-batch-writer.ts'
import { contentStart } from './content.ts'

/** So far one connection may be behind another in what it brings. */
const behindMicros = 500_000

/** A record that waits, with a batch of its own around it. */
export interface HeldRecord {
  readonly batch: RecordBatch
  readonly owner: number
}

/** What a connection knows a symbol by. */
export interface Carrier {
  readonly connection: number
  readonly connectionId: string
  readonly subscription: number
}

/**
 * The time in which two connections carry a symbol, because one is to replace the other. The older one's records go on;
 * the newer one's wait, until the older one has brought its last. What both brought is found by its content.
 */
export class HandOver {
  readonly older: Carrier
  /** Records of the newer connection, in their order. */
  held: HeldRecord[] = []
  /** Their bytes. */
  heldBytes = 0
  /** When the newer connection's first record came, and the older one's last; 0 before. */
  heldSinceMicros = 0
  olderMicros: number
  /** When the older connection ended, NaN before, and whether it broke off. */
  endedMicros = Number.NaN
  isLost = false
  readonly #writer = new RecordBatchWriter()
  /** Content and event time of the older connection's last record. */
  #content = new Uint8Array(0)
  #exchangeMicros = Number.NaN

  constructor(older: Carrier, nowMicros: number) {
    this.older = older
    this.olderMicros = nowMicros
  }

  get hasEnded(): boolean {
    return !Number.isNaN(this.endedMicros)
  }

  hold(batch: RecordBatch, row: number, owner: number): void {
    const copy = copyOf(this.#writer, batch, row)
    if (this.held.length === 0) this.heldSinceMicros = batch.receivedMicros(row)
    this.held.push({ batch: copy, owner })
    this.heldBytes += copy.bytes.length
  }

  /** The older connection brought a record. */
  noteOlder(batch: RecordBatch, row: number): void {
    const end = batch.valueEnd(row)
    this.#content = batch.bytes.slice(contentStart(batch.bytes, batch.valueStart(row), end), end)
    this.#exchangeMicros = batch.exchangeMicros(row)
    this.olderMicros = batch.receivedMicros(row)
  }

  /** How many of the held records the older connection has brought as well; 0 when its last one is not among them. */
  get known(): number {
    if (this.#content.length === 0) return 0
    const isSameTime = ({ batch }: HeldRecord): boolean =>
      Object.is(batch.exchangeMicros(0), this.#exchangeMicros)
    const at = this.held.findLastIndex(record => isSameTime(record) && this.#isContentOf(record))
    // Some venues stamp a frame when they send it, and so differently on each connection.
    return (at >= 0 ? at : this.held.findLastIndex(record => this.#isContentOf(record))) + 1
  }

  /**
   * Whether the newer connection may still be behind the older one, which has ended: its records go on waiting then. What
   * it brings first may be what the older one brought last, when that was not long ago.
   */
  isBehind(nowMicros: number): boolean {
    if (this.#content.length === 0 || this.known > 0) return false
    const firstMicros = this.held.length === 0 ? this.endedMicros : this.heldSinceMicros
    return firstMicros - this.olderMicros < behindMicros && nowMicros - this.endedMicros < behindMicros
  }

  #isContentOf({ batch }: HeldRecord): boolean {
    const end = batch.valueEnd(0)
    const start = contentStart(batch.bytes, batch.valueStart(0), end)
    return Buffer.compare(this.#content, batch.bytes.subarray(start, end)) === 0
  }
}

/** A record batch may live in memory that is used again: what waits needs a copy. */
function copyOf(writer: RecordBatchWriter, batch: RecordBatch, row: number): RecordBatch {
  const start = batch.valueStart(row)
  const end = batch.valueEnd(row)
  writer.reset()
  writer.record(
    batch.exchangeMicros(row),
    batch.receivedMicros(row),
    batch.frameSeq(row),
    batch.frameIndex(row),
    batch.subscription(row),
    batch.flags(row),
    0,
    end - start
  )
  const text = (textStart: number, textEnd: number, write: (start: number, end: number) => void): void => {
    if (textEnd > 0) write(textStart - start, textEnd - start)
  }
  text(batch.tradeIdStart(row), batch.tradeIdEnd(row), (from, to) => writer.tradeId(from, to))
  text(batch.sequenceFirstStart(row), batch.sequenceFirstEnd(row), (from, to) =>
    writer.sequenceFirst(from, to)
  )
  text(batch.sequenceLastStart(row), batch.sequenceLastEnd(row), (from, to) => writer.sequenceLast(from, to))
  text(batch.sequencePreviousStart(row), batch.sequencePreviousEnd(row), (from, to) =>
    writer.sequencePrevious(from, to)
  )
  writer.checksum(batch.checksum(row))
  writer.evidence(batch.evidence(row))
  return new RecordBatch(writer.finish(batch.connection, batch.batchNumber, batch.bytes.subarray(start, end)))
}
