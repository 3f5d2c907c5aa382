import { type OrderBook } from '../../schemas/generated/order-book.ts'
import { type Ticker } from '../../schemas/generated/ticker.ts'
import { type Trade } from '../../schemas/generated/trade.ts'

/**
 * What a straightforward program makes of a frame: JSON.parse and an object of the shape of our records. Digits pass
 * through JavaScript numbers on Upbit, as they do in such a program. The objects are written out field by field:
 * spreading a common part would be shorter and cost the baselines several times the time.
 */
export type Normalised =
  | { readonly type: 'ticker'; readonly record: Ticker }
  | { readonly type: 'trade'; readonly record: Trade }
  | { readonly type: 'orderbook'; readonly record: OrderBook }

interface BinanceData {
  readonly e: string
  readonly E: number
  readonly s: string
  readonly T: number
  readonly t: number
  readonly p: string
  readonly q: string
  readonly m: boolean
  readonly U: number
  readonly u: number
  readonly P: string
  readonly x: string
  readonly c: string
  readonly o: string
  readonly h: string
  readonly l: string
  readonly v: string
  readonly B: string
  readonly A: string
  /** Best prices of a ticker, levels of a depth update. */
  readonly b: string | [string, string][]
  readonly a: string | [string, string][]
}

interface UpbitData {
  readonly type: string
  readonly code: string
  readonly timestamp: number
  readonly trade_timestamp: number
  readonly stream_type: 'SNAPSHOT' | 'REALTIME'
  readonly sequential_id: number
  readonly trade_price: number
  readonly trade_volume: number
  readonly ask_bid: 'ASK' | 'BID'
  readonly opening_price: number
  readonly high_price: number
  readonly low_price: number
  readonly prev_closing_price: number
  readonly acc_trade_volume_24h: number
  readonly acc_trade_price_24h: number
  readonly signed_change_price: number
  readonly signed_change_rate: number
  readonly orderbook_units: { ask_price: number; bid_price: number; ask_size: number; bid_size: number }[]
}

const connectionId = 'bench/0'

/** Null for acks and other control frames. */
export function normalise(text: string, receivedMicros: number, frameSeq: number): Normalised | null {
  const frame = JSON.parse(text) as { readonly data?: BinanceData } & Partial<UpbitData>
  if (frame.data !== undefined) return binance(frame.data, receivedMicros, frameSeq)
  if (frame.type !== undefined) return upbit(frame as UpbitData, receivedMicros, frameSeq)
  return null
}

function binance(data: BinanceData, micros: number, seq: number): Normalised | null {
  switch (data.e) {
    case 'trade':
      return { type: 'trade', record: binanceTrade(data, micros, seq) }
    case 'depthUpdate':
      return { type: 'orderbook', record: binanceBook(data, micros, seq) }
    case '24hrTicker':
      return { type: 'ticker', record: binanceTicker(data, micros, seq) }
    default:
      return null
  }
}

function upbit(data: UpbitData, micros: number, seq: number): Normalised | null {
  switch (data.type) {
    case 'trade':
      return { type: 'trade', record: upbitTrade(data, micros, seq) }
    case 'orderbook':
      return { type: 'orderbook', record: upbitBook(data, micros, seq) }
    case 'ticker':
      return { type: 'ticker', record: upbitTicker(data, micros, seq) }
    default:
      return null
  }
}

function binanceTrade(data: BinanceData, micros: number, seq: number): Trade {
  return {
    exchange: 'binance',
    region: 'asia',
    symbol: `${data.s.slice(0, -4)}-USDT`,
    native_symbol: data.s,
    exchange_ts: data.T * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: 'REALTIME',
    trade_id: String(data.t),
    price: data.p,
    size: data.q,
    side: data.m ? 'SELL' : 'BUY',
    sequence: null,
    extras: null
  }
}

function binanceBook(data: BinanceData, micros: number, seq: number): OrderBook {
  const level = ([price, size]: [string, string]) => ({ price, size })
  return {
    exchange: 'binance',
    region: 'asia',
    symbol: `${data.s.slice(0, -4)}-USDT`,
    native_symbol: data.s,
    exchange_ts: data.E * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: 'REALTIME',
    kind: 'DELTA',
    bids: (data.b as [string, string][]).map(level),
    asks: (data.a as [string, string][]).map(level),
    sequence_first: String(data.U),
    sequence_last: String(data.u),
    sequence_previous: null,
    checksum: null,
    extras: null
  }
}

function binanceTicker(data: BinanceData, micros: number, seq: number): Ticker {
  return {
    exchange: 'binance',
    region: 'asia',
    symbol: `${data.s.slice(0, -4)}-USDT`,
    native_symbol: data.s,
    exchange_ts: data.E * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: 'REALTIME',
    last: data.c,
    open: data.o,
    high: data.h,
    low: data.l,
    prev_close: data.x,
    bid: data.b as string,
    bid_size: data.B,
    ask: data.a as string,
    ask_size: data.A,
    base_volume: data.v,
    quote_volume: data.q,
    change: data.p,
    change_rate: String(Number(data.P) / 100),
    price_window: 'ROLLING_24H',
    volume_window: 'ROLLING_24H',
    extras: null
  }
}

function upbitTrade(data: UpbitData, micros: number, seq: number): Trade {
  return {
    exchange: 'upbit',
    region: 'korea',
    symbol: swapped(data.code),
    native_symbol: data.code,
    exchange_ts: data.trade_timestamp * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: data.stream_type,
    trade_id: String(data.sequential_id),
    price: String(data.trade_price),
    size: String(data.trade_volume),
    side: data.ask_bid === 'BID' ? 'BUY' : 'SELL',
    sequence: null,
    extras: null
  }
}

function upbitBook(data: UpbitData, micros: number, seq: number): OrderBook {
  return {
    exchange: 'upbit',
    region: 'korea',
    symbol: swapped(data.code),
    native_symbol: data.code,
    exchange_ts: data.timestamp * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: data.stream_type,
    kind: 'SNAPSHOT',
    bids: data.orderbook_units.map(unit => ({ price: String(unit.bid_price), size: String(unit.bid_size) })),
    asks: data.orderbook_units.map(unit => ({ price: String(unit.ask_price), size: String(unit.ask_size) })),
    sequence_first: null,
    sequence_last: null,
    sequence_previous: null,
    checksum: null,
    extras: null
  }
}

function upbitTicker(data: UpbitData, micros: number, seq: number): Ticker {
  return {
    exchange: 'upbit',
    region: 'korea',
    symbol: swapped(data.code),
    native_symbol: data.code,
    exchange_ts: data.timestamp * 1000,
    received_ts: micros,
    connection_id: connectionId,
    frame_seq: seq,
    frame_index: 0,
    stream_type: data.stream_type,
    last: String(data.trade_price),
    open: String(data.opening_price),
    high: String(data.high_price),
    low: String(data.low_price),
    prev_close: String(data.prev_closing_price),
    bid: null,
    bid_size: null,
    ask: null,
    ask_size: null,
    base_volume: String(data.acc_trade_volume_24h),
    quote_volume: String(data.acc_trade_price_24h),
    change: String(data.signed_change_price),
    change_rate: String(data.signed_change_rate),
    price_window: 'UTC_DAY',
    volume_window: 'ROLLING_24H',
    extras: null
  }
}

function swapped(code: string): string {
  const dash = code.indexOf('-')
  return `${code.slice(dash + 1)}-${code.slice(0, dash)}`
}
