import { asIngestError } from '../core/errors.ts'
import { type Gap } from '../domain/gap.ts'
import { dataTopic, recordKey } from '../domain/routing.ts'
import { exchangeRegions, type Target, targetName } from '../domain/target.ts'
import { type Truth } from '../domain/truth.ts'
import { type FaultLog } from '../simulator/fault-log.ts'
import { type Ledger } from '../simulator/ledger.ts'
import { ChannelCheck } from './channel-check.ts'
import { Connections } from './connections.ts'
import { Coverage } from './coverage.ts'
import { isExcused } from './excuses.ts'
import { Findings } from './findings.ts'
import { edgesOf, GapList } from './gap-list.ts'
import { type DataRecord, RecordDecoder } from './record-decoder.ts'

const gapTopic = 'ws.gap.events'
const dataTopicPattern = /^(?:ticker|trade|orderbook)-data\./

/**
 * Compares the records read back from the sink with the ledgers of the simulated exchanges, while the run goes on, and
 * says at its end what was lost, declared, repeated or changed.
 */
export class Check {
  readonly #faults: FaultLog
  readonly #localDecoder = new RecordDecoder()
  readonly #connections = new Connections()
  readonly #findings = new Findings()
  readonly #gaps = new GapList()
  readonly #channels = new Map<string, ChannelCheck>()
  #strayAltered = 0
  #records = 0
  #lastReceivedMicros = 0

  constructor(ledger: Ledger, faults: FaultLog) {
    this.#faults = faults
    for (const channel of ledger.channels()) {
      const { exchange, requestType, symbol } = channel
      const target: Target = { region: exchangeRegions[exchange], exchange, request_type: requestType }
      const key = recordKey(target, symbol)
      const check = new ChannelCheck(dataTopic(target), key, channel, this.#connections, this.#findings)
      this.#channels.set(key, check)
      this.#gaps.addChannel(check)
    }
  }

  /** Data records read so far. */
  get records(): number {
    return this.#records
  }

  /** Microseconds since the epoch at which the newest record read had left its socket; 0 before the first. */
  get lastReceivedMicros(): number {
    return this.#lastReceivedMicros
  }

  /**
   * Takes one record of any topic; topics without market data or gaps are passed over.
   * @param decoder of the source, where a registry knows the schemas
   */
  accept(
    topic: string,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
    decoder: RecordDecoder = this.#localDecoder
  ): void {
    if (topic === gapTopic) {
      this.#gap(bytes, start, end)
      return
    }
    // Other topics have records under the same keys.
    if (!dataTopicPattern.test(topic)) return
    const channel = this.#channels.get(key)
    if (channel?.topic !== topic) {
      this.#stray(topic, key)
      return
    }
    this.#records++
    try {
      this.#data(channel, decoder, bytes, start, end)
    } catch (error) {
      channel.unreadable(asIngestError(error).message)
    }
  }

  /** Something about the reading itself that whoever reads the result should know. */
  note(sentence: string): void {
    this.#findings.note(sentence)
  }

  /** What was found so far; events behind the last one delivered are on their way and not counted. */
  interim(): Truth {
    return this.#evaluate(channel => Math.min(channel.highest + 1, channel.ledger.count))
  }

  /** What was found, when the markets stand still and everything has been read. */
  final(): Truth {
    return this.#evaluate(channel => channel.ledger.count)
  }

  /** Samples of what is wrong, as sentences. */
  explain(): string[] {
    return this.#findings.sentences()
  }

  #data(channel: ChannelCheck, decoder: RecordDecoder, bytes: Buffer, start: number, end: number): void {
    const { ledger } = channel
    switch (ledger.requestType) {
      case 'ticker': {
        const record = decoder.decode('ticker', bytes, start, end)
        if (this.#isAtHome(channel, record)) channel.ticker(record)
        break
      }
      case 'trade': {
        const record = decoder.decode('trade', bytes, start, end)
        if (this.#isAtHome(channel, record)) channel.trade(record)
        break
      }
      case 'orderbook': {
        const record = decoder.decode('orderbook', bytes, start, end)
        if (this.#isAtHome(channel, record)) channel.orderBook(record)
        break
      }
    }
  }

  /** Whether a record says of itself what its key says. */
  #isAtHome(channel: ChannelCheck, record: DataRecord): boolean {
    const { exchange, symbol, native } = channel.ledger
    if (record.received_ts > this.#lastReceivedMicros) this.#lastReceivedMicros = record.received_ts
    if (
      record.exchange === exchange &&
      record.symbol === symbol &&
      record.native_symbol === native &&
      record.region === exchangeRegions[exchange]
    ) {
      return true
    }
    channel.unreadable(
      `it names ${record.region} ${record.exchange} ${record.symbol} ${record.native_symbol}, its key does not`
    )
    return false
  }

  #gap(bytes: Buffer, start: number, end: number): void {
    try {
      this.#gaps.accept(JSON.parse(bytes.toString('utf8', start, end)) as Gap)
    } catch (error) {
      this.#strayAltered++
      this.#findings.sample('altered', () => `a gap event cannot be read: ${asIngestError(error).message}`)
    }
  }

  #stray(topic: string, key: string): void {
    this.#strayAltered++
    this.#findings.sample('altered', () => `${topic} has a record with key ${key}, which no market fills`)
  }

  #evaluate(sentOf: (channel: ChannelCheck) => number): Truth {
    this.#findings.forget('missing', 'overdeclared')
    const coverages = new Map<ChannelCheck, Coverage>()
    for (const channel of this.#channels.values()) {
      if (channel.ledger.isConfirmed || channel.delivered.count > 0) {
        coverages.set(channel, new Coverage(channel, sentOf(channel)))
      }
    }
    const overdeclared = this.#declare(coverages)
    const sum = { sent: 0, delivered: 0, superseded: 0, missing: 0, declaredMissing: 0 }
    for (const [channel, coverage] of coverages) {
      const counts = coverage.count(({ first, last }) =>
        this.#findings.sample('missing', () => this.#describeMissing(channel, first, last))
      )
      sum.sent += counts.sent
      sum.delivered += counts.delivered
      sum.superseded += counts.superseded
      sum.missing += counts.missing
      sum.declaredMissing += counts.declaredMissing
    }
    const faults = { duplicated: 0, misordered: 0, altered: this.#strayAltered, compared: 0, different: 0 }
    for (const { counts } of this.#channels.values()) {
      faults.duplicated += counts.duplicated
      faults.misordered += counts.misordered
      faults.altered += counts.altered
      faults.compared += counts.booksCompared
      faults.different += counts.booksDifferent
    }
    return {
      sent: sum.sent,
      delivered: sum.delivered,
      superseded: sum.superseded,
      missing: sum.missing,
      declared_missing: sum.declaredMissing,
      overdeclared,
      duplicated: faults.duplicated,
      misordered: faults.misordered,
      altered: faults.altered,
      books_compared: faults.compared,
      books_different: faults.different
    }
  }

  /** Applies every gap to the channels it concerns; the answer is how many were declared for nothing. */
  #declare(coverages: ReadonlyMap<ChannelCheck, Coverage>): number {
    let overdeclared = 0
    for (const { gap, madeAtEnd } of this.#gaps.all()) {
      let hasLoss = false
      for (const channel of this.#gaps.channelsOf(gap)) {
        const coverage = coverages.get(channel)
        if (coverage === undefined) continue
        const endMax = madeAtEnd?.get(channel) ?? Number.POSITIVE_INFINITY
        if (coverage.declare(edgesOf(gap, channel), endMax)) hasLoss = true
      }
      if (hasLoss || isExcused(gap, this.#faults)) continue
      overdeclared++
      this.#findings.sample(
        'overdeclared',
        () => `gap ${gap.gap_id} of ${targetName(gap.target)} lost nothing: ${JSON.stringify(gap)}`
      )
    }
    return overdeclared
  }

  #describeMissing(channel: ChannelCheck, first: number, last: number): string {
    const { delivered } = channel
    let before = -1
    let after = delivered.count
    for (let i = 0; i < delivered.count; i++) {
      const ordinal = delivered.ordinal(i)
      if (ordinal < first) before = i
      else if (ordinal > last && i < after) after = i
    }
    const gaps: string[] = []
    for (const { gap } of this.#gaps.all()) {
      if (!this.#gaps.channelsOf(gap).includes(channel)) continue
      const edges = edgesOf(gap, channel)
      if (Math.abs(edges.before - before) > 2 && Math.abs(edges.after - after) > 2) continue
      gaps.push(
        `${gap.gap_id} (${gap.reason}, ${gap.status}) between ${delivered.describe(edges.before)} and ${delivered.describe(edges.after)}`
      )
    }
    const near = gaps.length === 0 ? 'no gap is near' : `gaps near: ${gaps.slice(0, 3).join('; ')}`
    return (
      `${channel.key}: ordinals ${first} to ${last} of ${channel.ledger.count} lie between ` +
      `${delivered.describe(before)} and ${delivered.describe(after)}; ${near}`
    )
  }
}
