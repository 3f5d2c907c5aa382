import assert from 'node:assert/strict'
import { type RequestType } from '../../src/domain/target.ts'
import {
  type BookFacts,
  bookFingerprint,
  type LevelFacts,
  type TickerFacts,
  type TradeFacts,
  tickerFingerprint,
  tradeFingerprint
} from '../../src/simulator/fingerprint.ts'
import { type ChannelLedger } from '../../src/simulator/ledger.ts'
import { type Simulators } from '../../src/simulator/simulator.ts'
import { parseExactly } from './simulator-client.ts'

/** What a reader should make of one data frame, read without any code of the adapters. */
export type FrameFacts =
  | { readonly symbol: string; readonly type: 'ticker'; readonly facts: TickerFacts }
  | { readonly symbol: string; readonly type: 'trade'; readonly facts: TradeFacts }
  | { readonly symbol: string; readonly type: 'orderbook'; readonly facts: BookFacts }

type Texts = Readonly<Record<string, string>>

const micros = (ms: string | undefined): string => `${ms}000`
const noSequences = { sequence_first: null, sequence_last: null, sequence_previous: null }
const isZero = (text: string): boolean => /^0(\.0*)?$/.test(text)

export function bithumbFacts(frame: string): FrameFacts | null {
  const f = parseExactly(frame) as Texts
  if (f['type'] === undefined) return null
  const symbol = f['code']!.split('-').reverse().join('-')
  if (f['type'] === 'trade') {
    const facts = {
      exchange_ts: micros(f['trade_timestamp']),
      trade_id: f['sequential_id']!,
      price: f['trade_price']!,
      size: f['trade_volume']!,
      side: f['ask_bid'] === 'BID' ? 'BUY' : 'SELL',
      sequence: null
    }
    return { symbol, type: 'trade', facts }
  }
  if (f['type'] === 'ticker') {
    const facts = {
      exchange_ts: micros(f['timestamp']),
      last: f['trade_price']!,
      open: f['opening_price']!,
      high: f['high_price']!,
      low: f['low_price']!,
      prev_close: f['prev_closing_price']!,
      bid: null,
      bid_size: null,
      ask: null,
      ask_size: null,
      base_volume: f['acc_trade_volume_24h']!,
      quote_volume: f['acc_trade_price_24h']!,
      change: f['signed_change_price']!,
      change_rate: f['signed_change_rate']!,
      price_window: 'LOCAL_DAY',
      volume_window: 'ROLLING_24H'
    }
    return { symbol, type: 'ticker', facts }
  }
  const units = f['orderbook_units'] as unknown as Texts[]
  const side = (name: 'bid' | 'ask'): LevelFacts[] =>
    units
      .map(unit => ({ price: unit[`${name}_price`]!, size: unit[`${name}_size`]! }))
      .filter(({ price, size }) => !isZero(price) && !isZero(size))
  const facts = {
    exchange_ts: f['timestamp']!,
    kind: 'SNAPSHOT',
    ...noSequences,
    bids: side('bid'),
    asks: side('ask')
  }
  return { symbol, type: 'orderbook', facts }
}

export function coinoneFacts(frame: string): FrameFacts | null {
  const { response_type, channel, data } = parseExactly(frame)
  if (response_type !== 'DATA') return null
  const f = data as Texts
  const symbol = `${f['target_currency']}-${f['quote_currency']}`
  const exchange_ts = micros(f['timestamp'])
  if (channel === 'TRADE') {
    const facts = {
      exchange_ts,
      trade_id: f['id']!,
      price: f['price']!,
      size: f['qty']!,
      side: (f['is_seller_maker'] as unknown) === true ? 'BUY' : 'SELL',
      sequence: null
    }
    return { symbol, type: 'trade', facts }
  }
  if (channel === 'TICKER') {
    const facts = {
      exchange_ts,
      last: f['last']!,
      open: f['first']!,
      high: f['high']!,
      low: f['low']!,
      prev_close: f['yesterday_last']!,
      bid: f['bid_best_price']!,
      bid_size: f['bid_best_qty']!,
      ask: f['ask_best_price']!,
      ask_size: f['ask_best_qty']!,
      base_volume: f['target_volume']!,
      quote_volume: f['quote_volume']!,
      change: null,
      change_rate: null,
      price_window: 'UTC_DAY',
      volume_window: 'ROLLING_24H'
    }
    return { symbol, type: 'ticker', facts }
  }
  const side = (name: string): LevelFacts[] =>
    (f[name] as unknown as Texts[]).map(level => ({ price: level['price']!, size: level['qty']! }))
  const facts = {
    exchange_ts,
    kind: 'SNAPSHOT',
    ...noSequences,
    sequence_last: f['id']!,
    bids: side('bids'),
    asks: side('asks').reverse()
  }
  return { symbol, type: 'orderbook', facts }
}

export function korbitFacts(frame: string): FrameFacts | null {
  const { symbol: name, timestamp, type, data } = parseExactly(frame)
  if (name === undefined) return null
  const symbol = (name as string).replace('_', '-').toUpperCase()
  if (type === 'trade') {
    const f = (data as Texts[])[0]!
    const facts = {
      exchange_ts: micros(f['timestamp']),
      trade_id: f['tradeId']!,
      price: f['price']!,
      size: f['qty']!,
      side: (f['isBuyerTaker'] as unknown) === true ? 'BUY' : 'SELL',
      sequence: null
    }
    return { symbol, type, facts }
  }
  const f = data as Texts
  if (type === 'ticker') {
    const percent = /^(-?)(\d)\.(\d\d)$/.exec(f['priceChangePercent']!)!
    const facts = {
      exchange_ts: micros(timestamp as string),
      last: f['close']!,
      open: f['open']!,
      high: f['high']!,
      low: f['low']!,
      prev_close: f['prevClose']!,
      bid: f['bestBidPrice']!,
      bid_size: null,
      ask: f['bestAskPrice']!,
      ask_size: null,
      base_volume: f['volume']!,
      quote_volume: f['quoteVolume']!,
      change: f['priceChange']!,
      change_rate: `${percent[1]}0.0${percent[2]}${percent[3]}`,
      price_window: 'UNKNOWN',
      volume_window: 'UNKNOWN'
    }
    return { symbol, type, facts }
  }
  const side = (of: string): LevelFacts[] =>
    (f[of] as unknown as Texts[]).map(level => ({ price: level['price']!, size: level['qty']! }))
  const facts = {
    exchange_ts: micros(f['timestamp']),
    kind: 'SNAPSHOT',
    ...noSequences,
    bids: side('bids'),
    asks: side('asks')
  }
  return { symbol, type: 'orderbook', facts }
}

/** The event of the ledger that a frame shows; fails when it is none, or another digit. */
export function ordinalOf(simulators: Simulators, exchange: string, frame: string, read: FrameFacts): number {
  const ledger = simulators.ledger.get(exchange, read.type, read.symbol)!
  const ordinal = find(ledger, read)
  assert.ok(ordinal >= 0, frame)
  assert.equal(fingerprintOf(read), ledger.fingerprint(ordinal), frame)
  return ordinal
}

/**
 * Every data frame of these channels is an event of the ledger with its exact digits, in order and without a hole. Returns
 * how many events each channel showed, by `request_type:SYMBOL`.
 */
export function assertWholeStream(
  simulators: Simulators,
  exchange: string,
  frames: readonly string[],
  reader: (frame: string) => FrameFacts | null
): Map<string, number> {
  const next = new Map<string, number>()
  for (const frame of frames) {
    const read = reader(frame)
    if (read === null) continue
    const name = `${read.type}:${read.symbol}`
    assert.equal(ordinalOf(simulators, exchange, frame, read), next.get(name) ?? 0, frame)
    next.set(name, (next.get(name) ?? 0) + 1)
  }
  return next
}

function find(ledger: ChannelLedger, { type, facts }: FrameFacts): number {
  if (type === 'ticker') return ledger.findTicker(facts)
  return type === 'trade' ? ledger.findTrade(facts) : ledger.findBook(facts)
}

function fingerprintOf({ type, facts }: FrameFacts): number {
  if (type === 'ticker') return tickerFingerprint(facts)
  return type === 'trade' ? tradeFingerprint(facts) : bookFingerprint(facts)
}

export const allTypes: readonly RequestType[] = ['ticker', 'trade', 'orderbook']
