import { type ExchangeName, type RequestType } from '../domain/target.ts'
import { type BookFacts, type TickerFacts, type TradeFacts } from './fingerprint.ts'
import { eightDecimals, gatherOrdinal, ordinalModulus } from './ordinal-digits.ts'

/**
 * How a delivered record names its event:
 * `trade-id` contiguous ids; `size` ordinal scattered over the decimals of the trade's size; `volume` ordinal in the
 * decimals of the base volume; `best-bid` ordinal in the decimals of the best bid's size; `sequence` by `sequence_last`;
 * `time` by `exchange_ts` in microseconds, which then must be unique and grow within the channel (`unique-times.ts`).
 */
export type OrdinalPlace = 'trade-id' | 'size' | 'volume' | 'best-bid' | 'sequence' | 'time'

export interface LedgerTraits {
  readonly place: OrdinalPlace
  /** The channel sends changes of a book, so that the whole book is compared after each of them. */
  readonly isDeltaBook?: boolean
  /** Levels a side beyond which venue and reader forget a book's worst levels; null: none are forgotten. */
  readonly bookDepth?: number | null
  /** A client can notice that one event was left out: by its id, its sequence number or a checksum. */
  readonly lossIsNoticed?: boolean
}

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
  /** True for channels of changes to a book: only these have `bookHashAt`. */
  readonly isDeltaBook: boolean
  readonly bookDepth: number | null
  readonly lossIsNoticed: boolean
  /** Number of events made. Grows while markets run; stands still after `freeze`. */
  count = 0
  /** True once a client had this channel confirmed: only then is anything made. */
  isConfirmed = false
  /** Wall-clock time of the first confirmation in epoch milliseconds; 0 before it. */
  confirmedAtMs = 0
  /** Id of the event with ordinal 0, where `place` is `trade-id`. */
  firstTradeId = 0
  /** Key (sequence number or microseconds, by `place`) and hash of a delta book before ordinal 0. */
  baseKey = 0
  baseHash = 0
  /** Ordinals that went over the wire after their successor (fault `reorder`): ordinal n stands for the pair n, n+1. */
  readonly swapped = new Set<number>()
  #fingerprints = new Int32Array(firstCapacity)
  #keys: Float64Array
  #bookHashes: Int32Array

  constructor(
    exchange: ExchangeName,
    requestType: RequestType,
    symbol: string,
    native: string,
    traits: LedgerTraits
  ) {
    this.exchange = exchange
    this.requestType = requestType
    this.symbol = symbol
    this.native = native
    this.place = traits.place
    this.isDeltaBook = traits.isDeltaBook ?? false
    this.bookDepth = traits.bookDepth ?? null
    this.lossIsNoticed = traits.lossIsNoticed ?? false
    this.#keys = new Float64Array(this.#isKeyed ? firstCapacity : 0)
    this.#bookHashes = new Int32Array(this.isDeltaBook ? firstCapacity : 0)
  }

  get #isKeyed(): boolean {
    return this.place === 'sequence' || this.place === 'time'
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

  /** Adds the next event of a channel whose place is `sequence` or `time`; keys must grow. */
  appendKeyed(fingerprint: number, key: number): number {
    const ordinal = this.append(fingerprint)
    if (ordinal === this.#keys.length) this.#keys = grown(this.#keys)
    this.#keys[ordinal] = key
    return ordinal
  }

  /** The same for a change of a book, with the hash of the whole book after it. */
  appendDelta(fingerprint: number, key: number, bookHashAfter: number): number {
    const ordinal = this.appendKeyed(fingerprint, key)
    if (ordinal === this.#bookHashes.length) this.#bookHashes = grown(this.#bookHashes)
    this.#bookHashes[ordinal] = bookHashAfter
    return ordinal
  }

  fingerprint(ordinal: number): number {
    return this.#fingerprints[ordinal]!
  }

  keyAt(ordinal: number): number {
    return ordinal < 0 ? this.baseKey : this.#keys[ordinal]!
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
   * Ordinal of the event with this key; -1 for the base of a delta book, -2 when there is none (a snapshot's key always
   * is one of the first two).
   */
  ordinalOfKey(key: number): number {
    if (this.isDeltaBook && key === this.baseKey) return -1
    let low = 0
    let high = this.count - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#keys[middle]!
      if (found === key) return middle
      if (found < key) low = middle + 1
      else high = middle - 1
    }
    return -2
  }

  /** Ordinal of a delivered ticker, -1 when its digits name no event of this ledger. */
  findTicker(record: TickerFacts): number {
    if (this.place === 'time') return this.ordinalOfKey(Number(record.exchange_ts))
    if (record.base_volume === null) return -1
    return this.#known(eightDecimals(record.base_volume))
  }

  findTrade(record: TradeFacts): number {
    if (this.place === 'time') return this.ordinalOfKey(Number(record.exchange_ts))
    if (this.place === 'trade-id') return this.#known(Number(record.trade_id) - this.firstTradeId)
    const decimals = eightDecimals(record.size)
    return decimals < 0 ? -1 : this.#known(gatherOrdinal(decimals))
  }

  /** Ordinal of a delivered book or change of one, -1 for the base of a delta book, -2 when there is no such event. */
  findBook(record: BookFacts): number {
    if (this.place === 'sequence') {
      return record.sequence_last === null ? -2 : this.ordinalOfKey(Number(record.sequence_last))
    }
    if (this.place === 'time') return this.ordinalOfKey(Number(record.exchange_ts))
    const best = record.bids[0]
    const decimals = best === undefined ? -1 : eightDecimals(best.size)
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
