import assert from 'node:assert/strict'
import { type BookFacts, bookHash, type LevelFacts } from '../../src/simulator/fingerprint.ts'
import { type ChannelLedger } from '../../src/simulator/ledger.ts'
import { expand, parseExactly } from './simulator-client.ts'
import { type FrameFacts } from './won-venues.ts'

type Texts = Readonly<Record<string, string>>
type Pairs = readonly (readonly string[])[]

/** A book as the venue shows it whole, under its sequence number. */
export interface ShownBook {
  readonly sequence: string
  readonly bids: readonly LevelFacts[]
  readonly asks: readonly LevelFacts[]
}

const micros = (ms: string | undefined): string => `${ms}000`
const levels = (pairs: Pairs | undefined): LevelFacts[] =>
  (pairs ?? []).map(([price, size]) => ({ price: expand(price!), size: expand(size!) }))
const absent = { prev_close: null, change: null, change_rate: null } as const
const windows = { price_window: 'ROLLING_24H', volume_window: 'ROLLING_24H' } as const

/** The symbol of a name such as BTCUSDT. */
function joined(name: string): string {
  return `${name.slice(0, -4)}-${name.slice(-4)}`.toUpperCase()
}

/** What a reader should make of a Bybit frame of data; null for answers and for whole books. */
export function bybitFacts(frame: string): FrameFacts | null {
  const { topic, ts, type, data, cts } = parseExactly(frame)
  if (topic === undefined) return null
  const [channel, ...rest] = (topic as string).split('.')
  const symbol = joined(rest.at(-1)!)
  if (channel === 'publicTrade') {
    const f = (data as Texts[])[0]!
    const facts = {
      exchange_ts: micros(f['T']),
      trade_id: f['i']!,
      price: f['p']!,
      size: f['v']!,
      side: f['S']!.toUpperCase(),
      sequence: f['seq']!
    }
    return { symbol, type: 'trade', facts }
  }
  if (channel === 'tickers') {
    const f = data as Texts
    const facts = {
      ...absent,
      ...windows,
      exchange_ts: micros(ts as string),
      last: f['lastPrice']!,
      open: f['prevPrice24h']!,
      high: f['highPrice24h']!,
      low: f['lowPrice24h']!,
      bid: null,
      bid_size: null,
      ask: null,
      ask_size: null,
      base_volume: f['volume24h']!,
      quote_volume: f['turnover24h']!,
      change_rate: f['price24hPcnt']!
    }
    return { symbol, type: 'ticker', facts }
  }
  if (type !== 'delta') return null
  const { b, a, u } = data as { readonly b: Pairs; readonly a: Pairs; readonly u: string }
  return { symbol, type: 'orderbook', facts: delta(cts as string, u, null, b, a) }
}

export function bybitBook(frame: string): ShownBook {
  const { type, data } = parseExactly(frame)
  assert.equal(type, 'snapshot')
  const { b, a, u } = data as { readonly b: Pairs; readonly a: Pairs; readonly u: string }
  return { sequence: u, bids: levels(b), asks: levels(a) }
}

/** What a reader should make of an OKX frame of data; null for answers, whole books and books that did not change. */
export function okxFacts(frame: string): FrameFacts | null {
  if (!frame.startsWith('{"arg"')) return null
  const { arg, action, data } = parseExactly(frame)
  const { channel, instId: symbol } = arg as { readonly channel: string; readonly instId: string }
  const f = (data as Texts[])[0]!
  if (channel === 'trades') {
    const facts = {
      exchange_ts: micros(f['ts']),
      trade_id: f['tradeId']!,
      price: f['px']!,
      size: f['sz']!,
      side: f['side']!.toUpperCase(),
      sequence: f['seqId']!
    }
    return { symbol, type: 'trade', facts }
  }
  if (channel === 'tickers') {
    const facts = {
      ...absent,
      ...windows,
      exchange_ts: micros(f['ts']),
      last: f['last']!,
      open: f['open24h']!,
      high: f['high24h']!,
      low: f['low24h']!,
      // Empty texts for a side without orders.
      bid: f['bidPx'] || null,
      bid_size: f['bidSz'] || null,
      ask: f['askPx'] || null,
      ask_size: f['askSz'] || null,
      base_volume: f['vol24h']!,
      quote_volume: f['volCcy24h']!
    }
    return { symbol, type: 'ticker', facts }
  }
  if (action !== 'update' || f['prevSeqId'] === f['seqId']) return null
  const { bids, asks } = f as unknown as { readonly bids: Pairs; readonly asks: Pairs }
  return { symbol, type: 'orderbook', facts: delta(f['ts']!, f['seqId']!, f['prevSeqId']!, bids, asks) }
}

export function okxBook(frame: string): ShownBook {
  const { action, data } = parseExactly(frame)
  assert.equal(action, 'snapshot')
  const f = (data as Texts[])[0]!
  assert.equal(f['prevSeqId'], '-1')
  const { bids, asks } = f as unknown as { readonly bids: Pairs; readonly asks: Pairs }
  for (const level of [...bids, ...asks]) assert.equal(level.length, 4)
  return { sequence: f['seqId']!, bids: levels(bids), asks: levels(asks) }
}

/** What a reader should make of a Huobi frame of data; null for answers and pings. */
export function huobiFacts(frame: string): FrameFacts | null {
  const { ch, ts, tick } = parseExactly(frame)
  if (ch === undefined) return null
  const [, native, ...rest] = (ch as string).split('.')
  const symbol = joined(native!)
  const channel = rest.join('.')
  const f = tick as Texts
  if (channel === 'trade.detail') {
    const trade = (f['data'] as unknown as Texts[])[0]!
    const facts = {
      exchange_ts: micros(trade['ts']),
      trade_id: trade['tradeId']!,
      price: expand(trade['price']!),
      size: expand(trade['amount']!),
      side: trade['direction']!.toUpperCase(),
      sequence: null
    }
    return { symbol, type: 'trade', facts }
  }
  if (channel === 'ticker') {
    const facts = {
      ...absent,
      ...windows,
      exchange_ts: micros(ts as string),
      last: expand(f['lastPrice']!),
      open: expand(f['open']!),
      high: expand(f['high']!),
      low: expand(f['low']!),
      bid: expand(f['bid']!),
      bid_size: expand(f['bidSize']!),
      ask: expand(f['ask']!),
      ask_size: expand(f['askSize']!),
      base_volume: expand(f['amount']!),
      quote_volume: expand(f['vol']!)
    }
    return { symbol, type: 'ticker', facts }
  }
  const { bids, asks } = tick as { readonly bids?: Pairs; readonly asks?: Pairs }
  return {
    symbol,
    type: 'orderbook',
    facts: delta(ts as string, f['seqNum']!, f['prevSeqNum']!, bids, asks)
  }
}

export function huobiBook(frame: string): ShownBook {
  const { rep, status, data } = parseExactly(frame)
  assert.match(rep as string, /^market\.[a-z0-9]+\.mbp\.150$/)
  assert.equal(status, 'ok')
  const { seqNum, bids, asks } = data as {
    readonly seqNum: string
    readonly bids: Pairs
    readonly asks: Pairs
  }
  return { sequence: seqNum, bids: levels(bids), asks: levels(asks) }
}

/**
 * Rebuilds a book from a shown one and the changes behind it and compares it with the market's after each of them.
 * Returns how many were applied; changes that the shown book covers are passed over.
 */
export function assertRebuilt(
  ledger: ChannelLedger,
  shown: ShownBook,
  changes: readonly BookFacts[],
  levelsMax: number
): number {
  const sides = [shown.bids, shown.asks].map(side => new Map(side.map(({ price, size }) => [price, size])))
  const [bids, asks] = sides as [Map<string, string>, Map<string, string>]
  const facts = (side: ReadonlyMap<string, string>): LevelFacts[] =>
    [...side].map(([price, size]) => ({ price, size }))
  const hash = (): number => bookHash(facts(bids), facts(asks))
  assert.equal(hash(), ledger.bookHashAt(ledger.ordinalOfKey(Number(shown.sequence))))
  let last = shown.sequence
  let applied = 0
  for (const change of changes) {
    if (Number(change.sequence_last) <= Number(last)) continue
    if (change.sequence_previous !== null) assert.equal(change.sequence_previous, last)
    for (const { price, size } of change.bids) put(bids, price, size)
    for (const { price, size } of change.asks) put(asks, price, size)
    last = change.sequence_last!
    assert.equal(hash(), ledger.bookHashAt(ledger.findBook(change)))
    assert.ok(Math.max(...[...bids.keys()].map(Number)) < Math.min(...[...asks.keys()].map(Number)))
    assert.ok(bids.size <= levelsMax && asks.size <= levelsMax)
    applied++
  }
  return applied
}

function put(side: Map<string, string>, price: string, size: string): void {
  if (size === '0') side.delete(price)
  else side.set(price, size)
}

function delta(
  ms: string,
  sequence: string,
  previous: string | null,
  bids: Pairs | undefined,
  asks: Pairs | undefined
): BookFacts {
  return {
    exchange_ts: micros(ms),
    kind: 'DELTA',
    sequence_first: null,
    sequence_last: sequence,
    sequence_previous: previous,
    bids: levels(bids),
    asks: levels(asks)
  }
}
