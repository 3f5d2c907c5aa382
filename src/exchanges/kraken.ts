import { type Instrument } from '../domain/instrument.ts'
import { type RequestType } from '../domain/target.ts'
import {
  type BookLevel,
  type ControlEvent,
  type ExchangeAdapter,
  FrameClass,
  type Peeked,
  type SubscriptionChange,
  type SubscriptionRequest
} from '../exchange-kit/adapter.ts'
import { chunksOf } from '../exchange-kit/chunks.ts'
import { crc32 } from '../exchange-kit/crc32.ts'
import { ignored, is, isPresent, raw } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { ascii, behind, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  fingerprint,
  integer,
  levels,
  native,
  optional,
  percent,
  rfc3339,
  text,
  words
} from '../exchange-kit/rules.ts'

/** Levels a side that are subscribed; 10, 25, 100, 500 and 1000 exist. */
const bookDepth = 100
const symbolsPerRequest = 100

/** Unsubscribing repeats what names a subscription: the channel with its depth or trigger. @see https://docs.kraken.com/api/docs/websocket-v2/book */
const subscriptionOf: Readonly<Record<RequestType, Readonly<Record<string, string | number>>>> = {
  ticker: { channel: 'ticker', event_trigger: 'bbo' },
  trade: { channel: 'trade' },
  orderbook: { channel: 'book', depth: bookDepth }
}
/** Whether the present state comes first; trades of the past are not asked for. */
const snapshotOf: Readonly<Record<RequestType, boolean>> = { ticker: true, trade: false, orderbook: true }

/** Codes of assets that the REST API still spells its own way. */
const restAliases: ReadonlyMap<string, string> = new Map([
  ['XBT', 'BTC'],
  ['XDG', 'DOGE']
])

const symbol = native('symbol')
const frameType = words('/type', { snapshot: 'SNAPSHOT', update: 'REALTIME' })

const heartbeatKey = ascii('{"channel":"heartbeat"')
const statusKey = ascii('{"channel":"status"')
const channelKey = ascii('{"channel":"')
const symbolKey = ascii('"symbol":"')
const controlKeys = [ascii('{"method"'), ascii('{"error"'), ascii('{"Error"'), ascii('{"event"')]
const quote = 0x22
const zero = 0x30
const peekBytes = 96

export const kraken: ExchangeAdapter = {
  name: 'kraken',
  region: 'na',
  documentation: 'https://docs.kraken.com/api/docs/guides/spot-ws-intro',
  channels: { ticker: 'ticker', trade: 'trade', orderbook: 'book' },
  quirks: [
    `The book has ${bookDepth} levels a side, and the venue drops levels beyond them without saying so: cut each side to ${bookDepth} after every update.`,
    'Updates are unnumbered; their checksum (CRC-32 over the ten best levels of each side) tells whether the book is whole, but not that an update was lost which the next one overwrites. Trailing zeros count in it.',
    'The ticker has no opening price and no quote volume; volume, high and low are of the last 24 hours.',
    'Markets that never traded may show zero bids and asks; a time of 1970 stands for none, and is null.',
    'Frames of version 1 of the protocol, which the venue freezes, are ignored as an unsupported protocol.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://ws.kraken.com/v2',
      trade: 'wss://ws.kraken.com/v2',
      orderbook: 'wss://ws.kraken.com/v2'
    },
    rest: 'https://api.kraken.com',
    allowedHosts: ['ws.kraken.com', 'beta-ws.kraken.com']
  },
  limits: {
    // About that many before ten minutes of refusals; five seconds between attempts are asked for.
    connects: { count: 150, windowMs: 600_000 },
    connections: null,
    // The venue adjusts its limit to its load and publishes none; this one leaves room.
    messages: [{ count: 10, windowMs: 1000, counts: 'messages' }],
    symbolsPerConnection: 100,
    symbolsPerRequest,
    restWeight: { count: 1, windowMs: 1000 },
    reconnectFloorMs: 5000,
    penaltyMs: 600_000,
    connectionAgeMaxMs: null
  },
  // Once subscribed, a heartbeat comes every second in which nothing else does.
  heartbeat: {
    ping: { everyMs: 30_000, frame: { text: '{"method":"ping"}' } },
    watchdogMs: 15_000,
    limitMs: 60_000
  },
  instruments: {
    listing: { path: '/0/public/AssetPairs', weight: 1, parse: parseListing },
    canonicalOf: name => (/^[^/]+\/[^/]+$/.test(name) ? name.replace('/', '-') : null),
    nativeOf: canonical => canonical.replace('-', '/'),
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    // The venue calls the id a sequence number of its book, and its REST history counts without holes.
    trade: { ids: 'contiguous' },
    // @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
    book: {
      mode: 'delta',
      sequence: 'none',
      snapshot: { from: 'stream' },
      check: { levels: 10, sum: checksum },
      depth: bookDepth
    }
  },
  compression: 'none',
  frames: [
    {
      name: 'kraken/ticker',
      requestType: 'ticker',
      match: [is('channel', 'ticker')],
      each: 'data',
      fields: {
        symbol,
        // The venue added the time in 2025.
        exchange_ts: optional(rfc3339('timestamp')),
        stream_type: frameType,
        last: decimal('last'),
        high: decimal('high'),
        low: decimal('low'),
        bid: decimal('bid'),
        bid_size: decimal('bid_qty'),
        ask: decimal('ask'),
        ask_size: decimal('ask_qty'),
        base_volume: decimal('volume'),
        change: decimal('change'),
        change_rate: percent('change_pct'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: fingerprint('last'),
      raw: raw(
        ...['symbol', 'bid', 'bid_qty', 'ask', 'ask_qty', 'last', 'volume', 'vwap', 'low', 'high'],
        ...['change', 'change_pct', 'timestamp']
      )
    },
    {
      name: 'kraken/trade',
      requestType: 'trade',
      match: [is('channel', 'trade')],
      each: 'data',
      fields: {
        symbol,
        exchange_ts: rfc3339('timestamp'),
        stream_type: frameType,
        trade_id: text('trade_id'),
        price: decimal('price'),
        size: decimal('qty'),
        // The taker's.
        side: words('side', { buy: 'BUY', sell: 'SELL' })
      },
      raw: raw('symbol', 'side', 'price', 'qty', 'ord_type', 'trade_id', 'timestamp')
    },
    {
      name: 'kraken/book',
      requestType: 'orderbook',
      match: [is('channel', 'book')],
      each: 'data',
      fields: {
        symbol,
        // Documented for updates only; snapshots have had it since 2026.
        exchange_ts: optional(rfc3339('timestamp')),
        stream_type: frameType,
        kind: words('/type', { snapshot: 'SNAPSHOT', update: 'DELTA' }),
        bids: levels('bids', 'price', 'qty'),
        asks: levels('asks', 'price', 'qty'),
        checksum: integer('checksum')
      },
      raw: raw('symbol', 'checksum', 'timestamp')
    },
    ...['ohlc', 'level3', 'instrument'].map(name => ignored(`kraken/${name}`, is('channel', name))),
    {
      // `[channel number, payload, channel name, pair]`; a book update may have two payloads.
      name: 'kraken/v1',
      requestType: null,
      match: [isPresent('0'), isPresent('3')],
      ignore: 'unsupported protocol'
    }
  ],
  peek,
  control
}

/** The text of both sides' best levels, asks first; digits as they were sent. */
function checksum(bids: readonly BookLevel[], asks: readonly BookLevel[]): number {
  let digits = ''
  for (const { price, size } of asks) digits += significant(price) + significant(size)
  for (const { price, size } of bids) digits += significant(price) + significant(size)
  return crc32(digits)
}

/** Without its point and the zeros in front. */
function significant(decimal: string): string {
  const point = decimal.indexOf('.')
  const digits = point < 0 ? decimal : decimal.slice(0, point) + decimal.slice(point + 1)
  let from = 0
  while (digits.charCodeAt(from) === zero) from++
  return from === 0 ? digits : digits.slice(from)
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const { requestType } = change
  const messages = (
    method: string,
    natives: readonly string[],
    options: Readonly<Record<string, boolean>>
  ): SubscriptionRequest[] =>
    chunksOf(natives, symbolsPerRequest).map(chunk => {
      const id = change.nextId()
      const params = { ...subscriptionOf[requestType], symbol: chunk, ...options }
      const confirmed = method === 'subscribe' ? chunk : []
      return { frame: JSON.stringify({ method, params, req_id: id }), id: String(id), natives: confirmed }
    })
  return [
    ...messages('unsubscribe', change.removed, {}),
    ...messages('subscribe', change.added, { snapshot: snapshotOf[requestType] })
  ]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  if (startsWith(bytes, start, end, channelKey)) {
    if (startsWith(bytes, start, end, heartbeatKey)) {
      found.frameClass = FrameClass.alive
      return
    }
    if (startsWith(bytes, start, end, statusKey)) {
      found.frameClass = FrameClass.control
      return
    }
    found.frameClass = FrameClass.data
    const near = Math.min(end, start + peekBytes)
    const from = behind(bytes, start, near, symbolKey)
    noteSymbol(found, bytes, from, near, quote)
    return
  }
  found.frameClass = FrameClass.unclear
  if (startsWithAny(bytes, start, end, controlKeys)) found.frameClass = FrameClass.control
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  if (fields['channel'] === 'heartbeat') return [{ type: 'alive' }]
  if (fields['channel'] === 'status') return [statusEvent(fields['data'])]
  const error = textOf(fields['error']) ?? textOf(fields['Error'])
  const { method } = fields
  if (method === 'subscribe') return [answer(fields, error)]
  if (error !== null) return [{ type: 'error', message: error }]
  // Pongs, confirmed unsubscribes, and the events of version 1.
  return typeof method === 'string' || typeof fields['event'] === 'string' ? [{ type: 'alive' }] : []
}

/** What says that a symbol or its channel is wrong; all else (message rate, a busy or unavailable service) may pass. */
const finalCause =
  /^(Currency pair not supported|Currency pair not in ISO|Pair\(s\) not found|Subscription depth not supported|Subscription name invalid)/

/** Each symbol of a request is answered by itself. */
function answer(fields: { readonly [key: string]: JsonValue }, error: string | null): ControlEvent {
  const id = textOf(fields['req_id'])
  const name = textOf(membersOf(fields['result'])?.['symbol']) ?? textOf(fields['symbol'])
  const natives = name === null ? [] : [name]
  if (fields['success'] === true) return { type: 'confirmed', id, natives, channelId: null }
  const reason = error ?? 'refused without a reason'
  if (id === null && name === null) return { type: 'error', message: reason }
  // The answer to an earlier request was lost, or the end of the subscription has not come to pass.
  if (reason.startsWith('Already subscribed')) return { type: 'confirmed', id, natives, channelId: null }
  return { type: finalCause.test(reason) ? 'rejected' : 'refused', id, natives, reason }
}

function statusEvent(data: JsonValue | undefined): ControlEvent {
  const system = textOf(membersOf(listOf(data)[0])?.['system'])
  return system === 'online'
    ? { type: 'alive' }
    : { type: 'error', message: `system status: ${system ?? 'none'}` }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of Object.values(membersOf(membersOf(body)?.['result']) ?? {})) {
    const fields = membersOf(entry)
    const [base, quoted] = (textOf(fields?.['wsname']) ?? '')
      .split('/')
      .map(code => restAliases.get(code) ?? code)
    if (!base || !quoted) continue
    instruments.push({ symbol: `${base}-${quoted}`, native: `${base}/${quoted}` })
  }
  return instruments
}
