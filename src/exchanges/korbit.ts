import { type Instrument } from '../domain/instrument.ts'
import {
  type ControlEvent,
  type ExchangeAdapter,
  FrameClass,
  type Peeked,
  type SubscriptionChange,
  type SubscriptionRequest
} from '../exchange-kit/adapter.ts'
import { chunksOf } from '../exchange-kit/chunks.ts'
import { is, raw } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { ascii, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  flag,
  instant,
  integer,
  levels,
  mark,
  native,
  nullable,
  percent,
  text
} from '../exchange-kit/rules.ts'

const url = 'wss://ws-api.digitalx.miraeasset.com/v2/public'

/** All 193 traded pairs worked in one request. */
const symbolsPerRequest = 200

const symbol = native('/symbol')
/** The first frame of a subscription is marked; the others leave the mark out. */
const stream_type = mark('/snapshot', 'SNAPSHOT', 'REALTIME')

const symbolKey = ascii('{"symbol":"')
const controlKeys = [ascii('{"status"'), ascii('{"requestId"'), ascii('{"code"')]
const quote = 0x22
const peekBytes = 64
const namedSymbol = /\(([^()]+)\)/

/** Korbit has been called Digital X since September 2026; hosts of either name answer alike. */
export const korbit: ExchangeAdapter = {
  name: 'korbit',
  region: 'korea',
  documentation: 'https://docs.digitalx.miraeasset.com/index_en.html',
  channels: { ticker: 'ticker', trade: 'trade', orderbook: 'orderbook' },
  quirks: [
    'The exchange has been called Digital X since September 2026; the hosts of the old name still answer.',
    'Every book frame is the whole book of up to 30 levels a side, although only the first one is marked as a snapshot.',
    'The window of its ticker is believed to be the last 24 hours, but nothing that the exchange publishes says so: it is UNKNOWN.',
    'A halted pair is confirmed and sends one empty book with an old time, then nothing.',
    'The venue may drop public messages under load without saying so: trade ids have holes anyway, so that such a loss cannot be told.'
  ],
  endpoints: {
    websocket: { ticker: url, trade: url, orderbook: url },
    rest: 'https://api.digitalx.miraeasset.com',
    allowedHosts: ['ws-api.digitalx.miraeasset.com', 'ws-api.korbit.co.kr']
  },
  limits: {
    // Nothing is published for the WebSocket; these are our own.
    connects: { count: 1, windowMs: 1000 },
    connections: null,
    messages: [{ count: 5, windowMs: 1000, counts: 'messages' }],
    symbolsPerConnection: 200,
    symbolsPerRequest,
    restWeight: { count: 50, windowMs: 1000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // The server pings every 30 s.
  heartbeat: { ping: null, watchdogMs: 75_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/v2/currencyPairs', weight: 1, parse: parseListing },
    canonicalOf,
    nativeOf: canonical => canonical.replace('-', '_').toLowerCase(),
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: { trade: { ids: 'unique' }, book: { mode: 'whole' } },
  compression: 'none',
  frames: [
    {
      name: 'korbit/ticker',
      requestType: 'ticker',
      match: [is('type', 'ticker')],
      fields: {
        symbol,
        exchange_ts: instant('timestamp'),
        stream_type,
        last: decimal('data.close'),
        open: decimal('data.open'),
        high: decimal('data.high'),
        low: decimal('data.low'),
        prev_close: decimal('data.prevClose'),
        // Null where a side has no orders.
        bid: nullable(decimal('data.bestBidPrice')),
        ask: nullable(decimal('data.bestAskPrice')),
        base_volume: decimal('data.volume'),
        quote_volume: decimal('data.quoteVolume'),
        change: decimal('data.priceChange'),
        change_rate: percent('data.priceChangePercent'),
        price_window: always('UNKNOWN'),
        volume_window: always('UNKNOWN')
      },
      evidence: integer('data.lastTradedAt'),
      raw: {
        ...raw('symbol', 'timestamp', 'snapshot'),
        ...rawData('open', 'high', 'low', 'close', 'prevClose', 'priceChange', 'priceChangePercent'),
        ...rawData('volume', 'quoteVolume', 'bestAskPrice', 'bestBidPrice', 'lastTradedAt')
      }
    },
    {
      name: 'korbit/trade',
      requestType: 'trade',
      match: [is('type', 'trade')],
      each: 'data',
      fields: {
        symbol,
        exchange_ts: instant('timestamp'),
        stream_type,
        trade_id: text('tradeId'),
        price: decimal('price'),
        size: decimal('qty'),
        side: flag('isBuyerTaker', 'BUY', 'SELL')
      },
      raw: {
        ...raw('timestamp', 'price', 'qty', 'isBuyerTaker', 'tradeId'),
        symbol: '/symbol',
        snapshot: '/snapshot'
      }
    },
    {
      name: 'korbit/orderbook',
      requestType: 'orderbook',
      match: [is('type', 'orderbook')],
      fields: {
        symbol,
        // The time of the book; the frame's own is that of sending.
        exchange_ts: instant('data.timestamp'),
        stream_type,
        kind: always('SNAPSHOT'),
        bids: levels('data.bids', 'price', 'qty'),
        asks: levels('data.asks', 'price', 'qty')
      },
      raw: raw('symbol', 'timestamp', 'snapshot')
    }
  ],
  peek,
  control
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const frames = (method: string, natives: readonly string[], confirms: boolean): SubscriptionRequest[] =>
    chunksOf(natives, symbolsPerRequest).map(symbols => {
      // Without a number a request is refused aloud and granted in silence.
      const requestId = change.nextId()
      const frame = JSON.stringify([{ requestId, method, type: change.requestType, symbols }])
      return { frame, id: String(requestId), natives: confirms ? symbols : [] }
    })
  return [...frames('unsubscribe', change.removed, false), ...frames('subscribe', change.added, true)]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  if (startsWith(bytes, start, end, symbolKey)) {
    found.frameClass = FrameClass.data
    const from = start + symbolKey.length
    noteSymbol(found, bytes, from, Math.min(end, start + peekBytes), quote)
    return
  }
  if (startsWithAny(bytes, start, end, controlKeys)) {
    found.frameClass = FrameClass.control
    return
  }
  found.frameClass = FrameClass.unclear
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  const id = textOf(fields?.['requestId'])
  if (fields?.['status'] === 'success') {
    return id === null ? [{ type: 'alive' }] : [{ type: 'confirmed', id, natives: [], channelId: null }]
  }
  if (fields?.['status'] !== 'fail') return []
  const text = textOf(fields['message'])
  const code = textOf(fields['code'])
  const reason = [code, text].filter(part => part !== null).join(': ') || 'error without text'
  // `The symbol does not exist (nope_krw)`: one symbol is named, and nothing of its request has been granted.
  const named = code === 'INVALID_SYMBOL' ? namedSymbol.exec(text ?? '')?.[1] : undefined
  if (named !== undefined) return [{ type: 'rejected', id, natives: [named], reason, isWholeRequest: true }]
  if (id === null) return [{ type: 'error', message: reason }]
  return [{ type: code === 'INVALID_SYMBOL' ? 'rejected' : 'refused', id, natives: [], reason }]
}

function parseListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of listOf(membersOf(body)?.['data'])) {
    const fields = membersOf(entry)
    const name = textOf(fields?.['symbol'])
    const canonical = name === null ? null : canonicalOf(name)
    // Stopped ones are confirmed as well, and may go on.
    if (name === null || canonical === null) continue
    instruments.push({ symbol: canonical, native: name })
  }
  return instruments
}

function canonicalOf(name: string): string | null {
  const [base, quoted, ...rest] = name.split('_')
  // Names in upper case are unknown to the venue.
  if (!base || !quoted || rest.length > 0 || name !== name.toLowerCase()) return null
  return `${base}-${quoted}`.toUpperCase()
}

/** Raw fields of the event that stand in `data`. */
function rawData(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map(name => [name, `data.${name}`]))
}
