import avsc from 'avsc'
import { type OrderBook, orderBookSchema } from '../../schemas/generated/order-book.ts'
import { type Trade, tradeSchema } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }
import { type Gap } from '../../src/domain/gap.ts'
import { dataTopic, recordKey } from '../../src/domain/routing.ts'
import { type Target } from '../../src/domain/target.ts'
import { type Truth } from '../../src/domain/truth.ts'
import { type Fault, FaultLog } from '../../src/simulator/fault-log.ts'
import {
  bookFingerprint,
  bookHash,
  type LevelFacts,
  levelHash,
  tradeFingerprint
} from '../../src/simulator/fingerprint.ts'
import { ChannelLedger, Ledger } from '../../src/simulator/ledger.ts'
import { Check } from '../../src/verify/check.ts'

export const startMs = 1_790_000_000_000
const tradeTarget: Target = { region: 'asia', exchange: 'binance', request_type: 'trade' }
const bookTarget: Target = { region: 'asia', exchange: 'binance', request_type: 'orderbook' }
const firstTradeId = 1000
const firstSequence = 5000

const tradeType = avsc.Type.forSchema(JSON.parse(tradeSchema) as avsc.Schema)
const bookType = avsc.Type.forSchema(JSON.parse(orderBookSchema) as avsc.Schema)

/** Where a record was received: the n-th connection of the shard (from 0) and its frame. */
export interface Place {
  readonly connection?: number
  readonly frame: number
}

/** Connections are dialled ten seconds apart. */
export function connectionId(target: Target, connection = 0): string {
  return `pod-0/${target.exchange}/${target.request_type}/0/${startMs + connection * 10_000}`
}

/** Records are received a millisecond apart, frame by frame. */
export function microsAt({ connection = 0, frame }: Place): number {
  return (startMs + connection * 10_000 + frame) * 1000
}

/**
 * Hand-made markets, one of trades with contiguous ids and one of a book with sequence numbers, both of BTC-USDT on
 * Binance, and a check over them.
 */
export class CheckBench {
  readonly ledger = new Ledger()
  readonly faults = new FaultLog()
  readonly check: Check
  readonly trades = channel('trade', 'trade-id')
  readonly book = channel('orderbook', 'sequence')
  readonly #deltas: OrderBook[] = []
  readonly #books: LevelFacts[][] = []
  readonly #bids = new Map<string, string>([['99.0', '1.0']])
  readonly #madeTrades: Trade[] = []

  constructor() {
    this.trades.firstTradeId = firstTradeId
    this.book.baseKey = firstSequence
    this.book.baseHash = levelHash('bid', '99.0', '1.0')
    this.ledger.add(this.trades)
    this.ledger.add(this.book)
    this.check = new Check(this.ledger, this.faults)
  }

  /** The market makes trades. */
  makeTrades(count: number): void {
    this.trades.confirm(startMs)
    for (let i = 0; i < count; i++) {
      const ordinal = this.trades.count
      const trade: Trade = {
        ...common(tradeTarget, { frame: ordinal + 1 }),
        trade_id: String(firstTradeId + ordinal),
        price: `100.${ordinal}`,
        size: '0.5',
        side: 'BUY',
        sequence: null
      }
      this.#madeTrades.push(trade)
      this.trades.append(tradeFingerprint(trade))
    }
  }

  /** The market makes book updates; each sets one bid and every third one removes one. */
  makeDeltas(count: number): void {
    this.book.confirm(startMs)
    for (let i = 0; i < count; i++) {
      const ordinal = this.book.count
      const sequence = firstSequence + 2 * ordinal
      const price = `${90 + (ordinal % 5)}.0`
      const size = ordinal % 3 === 2 ? '0.00000000' : `${ordinal + 1}.5`
      if (ordinal % 3 === 2) this.#bids.delete(price)
      else this.#bids.set(price, size)
      const delta: OrderBook = {
        ...common(bookTarget, { frame: ordinal + 1 }),
        kind: 'DELTA',
        bids: [{ price, size }],
        asks: [],
        sequence_first: String(sequence + 1),
        sequence_last: String(sequence + 2),
        sequence_previous: null,
        checksum: null
      }
      const levels = [...this.#bids].map(([bidPrice, bidSize]) => ({ price: bidPrice, size: bidSize }))
      this.#deltas.push(delta)
      this.#books.push(levels)
      this.book.appendDelta(bookFingerprint(delta), sequence + 2, bookHash(levels, []))
    }
  }

  /** The service delivers a trade, by default in the frame of its ordinal. */
  deliverTrade(ordinal: number, place: Place = { frame: ordinal + 1 }, changes: Partial<Trade> = {}): void {
    const trade = { ...this.#madeTrades[ordinal]!, ...position(tradeTarget, place), ...changes }
    this.deliver(tradeTarget, tradeType.toBuffer(trade), ids.Trade)
  }

  deliverDelta(
    ordinal: number,
    place: Place = { frame: ordinal + 1 },
    changes: Partial<OrderBook> = {}
  ): void {
    const delta = { ...this.#deltas[ordinal]!, ...position(bookTarget, place), ...changes }
    this.deliver(bookTarget, bookType.toBuffer(delta), ids.OrderBook)
  }

  /** The service delivers the whole book as it was after an ordinal; -1 is the book before the first. */
  deliverSnapshot(ordinal: number, place: Place, changes: Partial<OrderBook> = {}): void {
    const snapshot: OrderBook = {
      ...common(bookTarget, place),
      stream_type: 'SNAPSHOT',
      kind: 'SNAPSHOT',
      bids: ordinal < 0 ? [{ price: '99.0', size: '1.0' }] : this.#books[ordinal]!,
      asks: [],
      sequence_first: null,
      sequence_last: String(firstSequence + 2 * (ordinal + 1)),
      sequence_previous: null,
      checksum: null,
      ...changes
    }
    this.deliver(bookTarget, bookType.toBuffer(snapshot), ids.OrderBook)
  }

  /** The service delivers some value for BTC-USDT. */
  deliver(target: Target, body: Uint8Array, schemaId: number): void {
    // Around the value lie other bytes, as in a chunk.
    const bytes = Buffer.alloc(body.length + 5 + 16, 0xff)
    bytes.writeUInt8(0, 8)
    bytes.writeInt32BE(schemaId, 9)
    bytes.set(body, 13)
    this.check.accept(dataTopic(target), recordKey(target, 'BTC-USDT'), bytes, 8, 13 + body.length)
  }

  /** The service declares a gap of the trades from behind one place to another; `to` null leaves it open. */
  declareTradeGap(id: string, from: Place, to: Place | null, changes: Partial<Gap> = {}): void {
    this.declareGap(tradeTarget, id, from, to, changes)
  }

  declareBookGap(id: string, from: Place, to: Place | null, changes: Partial<Gap> = {}): void {
    this.declareGap(bookTarget, id, from, to, changes)
  }

  declareGap(target: Target, id: string, from: Place, to: Place | null, changes: Partial<Gap>): void {
    const hasNext = to !== null && (to.connection ?? 0) !== (from.connection ?? 0)
    const gap: Gap = {
      gap_id: id,
      status: to === null ? 'open' : 'closed',
      target,
      symbol: 'BTC-USDT',
      connection_id: connectionId(target, from.connection),
      next_connection_id: hasNext ? connectionId(target, to.connection) : null,
      reason: 'disconnect',
      opened_ts: microsAt(from),
      closed_ts: to === null ? null : microsAt(to),
      last_frame_seq: from.frame,
      first_frame_seq: to?.frame ?? null,
      last_sequence: null,
      first_sequence: null,
      missed: null,
      shed: null,
      ...changes
    }
    const bytes = Buffer.from(JSON.stringify(gap))
    this.check.accept('ws.gap.events', recordKey(target, gap.symbol ?? '*'), bytes, 0, bytes.length)
  }

  /** The simulators record a fault. */
  fault(fault: Partial<Fault> & Pick<Fault, 'kind' | 'atMs'>): void {
    this.faults.record({
      exchange: 'binance',
      channels: null,
      connection: null,
      connectionOpenedMs: null,
      untilMs: fault.atMs,
      ...fault
    })
  }

  truth(): Truth {
    return this.check.final()
  }
}

function channel(requestType: 'trade' | 'orderbook', place: 'trade-id' | 'sequence'): ChannelLedger {
  return new ChannelLedger('binance', requestType, 'BTC-USDT', 'BTCUSDT', {
    place,
    isDeltaBook: place === 'sequence'
  })
}

function position(target: Target, place: Place): Pick<Trade, 'connection_id' | 'frame_seq' | 'received_ts'> {
  return {
    connection_id: connectionId(target, place.connection),
    frame_seq: place.frame,
    received_ts: microsAt(place)
  }
}

function common(target: Target, place: Place) {
  return {
    exchange: target.exchange,
    region: target.region,
    symbol: 'BTC-USDT',
    native_symbol: 'BTCUSDT',
    exchange_ts: microsAt(place),
    frame_index: 0,
    stream_type: 'REALTIME' as 'REALTIME' | 'SNAPSHOT',
    extras: null,
    ...position(target, place)
  }
}
