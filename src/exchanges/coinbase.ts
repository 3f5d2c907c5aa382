import { type Instrument } from '../domain/instrument.ts'
import { type RequestType } from '../domain/target.ts'
import {
  type ControlEvent,
  type ExchangeAdapter,
  FrameClass,
  type Peeked,
  type SubscriptionChange,
  type SubscriptionRequest
} from '../exchange-kit/adapter.ts'
import { ignored, is, isPresent, raw } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { listedPairs } from '../exchange-kit/listed-pairs.ts'
import { ascii, behind, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  integer,
  levels,
  native,
  nullable,
  optional,
  rfc3339,
  text,
  words
} from '../exchange-kit/rules.ts'

/** @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels */
const channels: Readonly<Record<RequestType, string>> = {
  ticker: 'ticker',
  trade: 'matches',
  orderbook: 'level2_batch'
}

const symbol = native('product_id')
const exchange_ts = rfc3339('time')
const matchNames = ['trade_id', 'maker_order_id', 'taker_order_id', 'side', 'size', 'price', 'sequence']
const tradeFields = {
  symbol,
  exchange_ts,
  trade_id: text('trade_id'),
  price: decimal('price'),
  size: decimal('size'),
  // The side of the resting order, other than in the ticker of the same feed: the taker is on the opposite one.
  side: words('side', { sell: 'BUY', buy: 'SELL' }),
  sequence: text('sequence')
} as const

const heartbeatKey = ascii('{"type":"heartbeat"')
const controlKeys = [ascii('{"type":"subscriptions"'), ascii('{"type":"error"')]
const typeKey = ascii('{"type":"')
const productKey = ascii('"product_id":"')
const quote = 0x22
/** A match names its product behind two order ids. */
const peekBytes = 384

export const coinbase: ExchangeAdapter = {
  name: 'coinbase',
  region: 'na',
  documentation: 'https://docs.cdp.coinbase.com/exchange/websocket-feed/overview',
  channels,
  quirks: [
    'The feed is that of Coinbase Exchange; frames of the Advanced Trade feed are ignored as an unsupported protocol.',
    'A book snapshot is the whole book, several megabytes for busy products, and its updates are unnumbered: a lost one shows only when the book crosses.',
    'A size of zero is spelled with as many decimals as the product has (0, 0.00, 0.00000000).',
    'The side of a record is that of the taker; in matches the raw field side is that of the resting order, in tickers that of the taker.',
    'A ticker is sent when a trade happens and once after subscribing; there is no quote volume.',
    'The first record after subscribing to trades is an earlier trade, marked as SNAPSHOT.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://ws-feed.exchange.coinbase.com',
      trade: 'wss://ws-feed.exchange.coinbase.com',
      orderbook: 'wss://ws-feed.exchange.coinbase.com'
    },
    rest: 'https://api.exchange.coinbase.com',
    // Not the sandbox: its markets are made up, and records do not say from which host they came.
    allowedHosts: ['ws-feed.exchange.coinbase.com']
  },
  // @see https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits
  limits: {
    connects: { count: 8, windowMs: 1000 },
    connections: null,
    messages: [{ count: 100, windowMs: 1000, counts: 'messages' }],
    // No number is published; snapshots of whole books make larger shards slow to heal.
    symbolsPerConnection: 50,
    symbolsPerRequest: 50,
    restWeight: { count: 10, windowMs: 1000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // Heartbeats of every product come once a second; the venue asks for none of ours.
  heartbeat: { ping: { everyMs: 20_000, frame: 'websocket' }, watchdogMs: 10_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/products', weight: 1, parse: parseListing },
    canonicalOf: name => (/^[A-Z0-9]+-[A-Z0-9]+$/.test(name) ? name : null),
    nativeOf: canonical => canonical,
    streamNameOf: name => name
  },
  // The first request must come within five seconds; an answer lists everything that is subscribed.
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    // The documentation warns that matches may be dropped; ids count the trades of a product one by one.
    trade: { ids: 'contiguous' },
    book: { mode: 'delta', sequence: 'none', snapshot: { from: 'stream' }, check: 'crossed', depth: null }
  },
  compression: 'none',
  frames: [
    {
      name: 'coinbase/ticker',
      requestType: 'ticker',
      match: [is('type', 'ticker')],
      fields: {
        symbol,
        // A product without recent trades has neither a time nor the id of a trade.
        exchange_ts: optional(exchange_ts),
        stream_type: always('REALTIME'),
        last: decimal('price'),
        open: decimal('open_24h'),
        high: decimal('high_24h'),
        low: decimal('low_24h'),
        // Null where a side has no orders.
        bid: nullable(decimal('best_bid')),
        ask: nullable(decimal('best_ask')),
        // Frames of 2021 have no sizes yet.
        bid_size: optional(decimal('best_bid_size')),
        ask_size: optional(decimal('best_ask_size')),
        base_volume: decimal('volume_24h'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: optional(integer('trade_id')),
      raw: raw(
        ...['type', 'sequence', 'product_id', 'price', 'open_24h', 'volume_24h', 'low_24h', 'high_24h'],
        ...['volume_30d', 'best_bid', 'best_bid_size', 'best_ask', 'best_ask_size', 'side', 'time'],
        ...['trade_id', 'last_size']
      )
    },
    {
      name: 'coinbase/match',
      requestType: 'trade',
      match: [is('type', 'match')],
      fields: { ...tradeFields, stream_type: always('REALTIME') },
      raw: raw('type', 'product_id', 'time', ...matchNames)
    },
    {
      // The latest trade before the subscription began.
      name: 'coinbase/last_match',
      requestType: 'trade',
      match: [is('type', 'last_match')],
      fields: { ...tradeFields, stream_type: always('SNAPSHOT') },
      raw: raw('type', 'product_id', 'time', ...matchNames)
    },
    {
      name: 'coinbase/snapshot',
      requestType: 'orderbook',
      match: [is('type', 'snapshot')],
      fields: {
        symbol,
        // Recorded snapshots have no time; the documentation shows newer ones with it.
        exchange_ts: optional(exchange_ts),
        stream_type: always('SNAPSHOT'),
        kind: always('SNAPSHOT'),
        bids: levels('bids', 0, 1),
        asks: levels('asks', 0, 1)
      },
      raw: raw('type', 'product_id', 'time')
    },
    {
      name: 'coinbase/l2update',
      requestType: 'orderbook',
      match: [is('type', 'l2update')],
      fields: {
        symbol,
        exchange_ts,
        stream_type: always('REALTIME'),
        kind: always('DELTA'),
        bids: levels('changes', 1, 2, { only: { path: '0', word: 'buy' } }),
        asks: levels('changes', 1, 2, { only: { path: '0', word: 'sell' } })
      },
      raw: raw('type', 'product_id', 'time')
    },
    ...['status', 'received', 'open', 'done', 'change', 'activate', 'auction', 'rfq_match'].map(type =>
      ignored(`coinbase/${type}`, is('type', type))
    ),
    {
      name: 'coinbase/advanced-trade',
      requestType: null,
      match: [isPresent('channel'), isPresent('events')],
      ignore: 'unsupported protocol'
    }
  ],
  peek,
  control
}

/** One message takes any number of products; a heartbeat per product proves that the socket lives. */
function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const message = (type: string, natives: readonly string[], confirms: boolean): SubscriptionRequest[] =>
    natives.length === 0
      ? []
      : [
          {
            frame: JSON.stringify({
              type,
              product_ids: natives,
              channels: [channels[change.requestType], 'heartbeat']
            }),
            id: null,
            natives: confirms ? natives : []
          }
        ]
  return [...message('unsubscribe', change.removed, false), ...message('subscribe', change.added, true)]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  if (!startsWith(bytes, start, end, typeKey)) {
    found.frameClass = FrameClass.unclear
    return
  }
  if (startsWith(bytes, start, end, heartbeatKey)) {
    found.frameClass = FrameClass.alive
    return
  }
  if (startsWithAny(bytes, start, end, controlKeys)) {
    found.frameClass = FrameClass.control
    return
  }
  found.frameClass = FrameClass.data
  const near = Math.min(end, start + peekBytes)
  const from = behind(bytes, start, near, productKey)
  noteSymbol(found, bytes, from, near, quote)
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  switch (textOf(fields['type']) ?? '') {
    case 'subscriptions': {
      // The name of the book's channel in the answer need not be the one that was asked for (level2_50).
      const natives = listOf(fields['channels'])
        .map(entry => membersOf(entry))
        .filter(entry => entry !== null && entry['name'] !== 'heartbeat')
        .flatMap(entry => listOf(entry?.['product_ids']).map(textOf))
        .filter(name => name !== null)
      return [{ type: 'confirmed', id: null, natives: [...new Set(natives)], channelId: null }]
    }
    case 'heartbeat':
      return [{ type: 'alive' }]
    case 'error':
      return [refusal(textOf(fields['message']) ?? 'error without text', textOf(fields['reason']))]
    default:
      return []
  }
}

/** What says that a product is wrong; all else may pass. */
const finalCause = /is not a valid product|is delisted/

/**
 * The reason begins with the product that the venue does not take; its whole request is void then. Where it names none
 * (`too many L2 streams requested in a single session`) everything stays wanted.
 */
function refusal(message: string, reason: string | null): ControlEvent {
  const explained = reason === null ? message : `${message}: ${reason}`
  const product = /^[A-Z0-9]+-[A-Z0-9]+(?= )/.exec(reason ?? '')
  if (product === null) return { type: 'error', message: explained }
  const refused = { id: null, natives: [product[0]], reason: explained }
  return finalCause.test(explained)
    ? { type: 'rejected', ...refused, isWholeRequest: true }
    : { type: 'refused', ...refused }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  return listedPairs(listOf(body), {
    native: 'id',
    base: 'base_currency',
    quote: 'quote_currency',
    isGone: entry => entry['status'] === 'delisted'
  })
}
