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
import { chunksOf } from '../exchange-kit/chunks.ts'
import { begins, ignored, raw } from '../exchange-kit/field-table.ts'
import { splitJoinedSymbol } from '../exchange-kit/joined-symbol.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { listedPairs } from '../exchange-kit/listed-pairs.ts'
import { ascii, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  fingerprint,
  instant,
  levels,
  native,
  optional,
  text,
  words
} from '../exchange-kit/rules.ts'

/** Topics are `<channel>.<symbol>`. @see https://bybit-exchange.github.io/docs/v5/ws/connect */
const channels: Readonly<Record<RequestType, string>> = {
  ticker: 'tickers',
  trade: 'publicTrade',
  orderbook: 'orderbook.50'
}

const knownQuotes = [
  ...['USDT', 'USDC', 'USDE', 'USD1', 'USDQ', 'USDR', 'XUSD', 'DAI', 'USD'],
  ...['BTC', 'ETH', 'SOL', 'MNT'],
  ...['EUR', 'BRL', 'BRZ', 'PLN', 'TRY', 'GBP', 'ARS']
]

const topicKey = ascii('{"topic":"')
const controlKeys = [ascii('{"success"'), ascii('{"req_id"'), ascii('{"op"')]
const quote = 0x22
const dot = 0x2e
const peekBytes = 64
/** The spot feed refuses a request with more. */
const topicsPerRequest = 10
/** What a refusal names: `Invalid symbol :[publicTrade.NOPE]`, `handler not found,topic:tickers.NOPE`. */
const namedTopic = /(?:tickers|publicTrade|orderbook\.\d+)\.([A-Za-z0-9]+)/g

/** What says that a topic is wrong; all else (time-outs, too many requests) may pass. */
const finalCause = /invalid symbol|handler not found|topic.* not exist/i

export const bybit: ExchangeAdapter = {
  name: 'bybit',
  region: 'asia',
  documentation: 'https://bybit-exchange.github.io/docs/v5/ws/connect',
  channels,
  quirks: [
    'The spot ticker carries neither best bid nor best ask.',
    "The ticker's open is prevPrice24h, the price 24 hours ago, where its rolling window begins.",
    'One bad topic may void the whole request it stands in, so the others are asked for again.',
    'Block trades and those of retail orders (raw fields BT and RPI) are among the trades and never stood in the book.',
    'The book has the best 50 levels of each side; nothing is known of those beyond.',
    'Book updates carry a number that only grows and may skip, so that a lost update shows only when the book gets crossed.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://stream.bybit.com/v5/public/spot',
      trade: 'wss://stream.bybit.com/v5/public/spot',
      orderbook: 'wss://stream.bybit.com/v5/public/spot'
    },
    rest: 'https://api.bybit.com',
    allowedHosts: [
      'stream.bybit.com',
      'stream.bybit.tr',
      'stream.bybit-tr.com',
      'stream.bybit.id',
      'stream.bybit.kz',
      'stream.bybitgeorgia.ge'
    ]
  },
  // @see https://bybit-exchange.github.io/docs/v5/ws/connect#ip-limits
  limits: {
    connects: { count: 500, windowMs: 300_000 },
    connections: 1000,
    // No number is published for requests; this subscribes a full connection in two seconds.
    messages: [{ count: 10, windowMs: 1000, counts: 'messages' }],
    // The topics of a connection may have 21,000 characters together; a hundred have less than 4,000.
    symbolsPerConnection: 100,
    symbolsPerRequest: topicsPerRequest,
    restWeight: { count: 600, windowMs: 5000 },
    reconnectFloorMs: 1000,
    // HTTP 403 stands for ten minutes.
    penaltyMs: 600_000,
    connectionAgeMaxMs: null
  },
  // The venue cuts after ten minutes without a ping and recommends one every 20 s.
  heartbeat: {
    ping: { everyMs: 20_000, frame: { text: '{"req_id":"ping","op":"ping"}' } },
    watchdogMs: 45_000,
    limitMs: 600_000
  },
  instruments: {
    listing: { path: '/v5/market/instruments-info?category=spot', weight: 1, parse: parseListing },
    canonicalOf: name => splitJoinedSymbol(name, knownQuotes),
    nativeOf: canonical => canonical.replace('-', ''),
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    // Ids are of 19 digits and grow, but not by one.
    trade: { ids: 'unique' },
    // @see https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
    book: {
      mode: 'delta',
      sequence: 'increasing',
      snapshot: { from: 'stream' },
      check: 'crossed',
      depth: null
    }
  },
  compression: 'none',
  frames: [
    {
      // Every ticker is whole; `type` says "snapshot" each time and means nothing by it.
      name: 'bybit/tickers',
      requestType: 'ticker',
      envelope: 'data',
      match: [begins('/topic', 'tickers.')],
      fields: {
        symbol: native('symbol'),
        exchange_ts: instant('/ts'),
        stream_type: always('REALTIME'),
        last: decimal('lastPrice'),
        open: decimal('prevPrice24h'),
        high: decimal('highPrice24h'),
        low: decimal('lowPrice24h'),
        base_volume: decimal('volume24h'),
        quote_volume: decimal('turnover24h'),
        // A ratio, whatever its name says.
        change_rate: decimal('price24hPcnt'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: fingerprint('lastPrice'),
      raw: {
        ...raw('symbol', 'lastPrice', 'highPrice24h', 'lowPrice24h', 'prevPrice24h', 'volume24h'),
        ...raw('turnover24h', 'price24hPcnt', 'usdIndexPrice'),
        ...fromFrame('topic', 'ts', 'type', 'cs')
      }
    },
    {
      name: 'bybit/publicTrade',
      requestType: 'trade',
      match: [begins('topic', 'publicTrade.')],
      each: 'data',
      fields: {
        symbol: native('s'),
        exchange_ts: instant('T'),
        stream_type: always('REALTIME'),
        trade_id: text('i'),
        price: decimal('p'),
        size: decimal('v'),
        side: words('S', { Buy: 'BUY', Sell: 'SELL' }),
        // Recordings of 2023 lack it.
        sequence: optional(text('seq'))
      },
      raw: {
        ...raw('i', 'T', 'p', 'v', 'S', 's', 'BT', 'RPI', 'seq', 'L'),
        ...fromFrame('topic', 'ts', 'type')
      }
    },
    {
      // A snapshot after the subscription, and again whenever the venue restarts its feed (`u` is then 1).
      name: 'bybit/orderbook',
      requestType: 'orderbook',
      envelope: 'data',
      match: [begins('/topic', 'orderbook.50.')],
      fields: {
        symbol: native('s'),
        // Time of the matching engine; older frames have only that of the feed.
        exchange_ts: instant('/cts|ts'),
        stream_type: words('/type', { snapshot: 'SNAPSHOT', delta: 'REALTIME' }),
        kind: words('/type', { snapshot: 'SNAPSHOT', delta: 'DELTA' }),
        bids: levels('b', 0, 1),
        asks: levels('a', 0, 1),
        sequence_last: text('u')
      },
      raw: { ...raw('s', 'u', 'seq'), ...fromFrame('topic', 'ts', 'type', 'cts') }
    },
    // Books of other depths, the whole one and that of retail orders (RPI) are other books.
    ...['orderbook.', 'kline.', 'allLiquidation.', 'liquidation.', 'priceLimit.', 'insurance.'].map(topic =>
      ignored(`bybit/${topic}`, begins('topic', topic))
    )
  ],
  peek,
  control
}

/** Raw fields beside the event, under their own names. */
function fromFrame(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map(name => [name, `/${name}`]))
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const frames = (op: string, natives: readonly string[], confirms: boolean): SubscriptionRequest[] =>
    chunksOf(natives, topicsPerRequest).map(chunk => {
      const id = String(change.nextId())
      const args = chunk.map(name => `${channels[change.requestType]}.${name}`)
      return { frame: JSON.stringify({ req_id: id, op, args }), id, natives: confirms ? chunk : [] }
    })
  return [...frames('unsubscribe', change.removed, false), ...frames('subscribe', change.added, true)]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  found.frameClass = FrameClass.unclear
  if (startsWith(bytes, start, end, topicKey)) {
    found.frameClass = FrameClass.data
    const near = Math.min(end, start + peekBytes)
    let from = 0
    for (let at = start + topicKey.length; at < near; at++) {
      if (bytes[at] === dot) from = at + 1
      else if (bytes[at] === quote) {
        if (from === 0) return
        found.symbolStart = from
        found.symbolEnd = at
        return
      }
    }
    return
  }
  if (startsWithAny(bytes, start, end, controlKeys)) found.frameClass = FrameClass.control
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null || fields['topic'] !== undefined) return []
  const op = textOf(fields['op'])
  const said = textOf(fields['ret_msg']) ?? ''
  const id = textOf(fields['req_id']) || null
  if (fields['success'] === false) return [refusal(said, op, id)]
  if (op === 'ping' || op === 'pong' || op === 'unsubscribe') return [{ type: 'alive' }]
  if (op !== 'subscribe' || fields['success'] !== true) return []
  return [{ type: 'confirmed', id, natives: [], channelId: null }]
}

/** Its text is for people; only the topic in it is relied upon, the request's id where that is given, and known causes. */
function refusal(said: string, op: string | null, id: string | null): ControlEvent {
  const reason = said === '' ? 'refused without a reason' : said
  const natives = [...said.matchAll(namedTopic)].map(match => match[1]!)
  if (op !== 'subscribe' || (id === null && natives.length === 0)) return { type: 'error', message: reason }
  if (said.includes('already subscribed')) return { type: 'confirmed', id, natives, channelId: null }
  if (!finalCause.test(said)) return { type: 'refused', id, natives, reason }
  return { type: 'rejected', id, natives, reason, isWholeRequest: true }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  return listedPairs(listOf(membersOf(membersOf(body)?.['result'])?.['list']), {
    native: 'symbol',
    base: 'baseCoin',
    quote: 'quoteCoin',
    isGone: entry => entry['status'] === 'Closed'
  })
}
