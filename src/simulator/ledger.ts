import { type ExchangeName, type RequestType } from '../domain/target.ts'
import { type BookFacts, type TickerFacts, type TradeFacts } from './fingerprint.ts'
import { gatherOrdinal, lastEightDecimals, ordinalModulus } from './ordinal-digits.ts'

/**
 * How a delivered record names its event:
 * `trade-id` contiguous ids; `size` ordinal scattered over the decimals of the trade's size; `volume` ordinal in the
 * decimals of the base volume; `best-bid` ordinal in the decimals of the best bid's size; `sequence` by `sequence_last`.
 */
export type OrdinalPlace = 'trade-id' | 'size' | 'volume' | 'best-bid' | 'sequence'

const firstCapacity = 1024

/**
 * Every event that one market made on one channel since the channel was first confirmed, as ordinals 0 … count-1 in the
 * order of the wire. Four bytes an event, sixteen for a book with sequence numbers; no text, no object.
 */
export class ChannelLedger {
  readonly exchange: ExchangeName
  readonly requestType: RequestType
  readonly symbol: string
  readonly native: string
  readonly place: OrdinalPlace
  /** Number of events made. Grows while markets run; stands still after `freeze`. */
  count = 0
  /** True once a client had this channel confirmed: only then is anything made. */
  isConfirmed = false
  /** Wall-clock time of the first confirmation in epoch milliseconds; 0 before it. */
  confirmedAtMs = 0
  /** Id of the event with ordinal 0, where `place` is `trade-id`. */
  firstTradeId = 0
  /** Sequence number and hash of the book before ordinal 0, where `place` is `sequence`. */
  baseSequence = 0
  baseHash = 0
  /** Ordinals that went over the wire after their successor (fault `reorder`): ordinal n stands for the pair n, n+1. */
  readonly swapped = new Set<number>()
  #fingerprints = new Int32Array(firstCapacity)
  #sequences: Float64Array
  #bookHashes: Int32Array

  constructor(
    exchange: ExchangeName,
    requestType: RequestType,
    symbol: string,
    native: string,
    place: OrdinalPlace
  ) {
    this.exchange = exchange
    this.requestType = requestType
    this.symbol = symbol
    this.native = native
    this.place = place
    const capacity = place === 'sequence' ? firstCapacity : 0
    this.#sequences = new Float64Array(capacity)
    this.#bookHashes = new Int32Array(capacity)
  }

  /** True for books whose deltas carry sequence numbers; only these have `sequenceLast` and `bookHashAt`. */
  get hasSequences(): boolean {
    return this.place === 'sequence'
  }

  confirm(atMs: number): void {
    if (this.isConfirmed) return
    this.isConfirmed = true
    this.confirmedAtMs = atMs
  }

  /** Adds the next event and returns its ordinal. */
  append(fingerprint: number): number {
    if (this.count === this.#fingerprints.length) this.#fingerprints = grown(this.#fingerprints)
    this.#fingerprints[this.count] = fingerprint
    return this.count++
  }

  /** Adds the next delta of a book with sequence numbers, with the hash of the whole book after it. */
  appendDelta(fingerprint: number, sequenceLast: number, bookHashAfter: number): number {
    const ordinal = this.append(fingerprint)
    if (ordinal === this.#sequences.length) {
      this.#sequences = grown(this.#sequences)
      this.#bookHashes = grown(this.#bookHashes)
    }
    this.#sequences[ordinal] = sequenceLast
    this.#bookHashes[ordinal] = bookHashAfter
    return ordinal
  }

  fingerprint(ordinal: number): number {
    return this.#fingerprints[ordinal]!
  }

  sequenceLast(ordinal: number): number {
    return ordinal < 0 ? this.baseSequence : this.#sequences[ordinal]!
  }

  /** Hash of the whole book after an ordinal; -1 is the book before the first. */
  bookHashAt(ordinal: number): number {
    return ordinal < 0 ? this.baseHash : this.#bookHashes[ordinal]!
  }

  /** Position of an ordinal on the wire: the ordinal itself but for pairs that were swapped on request. */
  wirePosition(ordinal: number): number {
    if (this.swapped.size === 0) return ordinal
    if (this.swapped.has(ordinal)) return ordinal + 1
    return this.swapped.has(ordinal - 1) ? ordinal - 1 : ordinal
  }

  /**
   * Ordinal of the delta that ends with this sequence number; -1 for the base of the ledger, -2 when there is none (a
   * snapshot's `sequence_last` always is one of the first two).
   */
  ordinalOfSequence(sequence: number): number {
    if (sequence === this.baseSequence) return -1
    let low = 0
    let high = this.count - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#sequences[middle]!
      if (found === sequence) return middle
      if (found < sequence) low = middle + 1
      else high = middle - 1
    }
    return -2
  }

  /** Ordinal of a delivered ticker, -1 when its digits name no event of this ledger. */
  findTicker(record: TickerFacts): number {
    if (record.base_volume === null) return -1
    return this.#known(lastEightDecimals(record.base_volume))
  }

  findTrade(record: TradeFacts): number {
    if (this.place === 'trade-id') return this.#known(Number(record.trade_id) - this.firstTradeId)
    const decimals = lastEightDecimals(record.size)
    return decimals < 0 ? -1 : this.#known(gatherOrdinal(decimals))
  }

  /** Ordinal of a delivered whole book or delta; snapshots of sequence books are found by `ordinalOfSequence`. */
  findBook(record: BookFacts): number {
    if (this.place === 'sequence') {
      return record.sequence_last === null
        ? -1
        : Math.max(this.ordinalOfSequence(Number(record.sequence_last)), -1)
    }
    const best = record.bids[0]
    const decimals = best === undefined ? -1 : lastEightDecimals(best.size)
    return decimals < 0 ? -1 : this.#known(gatherOrdinal(decimals))
  }

  #known(ordinal: number): number {
    return Number.isInteger(ordinal) && ordinal >= 0 && ordinal < Math.min(this.count, ordinalModulus)
      ? ordinal
      : -1
  }
}

/** All channel ledgers of a run. */
export class Ledger {
  readonly #channels = new Map<string, ChannelLedger>()

  add(channel: ChannelLedger): void {
    this.#channels.set(channelKey(channel.exchange, channel.requestType, channel.symbol), channel)
  }

  get(exchange: string, requestType: string, symbol: string): ChannelLedger | undefined {
    return this.#channels.get(channelKey(exchange, requestType, symbol))
  }

  /** Channels in a fixed order, confirmed or not. */
  channels(): IterableIterator<ChannelLedger> {
    return this.#channels.values()
  }

  /** Events made on all channels. */
  get sent(): number {
    let sum = 0
    for (const channel of this.#channels.values()) sum += channel.count
    return sum
  }
}

function channelKey(exchange: string, requestType: string, symbol: string): string {
  return `${exchange}/${requestType}:${symbol}`
}

function grown<A extends Int32Array | Float64Array>(array: A): A {
  const larger = (
    array instanceof Int32Array ? new Int32Array(array.length * 2) : new Float64Array(array.length * 2)
  ) as A
  larger.set(array)
  return larger
}
