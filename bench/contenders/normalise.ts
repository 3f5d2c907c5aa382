/**
 * What a straightforward program does with a frame: JSON.parse, an object of the shape of our records, JSON.stringify.
 * Digits pass through JavaScript numbers on Upbit, as they do in such a program.
 */
export interface NaiveRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
}

interface BinanceData {
  readonly e: string
  readonly E: number
  readonly s: string
  readonly [field: string]: unknown
}

interface UpbitData {
  readonly type: 'ticker' | 'trade' | 'orderbook'
  readonly code: string
  readonly timestamp: number
  readonly trade_timestamp: number
  readonly sequential_id: number
  readonly stream_type: string
  readonly ask_bid: string
  readonly orderbook_units: { ask_price: number; bid_price: number; ask_size: number; bid_size: number }[]
  readonly [field: string]: unknown
}

let frameSeq = 0

/** Null for acks and other control frames. */
export function normalise(text: string, receivedMicros: number): NaiveRecord | null {
  const frame = JSON.parse(text) as { stream?: string; data?: BinanceData; type?: string }
  if (frame.data !== undefined) return binance(frame.data, receivedMicros)
  if (frame.type !== undefined) return upbit(frame as unknown as UpbitData, receivedMicros)
  return null
}

function head(exchange: string, region: string, symbol: string, native: string, eventMs: number, micros: number) {
  return {
    exchange,
    region,
    symbol,
    native_symbol: native,
    exchange_ts: eventMs * 1000,
    received_ts: micros,
    connection_id: 'bench/0',
    frame_seq: ++frameSeq,
    frame_index: 0,
    stream_type: 'REALTIME'
  }
}

function binance(data: BinanceData, micros: number): NaiveRecord | null {
  const native = data.s
  const symbol = `${native.slice(0, -4)}-USDT`
  const common = head('binance', 'asia', symbol, native, data.E, micros)
  switch (data.e) {
    case 'trade':
      return record('trade', common, {
        trade_id: String(data['t']),
        price: data['p'],
        size: data['q'],
        side: data['m'] === true ? 'SELL' : 'BUY',
        sequence: null
      })
    case 'depthUpdate':
      return record('orderbook', common, {
        kind: 'DELTA',
        bids: (data['b'] as [string, string][]).map(([price, size]) => ({ price, size })),
        asks: (data['a'] as [string, string][]).map(([price, size]) => ({ price, size })),
        sequence_first: String(data['U']),
        sequence_last: String(data['u'])
      })
    case '24hrTicker':
      return record('ticker', common, {
        last: data['c'],
        open: data['o'],
        high: data['h'],
        low: data['l'],
        prev_close: data['x'],
        bid: data['b'],
        bid_size: data['B'],
        ask: data['a'],
        ask_size: data['A'],
        base_volume: data['v'],
        quote_volume: data['q'],
        change: data['p'],
        change_rate: Number(data['P']) / 100
      })
    default:
      return null
  }
}

function upbit(data: UpbitData, micros: number): NaiveRecord {
  const [quote, base] = data.code.split('-')
  const common = head('upbit', 'korea', `${base}-${quote}`, data.code, data.timestamp, micros)
  switch (data.type) {
    case 'trade':
      return record('trade', common, {
        trade_id: String(data.sequential_id),
        price: String(data['trade_price']),
        size: String(data['trade_volume']),
        side: data.ask_bid === 'BID' ? 'BUY' : 'SELL',
        sequence: null
      })
    case 'orderbook':
      return record('orderbook', common, {
        kind: 'SNAPSHOT',
        bids: data.orderbook_units.map(unit => ({ price: String(unit.bid_price), size: String(unit.bid_size) })),
        asks: data.orderbook_units.map(unit => ({ price: String(unit.ask_price), size: String(unit.ask_size) }))
      })
    case 'ticker':
      return record('ticker', common, {
        last: String(data['trade_price']),
        open: String(data['opening_price']),
        high: String(data['high_price']),
        low: String(data['low_price']),
        prev_close: String(data['prev_closing_price']),
        base_volume: String(data['acc_trade_volume_24h']),
        quote_volume: String(data['acc_trade_price_24h']),
        change: String(data['signed_change_price']),
        change_rate: String(data['signed_change_rate'])
      })
  }
}

function record(type: string, common: ReturnType<typeof head>, rest: object): NaiveRecord {
  const { region, exchange, symbol } = common
  return {
    topic: `${type}-data.${region}`,
    key: `${region}|${exchange}|${type}|${symbol}`,
    value: JSON.stringify({ ...common, ...rest, extras: null })
  }
}
