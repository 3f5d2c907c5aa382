import assert from 'node:assert/strict'
import { type RequestType } from '../../src/domain/target.ts'
import {
  type BookFacts,
  bookFingerprint,
  bookHash,
  type LevelFacts,
  type TickerFacts,
  type TradeFacts,
  tickerFingerprint,
  tradeFingerprint
} from '../../src/simulator/fingerprint.ts'
import { type Simulators } from '../../src/simulator/simulator.ts'

/** What a reader should make of one event of a frame, read without any code of the adapters. */
type EventFacts =
  | { readonly symbol: string; readonly type: 'ticker'; readonly facts: TickerFacts }
  | { readonly symbol: string; readonly type: 'trade'; readonly facts: TradeFacts }
  | { readonly symbol: string; readonly type: 'orderbook'; readonly facts: BookFacts }

type Texts = Readonly<Record<string, string>>
type Json = string | null | boolean | readonly Json[] | { readonly [key: string]: Json }

const noSequences = { sequence_first: null, sequence_last: null, sequence_previous: null }
const rolling = { price_window: 'ROLLING_24H', volume_window: 'ROLLING_24H' }
const isZero = (size: string): boolean => !/[1-9]/.test(size)

/** Parses with every number as the text it was written as. */
function exactly(frame: string): Json {
  return JSON.parse(frame.replace(/([:[,])(-?\d[\d.]*(?:[eE][-+]?\d+)?)(?=[,}\]])/g, '$1"$2"')) as Json
}

/** Microseconds of `2026-09-21T14:13:20.123456Z`. */
function microsOf(time: string): number {
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? ''
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

/** `1.5e-7` → `0.00000015`; anything else as it is. */
function withoutExponent(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text)
  if (match === null) return text
  const [, sign = '', first = '', rest = '', places = ''] = match
  return `${sign}0.${'0'.repeat(Number(places) - 1)}${first}${rest}`
}

export function coinbaseEvents(frame: string): EventFacts[] {
  const f = exactly(frame) as Texts
  const symbol = f['product_id'] ?? ''
  const exchange_ts = f['time'] === undefined ? null : microsOf(f['time'])
  switch (f['type'] ?? '') {
    case 'ticker': {
      const facts = {
        exchange_ts,
        last: f['price']!,
        open: f['open_24h']!,
        high: f['high_24h']!,
        low: f['low_24h']!,
        prev_close: null,
        bid: f['best_bid']!,
        bid_size: f['best_bid_size']!,
        ask: f['best_ask']!,
        ask_size: f['best_ask_size']!,
        base_volume: f['volume_24h']!,
        quote_volume: null,
        change: null,
        change_rate: null,
        ...rolling
      }
      return [{ symbol, type: 'ticker', facts }]
    }
    case 'match':
    case 'last_match': {
      const facts = {
        exchange_ts,
        trade_id: f['trade_id']!,
        price: f['price']!,
        size: f['size']!,
        side: f['side'] === 'sell' ? 'BUY' : 'SELL',
        sequence: f['sequence']!
      }
      return [{ symbol, type: 'trade', facts }]
    }
    case 'snapshot': {
      const side = (name: string) => (f[name] as unknown as string[][]).map(levelOf)
      const facts = { exchange_ts, kind: 'SNAPSHOT', ...noSequences, bids: side('bids'), asks: side('asks') }
      return [{ symbol, type: 'orderbook', facts }]
    }
    case 'l2update': {
      const changes = f['changes'] as unknown as string[][]
      const side = (word: string) =>
        changes.filter(change => change[0] === word).map(change => levelOf(change.slice(1)))
      const facts = { exchange_ts, kind: 'DELTA', ...noSequences, bids: side('buy'), asks: side('sell') }
      return [{ symbol, type: 'orderbook', facts }]
    }
    default:
      return []
  }
}

function levelOf([price = '', size = '']: readonly string[]): LevelFacts {
  return { price, size }
}

export function krakenEvents(frame: string): EventFacts[] {
  const { channel, type, data } = exactly(frame) as Texts
  if (data === undefined || channel === 'status') return []
  return (data as unknown as Texts[]).map(f => {
    const symbol = f['symbol']!.replace('/', '-')
    const exchange_ts = microsOf(f['timestamp']!)
    if (channel === 'trade') {
      const facts = {
        exchange_ts,
        trade_id: f['trade_id']!,
        price: f['price']!,
        size: f['qty']!,
        side: f['side']!.toUpperCase(),
        sequence: null
      }
      return { symbol, type: 'trade', facts }
    }
    if (channel === 'ticker') {
      const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.(\d\d)$/.exec(f['change_pct']!)!
      const digits = whole.padStart(3, '0')
      const facts = {
        exchange_ts,
        last: f['last']!,
        open: null,
        high: f['high']!,
        low: f['low']!,
        prev_close: null,
        bid: f['bid']!,
        bid_size: f['bid_qty']!,
        ask: f['ask']!,
        ask_size: f['ask_qty']!,
        base_volume: f['volume']!,
        quote_volume: null,
        change: f['change']!,
        change_rate: `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`,
        ...rolling
      }
      return { symbol, type: 'ticker', facts }
    }
    const side = (name: string) =>
      (f[name] as unknown as Texts[]).map(level => ({ price: level['price']!, size: level['qty']! }))
    const kind = type === 'snapshot' ? 'SNAPSHOT' : 'DELTA'
    const facts = { exchange_ts, kind, ...noSequences, bids: side('bids'), asks: side('asks') }
    return { symbol, type: 'orderbook', facts }
  })
}

const bitfinexTypes: Readonly<Record<string, RequestType>> = {
  ticker: 'ticker',
  trades: 'trade',
  book: 'orderbook'
}

/** Reads the frames of one connection: channels are known by the numbers of its acknowledgements. */
export class BitfinexReader {
  readonly #channels = new Map<string, { readonly symbol: string; readonly type: RequestType }>()
  readonly #symbolOf: (native: string) => string
  /** Numbers of all frames so far, where the connection asked for them. */
  readonly sequences: number[] = []
  /** Checksums with the channel's number. */
  readonly sums: { readonly symbol: string; readonly sum: number }[] = []

  constructor(symbolOf: (native: string) => string) {
    this.#symbolOf = symbolOf
  }

  events(frame: string): EventFacts[] {
    const message = exactly(frame)
    if (!Array.isArray(message)) {
      const fields = message as Texts
      if (fields['event'] !== 'subscribed') return []
      const type = bitfinexTypes[fields['channel']!]!
      this.#channels.set(fields['chanId']!, { symbol: this.#symbolOf(fields['symbol']!), type })
      return []
    }
    const list = message as readonly Json[]
    const known = this.#channels.get(list[0] as string)
    assert.ok(known !== undefined, `nothing was confirmed as ${frame}`)
    this.sequences.push(Number(list.at(-2)))
    const time = Number(list.at(-1)) * 1000
    const word = list[1]
    if (word === 'hb' || word === 'tu') return []
    if (word === 'cs') {
      this.sums.push({ symbol: known.symbol, sum: Number(list[2]) })
      return []
    }
    const content = (word === 'te' ? list[2] : word) as readonly Json[]
    const rows = (Array.isArray(content[0]) ? content : [content]) as readonly (readonly string[])[]
    const isWhole = content.length === 0 || Array.isArray(content[0])
    return this.#read(known, content.length === 0 ? [] : rows, isWhole, time)
  }

  #read(
    { symbol, type }: { readonly symbol: string; readonly type: RequestType },
    rows: readonly (readonly string[])[],
    isWhole: boolean,
    exchange_ts: number
  ): EventFacts[] {
    if (type === 'trade') return rows.toReversed().map(row => ({ symbol, type, facts: bitfinexTrade(row) }))
    if (type === 'ticker') return rows.map(row => ({ symbol, type, facts: bitfinexTicker(row, exchange_ts) }))
    const levels = rows.map(([price = '', count = '', amount = '']) => ({
      isBid: !amount.startsWith('-'),
      price: withoutExponent(price),
      size: count === '0' ? '0' : withoutExponent(amount.replace('-', ''))
    }))
    const side = (isBid: boolean): LevelFacts[] =>
      levels.filter(level => level.isBid === isBid).map(({ price, size }) => ({ price, size }))
    const kind = isWhole ? 'SNAPSHOT' : 'DELTA'
    return [
      { symbol, type, facts: { exchange_ts, kind, ...noSequences, bids: side(true), asks: side(false) } }
    ]
  }
}

function bitfinexTrade([id = '', ms = '', amount = '', price = '']: readonly string[]): TradeFacts {
  return {
    exchange_ts: Number(ms) * 1000,
    trade_id: id,
    price: withoutExponent(price),
    size: withoutExponent(amount.replace('-', '')),
    side: amount.startsWith('-') ? 'SELL' : 'BUY',
    sequence: null
  }
}

function bitfinexTicker(row: readonly string[], exchange_ts: number): TickerFacts {
  const at = (position: number): string => withoutExponent(row[position]!)
  return {
    exchange_ts,
    last: at(6),
    open: null,
    high: at(8),
    low: at(9),
    prev_close: null,
    bid: at(0),
    bid_size: null,
    ask: at(2),
    ask_size: null,
    base_volume: at(7),
    quote_volume: null,
    change: at(4),
    change_rate: at(5),
    ...rolling
  }
}

/** A book put together from a venue's frames by its documented rules. */
export class RebuiltBook {
  readonly bids = new Map<string, string>()
  readonly asks = new Map<string, string>()
  readonly #depth: number | null

  constructor(depth: number | null) {
    this.#depth = depth
  }

  apply(facts: BookFacts): void {
    for (const side of ['bids', 'asks'] as const) {
      const levels = this[side]
      if (facts.kind === 'SNAPSHOT') levels.clear()
      for (const { price, size } of facts[side]) {
        if (isZero(size)) levels.delete(price)
        else levels.set(price, size)
      }
      for (const [price] of this.best(side).slice(this.#depth ?? levels.size)) levels.delete(price)
    }
  }

  /** Best first. */
  best(side: 'bids' | 'asks'): [price: string, size: string][] {
    const inward = side === 'bids' ? -1 : 1
    return [...this[side]].sort(([a], [b]) => inward * (Number(a) - Number(b)))
  }

  get hash(): number {
    const levels = (side: Map<string, string>) => [...side].map(([price, size]) => ({ price, size }))
    return bookHash(levels(this.bids), levels(this.asks))
  }
}

/** Compares what a client received with the run's ledger, event by event. */
export class LedgerWitness {
  readonly books = new Map<string, RebuiltBook>()
  /** Ordinal expected next, by `type:SYMBOL`; only what is shown again may lie before it. */
  readonly next = new Map<string, number>()
  shownAgain = 0
  readonly #simulators: Simulators
  readonly #exchange: string

  constructor(simulators: Simulators, exchange: string) {
    this.#simulators = simulators
    this.#exchange = exchange
  }

  see({ symbol, type, facts }: EventFacts): void {
    const ledger = this.#simulators.ledger.get(this.#exchange, type, symbol)!
    const key = `${type}:${symbol}`
    const next = this.next.get(key)
    const what = `${key} ${JSON.stringify(facts)}`
    if (type === 'orderbook') {
      const book = this.books.get(symbol) ?? new RebuiltBook(ledger.bookDepth)
      this.books.set(symbol, book)
      const ordinal = ledger.findBook(facts)
      if (facts.kind === 'DELTA') {
        assert.equal(ordinal, next, what)
        assert.equal(bookFingerprint(facts), ledger.fingerprint(ordinal), what)
      } else assert.ok(ordinal >= -1, what)
      book.apply(facts)
      assert.equal(book.hash, ledger.bookHashAt(ordinal), what)
      this.next.set(key, ordinal + 1)
      return
    }
    const ordinal = type === 'ticker' ? ledger.findTicker(facts) : ledger.findTrade(facts)
    const fingerprint = type === 'ticker' ? tickerFingerprint(facts) : tradeFingerprint(facts)
    assert.equal(fingerprint, ledger.fingerprint(ordinal), what)
    if (next !== undefined && ordinal < next) this.shownAgain++
    else {
      assert.equal(ordinal, next ?? ordinal, what)
      this.next.set(key, ordinal + 1)
    }
  }
}
