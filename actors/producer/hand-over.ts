import { RecordBatch } from '../../src/wire/record-batch.ts'
import { RecordBatchWriter } from '../../src/wire/record-batch-writer.ts'
import { contentStart } from './content.ts'

/** So far one connection may be behind another in what it brings. */
const behindMicros = 500_000
/** So far back the older connection's record is looked for by content and event time; one it has sent later goes twice. */
const lookBackMicros = 5_000_000

/** A record that waits, with a batch of its own around it. */
export interface HeldRecord {
  readonly batch: RecordBatch
  readonly owner: number
}

/** What a connection knows a symbol by, and when the venue confirmed it there, 0 before. */
export interface Carrier {
  readonly connection: number
  readonly connectionId: string
  readonly subscription: number
  confirmedMicros: number
}

/**
 * The time in which two connections carry a symbol, because one is to replace the other. The older one's records go on;
 * the newer one's wait, until the older one has brought its last. What both brought is found by its content, in the order
 * in which both bring it: a state that comes back later is not the one that was. In doubt a record goes twice.
 */
export class HandOver {
  readonly older: Carrier
  /** Records of the newer connection, in their order. */
  held: HeldRecord[] = []
  /** Their bytes. */
  heldBytes = 0
  /** How many of them the older connection has brought as well. */
  known = 0
  /** Whether its last record is the last of these. */
  isLastKnown = false
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
  /** Whether an event was found to have one time on both connections. */
  #timesAgree = false
  /** What was held before this came too early to be looked at again. */
  #from = 0

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
    if (!this.isLastKnown && this.#find(this.held.length - 1) >= 0) this.#knows(this.held.length)
  }

  /** The older connection brought a record. */
  noteOlder(batch: RecordBatch, row: number): void {
    const end = batch.valueEnd(row)
    this.#content = batch.bytes.slice(contentStart(batch.bytes, batch.valueStart(row), end), end)
    this.#exchangeMicros = batch.exchangeMicros(row)
    this.olderMicros = batch.receivedMicros(row)
    this.isLastKnown = false
    while (this.#from < this.held.length && !this.#isRecent(this.held[this.#from]!)) this.#from++
    const at = this.#find(Math.max(this.known, this.#from))
    if (at >= 0) this.#knows(at + 1)
  }

  /**
   * Whether the newer connection may still be behind the older one, which has ended: its records go on waiting then. What
   * it brings first may be what the older one brought last, when that was not long ago.
   */
  isBehind(nowMicros: number): boolean {
    if (this.#content.length === 0 || this.isLastKnown) return false
    const firstMicros = this.held.length === 0 ? this.endedMicros : this.heldSinceMicros
    return firstMicros - this.olderMicros < behindMicros && nowMicros - this.endedMicros < behindMicros
  }

  #knows(records: number): void {
    this.known = records
    this.isLastKnown = true
  }

  #isRecent({ batch }: HeldRecord): boolean {
    return this.olderMicros - batch.receivedMicros(0) < lookBackMicros
  }

  /**
   * The first held record from there on that is the older connection's last, by content and event time; -1 for none. Some
   * venues stamp a frame when they send it, and so differently on each connection: there both must have come at about the
   * same time.
   */
  #find(from: number): number {
    if (this.#content.length === 0) return -1
    let near = -1
    for (let at = from; at < this.held.length; at++) {
      const { batch } = this.held[at]!
      const isSameTime = batch.exchangeMicros(0) === this.#exchangeMicros
      const mayBeNear = near < 0 && !this.#timesAgree
      const isNear = mayBeNear && Math.abs(batch.receivedMicros(0) - this.olderMicros) < behindMicros
      if ((!isSameTime && !isNear) || !this.#isContentOf(batch)) continue
      if (isSameTime) {
        this.#timesAgree = true
        return at
      }
      near = at
    }
    return near
  }

  #isContentOf(held: RecordBatch): boolean {
    const end = held.valueEnd(0)
    const start = contentStart(held.bytes, held.valueStart(0), end)
    return Buffer.compare(this.#content, held.bytes.subarray(start, end)) === 0
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
