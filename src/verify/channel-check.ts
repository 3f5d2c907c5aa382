import { type OrderBook } from '../../schemas/generated/order-book.ts'
import { type Ticker } from '../../schemas/generated/ticker.ts'
import { type Trade } from '../../schemas/generated/trade.ts'
import { bookFingerprint, tickerFingerprint, tradeFingerprint } from '../simulator/fingerprint.ts'
import { type ChannelLedger } from '../simulator/ledger.ts'
import { BookReplica } from './book-replica.ts'
import { type Connections } from './connections.ts'
import { DeliveryLog } from './delivery-log.ts'
import { type Findings } from './findings.ts'
import { type DataRecord } from './record-decoder.ts'

const firstCapacity = 1024
const sampleCharsMax = 800

export interface ChannelCounts {
  duplicated: number
  misordered: number
  altered: number
  booksCompared: number
  booksDifferent: number
}

/** Compares what one channel delivered with its ledger, record by record. */
export class ChannelCheck {
  readonly topic: string
  readonly key: string
  readonly ledger: ChannelLedger
  readonly delivered: DeliveryLog
  /** Shards (connection ids without the dial time) that have carried the channel. */
  readonly shards = new Set<string>()
  readonly counts: ChannelCounts = {
    duplicated: 0,
    misordered: 0,
    altered: 0,
    booksCompared: 0,
    booksDifferent: 0
  }
  /** Every ordinal up to this one that was not delivered is superseded: a delivered snapshot covers it. */
  coveredThrough = -1
  /** Highest ordinal delivered or covered. */
  highest = -1
  readonly #connections: Connections
  readonly #findings: Findings
  readonly #book: BookReplica | null
  #isDelivered = new Uint8Array(firstCapacity)
  /** Whether the rebuilt book is worth comparing: not before its first snapshot, nor after it was found different. */
  #bookState: 'none' | 'known' | 'different' = 'none'
  /** Ordinal of the last update or snapshot in the rebuilt book. */
  #bookOrdinal = -1
  #lastWirePosition = -1
  #connection = -1
  #connectionId = ''
  #frameSeq = -1
  #frameIndex = -1
  /** Where each connection's stream stood when another one took over. */
  readonly #leftAt = new Map<number, number>()

  constructor(
    topic: string,
    key: string,
    ledger: ChannelLedger,
    connections: Connections,
    findings: Findings
  ) {
    this.topic = topic
    this.key = key
    this.ledger = ledger
    this.delivered = new DeliveryLog(connections)
    this.#connections = connections
    this.#findings = findings
    this.#book = ledger.isDeltaBook ? new BookReplica(ledger.bookDepth) : null
  }

  isDelivered(ordinal: number): boolean {
    return this.#isDelivered[ordinal] === 1
  }

  ticker(record: Ticker): void {
    const ordinal = this.ledger.findTicker(record)
    if (ordinal < 0) this.#unknown(record)
    else this.#event(record, ordinal, tickerFingerprint(record))
  }

  trade(record: Trade): void {
    const ordinal = this.ledger.findTrade(record)
    if (ordinal < 0) this.#unknown(record)
    else this.#event(record, ordinal, tradeFingerprint(record))
  }

  orderBook(record: OrderBook): void {
    if (this.#book !== null && record.kind === 'SNAPSHOT') {
      this.#snapshot(record, this.#book)
      return
    }
    const ordinal = this.ledger.findBook(record)
    if (ordinal < 0) {
      this.#unknown(record)
      return
    }
    const verdict = this.#event(record, ordinal, bookFingerprint(record))
    if (verdict === 'repeated') return
    if (this.#book === null) {
      // A whole book in one record: its fingerprint is the comparison.
      this.counts.booksCompared++
      if (verdict === 'altered') this.#differs(record, `whole book of ordinal ${ordinal}`)
    } else this.#delta(record, this.#book, ordinal)
  }

  /** A value that is no record of this channel. */
  unreadable(reason: string): void {
    this.counts.altered++
    this.#findings.sample('altered', () => `${this.key}: a value cannot be read: ${reason}`)
  }

  /** Notes one delivered event. */
  #event(record: DataRecord, ordinal: number, fingerprint: number): 'same' | 'altered' | 'repeated' {
    if (ordinal >= this.#isDelivered.length) this.#grow(ordinal)
    const isSame = fingerprint === this.ledger.fingerprint(ordinal)
    if (!isSame) {
      this.counts.altered++
      this.#findings.sample(
        'altered',
        () => `${this.key}: ordinal ${ordinal} is not what the market made: ${textOf(record)}`
      )
    }
    if (this.#isDelivered[ordinal] === 1) {
      this.counts.duplicated++
      this.#findings.sample(
        'duplicated',
        () => `${this.key}: ordinal ${ordinal} came again in ${placeOf(record)}`
      )
      return 'repeated'
    }
    this.#isDelivered[ordinal] = 1
    this.#order(record, ordinal)
    // A state that is shown again to a new subscription stands behind everything the wire had before.
    const isShownAgain = record.stream_type === 'SNAPSHOT'
    this.delivered.add(ordinal, isShownAgain, this.#connection, record.frame_seq, record.received_ts)
    if (ordinal > this.highest) this.highest = ordinal
    return isSame ? 'same' : 'altered'
  }

  /** Within a connection frames count up; the ledger's order holds always, but where the wire was told to swap. */
  #order(record: DataRecord, ordinal: number): void {
    this.#enter(record)
    const isLater =
      record.frame_seq > this.#frameSeq ||
      (record.frame_seq === this.#frameSeq && record.frame_index > this.#frameIndex)
    const position = this.ledger.wirePosition(ordinal)
    if (!isLater || position < this.#lastWirePosition) {
      this.counts.misordered++
      const [frameSeq, last] = [this.#frameSeq, this.#lastWirePosition]
      this.#findings.sample('misordered', () =>
        isLater
          ? `${this.key}: ordinal ${ordinal} in ${placeOf(record)} came after ordinal ${last}`
          : `${this.key}: ${placeOf(record)} (ordinal ${ordinal}) came after frame ${frameSeq}`
      )
    }
    this.#frameSeq = record.frame_seq
    this.#frameIndex = record.frame_index
    if (position > this.#lastWirePosition) this.#lastWirePosition = position
  }

  /** Makes the record's connection the current one. */
  #enter(record: DataRecord): void {
    if (record.connection_id === this.#connectionId) return
    if (this.#connection >= 0) this.#leftAt.set(this.#connection, this.#frameSeq)
    this.#connectionId = record.connection_id
    this.#connection = this.#connections.numberOf(record.connection_id)
    this.#frameSeq = this.#leftAt.get(this.#connection) ?? -1
    this.#frameIndex = -1
    this.shards.add(this.#connections.facts(this.#connection).shard)
  }

  /** A snapshot may come beside the stream: its place is told by its sequence or time, not by its frame number. */
  #snapshot(record: OrderBook, book: BookReplica): void {
    const ordinal = this.ledger.findBook(record)
    if (ordinal < -1) {
      this.#unknown(record)
      return
    }
    this.#enter(record)
    if (this.#bookState === 'known' && ordinal < this.#lastWirePosition) {
      this.counts.misordered++
      const last = this.#lastWirePosition
      this.#findings.sample(
        'misordered',
        () =>
          `${this.key}: the snapshot of ordinal ${ordinal} in ${placeOf(record)} came after ordinal ${last}`
      )
    }
    book.replace(record.bids, record.asks)
    this.#bookState = 'known'
    this.#bookOrdinal = ordinal
    this.#lastWirePosition = Math.max(this.#lastWirePosition, ordinal)
    this.coveredThrough = Math.max(this.coveredThrough, ordinal)
    this.highest = Math.max(this.highest, ordinal)
    this.delivered.add(ordinal, true, this.#connection, record.frame_seq, record.received_ts)
    this.#compare(record, book, ordinal)
  }

  /**
   * An update must follow the one before: what it skips might not show in the book for a while. But where the wire was told
   * to swap two, the second may undo the first: without numbers nobody can tell then, and the book is right.
   */
  #delta(record: OrderBook, book: BookReplica, ordinal: number): void {
    if (this.#bookState === 'different') return
    const before = this.#bookOrdinal
    this.#bookOrdinal = ordinal
    const isOvertaken = ordinal === before + 2 && this.ledger.swapped.has(before + 1)
    if (this.#bookState === 'none' || (ordinal !== before + 1 && !isOvertaken)) {
      const why = this.#bookState === 'none' ? 'without a snapshot' : `after ordinal ${before}`
      this.#bookState = 'different'
      this.#differs(record, `book with the update of ordinal ${ordinal} ${why}`)
      return
    }
    book.change(record.bids, record.asks)
    this.#compare(record, book, ordinal)
  }

  /** A book that differs is reported once; its next snapshot is compared again. */
  #compare(record: OrderBook, book: BookReplica, ordinal: number): void {
    this.counts.booksCompared++
    if (book.hash === this.ledger.bookHashAt(ordinal)) return
    this.#bookState = 'different'
    this.#differs(record, `book of ${book.levels} levels after ordinal ${ordinal}`)
  }

  #differs(record: OrderBook, what: string): void {
    this.counts.booksDifferent++
    this.#findings.sample(
      'books_different',
      () => `${this.key}: the ${what} (${record.kind}, ${placeOf(record)}) is not the market's`
    )
  }

  #unknown(record: DataRecord): void {
    this.counts.altered++
    this.#findings.sample(
      'altered',
      () => `${this.key}: no event of the market is this record: ${textOf(record)}`
    )
  }

  #grow(ordinal: number): void {
    const larger = new Uint8Array(Math.max(ordinal + 1, this.#isDelivered.length * 2))
    larger.set(this.#isDelivered)
    this.#isDelivered = larger
  }
}

/** Enough of a record to recognise it. */
function textOf(record: DataRecord): string {
  return JSON.stringify(record).slice(0, sampleCharsMax)
}

function placeOf(record: DataRecord): string {
  return `frame ${record.frame_seq}.${record.frame_index} of ${record.connection_id}`
}
