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
import { begins, ignored, is, isAbsent, raw } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { listedPairs } from '../exchange-kit/listed-pairs.ts'
import { ascii, behind, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  fingerprint,
  instant,
  integer,
  levels,
  native,
  nullable,
  optional,
  text,
  words
} from '../exchange-kit/rules.ts'

const channels: Readonly<Record<RequestType, string>> = {
  ticker: 'tickers',
  trade: 'trades',
  orderbook: 'books'
}

const argKey = ascii('{"arg":{')
const instrumentKey = ascii('"instId":"')
const controlKeys = [ascii('{"event"'), ascii('{"id"')]
const pong = ascii('pong')
const quote = 0x22
const peekBytes = 128
/** The arguments of a connection may have 64 KB together; a hundred of them have less than 8 KB. */
const argsPerRequest = 100
const unknownInstrument = '60018'
const shutdownNotice = '64008'

// Acknowledgements name their channel just as data does.
const isData = isAbsent('event')
// Every place but the price and the size of a level: the third is no longer used, the fourth counts orders.
const bids = levels('bids', 0, 1)
const asks = levels('asks', 0, 1)
const bookKind = words('/action', { snapshot: 'SNAPSHOT', update: 'DELTA' })
const bookStreamType = words('/action', { snapshot: 'SNAPSHOT', update: 'REALTIME' })
const symbol = native('/arg.instId')

export const okx: ExchangeAdapter = {
  name: 'okx',
  region: 'asia',
  documentation: 'https://www.okx.com/docs-v5/en/#overview-websocket-overview',
  channels,
  quirks: [
    'A trade may merge several fills of one taker order at one price; its id is that of the last fill.',
    'The book has the best 400 levels of each side; nothing is known of those beyond.',
    'A book that does not change is repeated about once a minute as an update with two empty sides and an unchanged number.',
    "The book's checksum has been 0 since 2026 and is neither checked nor passed on; the chain of numbers proves completeness.",
    "Open, high, low and volumes are of the last 24 hours; the day's openings (UTC and UTC+8) are raw fields."
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://ws.okx.com:8443/ws/v5/public',
      trade: 'wss://ws.okx.com:8443/ws/v5/public',
      orderbook: 'wss://ws.okx.com:8443/ws/v5/public'
    },
    rest: 'https://www.okx.com',
    allowedHosts: ['ws.okx.com', 'wsaws.okx.com', 'wsus.okx.com', 'wseea.okx.com']
  },
  // @see https://www.okx.com/docs-v5/en/#overview-websocket-connect
  limits: {
    connects: { count: 3, windowMs: 1000 },
    connections: null,
    // Requests to subscribe and unsubscribe; each counts once, however many arguments it has.
    messages: [{ count: 480, windowMs: 3_600_000, counts: 'requests' }],
    symbolsPerConnection: 100,
    symbolsPerRequest: argsPerRequest,
    restWeight: { count: 20, windowMs: 2000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // The socket is cut when nothing went either way for 30 s, also when nothing is subscribed within 30 s.
  heartbeat: { ping: { everyMs: 20_000, frame: { text: 'ping' } }, watchdogMs: 35_000, limitMs: 30_000 },
  instruments: {
    listing: { path: '/api/v5/public/instruments?instType=SPOT', weight: 1, parse: parseListing },
    canonicalOf: name => (isSpot(name) ? name : null),
    nativeOf: canonical => canonical,
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    trade: { ids: 'unique' },
    // @see https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
    book: {
      mode: 'delta',
      sequence: 'previous-equals-last',
      snapshot: { from: 'stream' },
      check: 'none',
      depth: null
    }
  },
  compression: 'none',
  frames: [
    {
      name: 'okx/tickers',
      requestType: 'ticker',
      match: [isData, is('arg.channel', 'tickers')],
      each: 'data',
      fields: {
        symbol: native('instId'),
        exchange_ts: instant('ts'),
        stream_type: always('REALTIME'),
        last: decimal('last'),
        // An empty text where nothing traded for 24 hours, or where a side has no orders.
        open: nullable(decimal('open24h')),
        high: nullable(decimal('high24h')),
        low: nullable(decimal('low24h')),
        bid: nullable(decimal('bidPx')),
        bid_size: nullable(decimal('bidSz')),
        ask: nullable(decimal('askPx')),
        ask_size: nullable(decimal('askSz')),
        // The name is upside down for spot: `Ccy` is the quote currency.
        base_volume: decimal('vol24h'),
        quote_volume: decimal('volCcy24h'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: fingerprint('lastSz'),
      raw: {
        ...raw('instType', 'instId', 'last', 'lastSz', 'askPx', 'askSz', 'bidPx', 'bidSz', 'open24h'),
        ...raw('high24h', 'low24h', 'sodUtc0', 'sodUtc8', 'volCcy24h', 'vol24h', 'ts')
      }
    },
    {
      name: 'okx/trades',
      requestType: 'trade',
      match: [isData, is('arg.channel', 'trades')],
      each: 'data',
      fields: {
        symbol: native('instId'),
        exchange_ts: instant('ts'),
        stream_type: always('REALTIME'),
        trade_id: text('tradeId'),
        price: decimal('px'),
        size: decimal('sz'),
        side: words('side', { buy: 'BUY', sell: 'SELL' }),
        // Recordings from before 2023 lack it.
        sequence: optional(text('seqId'))
      },
      raw: raw('instId', 'tradeId', 'px', 'sz', 'side', 'ts', 'count', 'source', 'seqId')
    },
    {
      name: 'okx/books',
      requestType: 'orderbook',
      match: [isData, is('arg.channel', 'books')],
      each: 'data',
      fields: {
        symbol,
        exchange_ts: instant('ts'),
        stream_type: bookStreamType,
        kind: bookKind,
        bids,
        asks,
        sequence_last: text('seqId'),
        // -1 in a snapshot.
        sequence_previous: text('prevSeqId')
      },
      raw: { ...raw('ts', 'checksum', 'seqId', 'prevSeqId'), action: '/action' }
    },
    {
      // The same book tick by tick, for accounts of high standing. We never subscribe it, but recordings from before 2023
      // hold it without a number and with a true checksum: nothing of `books` above may be missing, here it may.
      name: 'okx/books-l2-tbt',
      requestType: 'orderbook',
      match: [isData, is('arg.channel', 'books-l2-tbt'), isAbsent('data.0.seqId')],
      each: 'data',
      fields: {
        symbol,
        exchange_ts: instant('ts'),
        stream_type: bookStreamType,
        kind: bookKind,
        bids,
        asks,
        checksum: integer('checksum')
      }
    },
    ...['books', 'bbo-tbt', 'trades-all', 'candle', 'instruments', 'status'].map(channel =>
      ignored(`okx/${channel}:other`, isData, begins('arg.channel', channel))
    )
  ],
  peek,
  control
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const channel = channels[change.requestType]
  const frames = (op: string, natives: readonly string[], confirms: boolean): SubscriptionRequest[] =>
    chunksOf(natives, argsPerRequest).map(chunk => {
      const id = String(change.nextId())
      const args = chunk.map(instId => ({ channel, instId }))
      return { frame: JSON.stringify({ id, op, args }), id, natives: confirms ? chunk : [] }
    })
  return [...frames('unsubscribe', change.removed, false), ...frames('subscribe', change.added, true)]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  found.frameClass = FrameClass.unclear
  if (startsWith(bytes, start, end, argKey)) {
    found.frameClass = FrameClass.data
    const near = Math.min(end, start + peekBytes)
    const from = behind(bytes, start + argKey.length, near, instrumentKey)
    noteSymbol(found, bytes, from, near, quote)
    return
  }
  // A bare word, no JSON.
  if (end - start === pong.length && startsWith(bytes, start, end, pong)) {
    found.frameClass = FrameClass.alive
    return
  }
  if (startsWithAny(bytes, start, end, controlKeys)) found.frameClass = FrameClass.control
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  const id = textOf(fields?.['id']) || null
  const named = textOf(membersOf(fields?.['arg'])?.['instId'])
  switch (textOf(fields?.['event']) ?? '') {
    case 'subscribe':
      // One for each argument of a request, whose id older servers leave out.
      return named === null ? [] : [{ type: 'confirmed', id, natives: [named], channelId: null }]
    case 'unsubscribe':
    case 'channel-conn-count':
      return [{ type: 'alive' }]
    case 'notice':
      return textOf(fields?.['code']) === shutdownNotice
        ? [{ type: 'reconnect', reason: textOf(fields?.['msg']) ?? 'service upgrade announced' }]
        : [{ type: 'alive' }]
    case 'error':
      return [refusal(textOf(fields?.['msg']) ?? '', textOf(fields?.['code']), id)]
    default:
      return []
  }
}

/** The other arguments of the request hold; only the text says which one does not. */
function refusal(said: string, code: string | null, id: string | null): ControlEvent {
  const reason = `${said === '' ? 'error without text' : said} (code ${code ?? 'none'})`
  const named = /instId:([^\s,]+)/.exec(said)?.[1]
  if (named === undefined && id === null) return { type: 'error', message: reason }
  const type = code === unknownInstrument ? 'rejected' : 'refused'
  return { type, id, natives: named === undefined ? [] : [named], reason }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  return listedPairs(listOf(membersOf(body)?.['data']), {
    native: 'instId',
    base: 'baseCcy',
    quote: 'quoteCcy',
    isGone: entry => entry['state'] === 'test'
  })
}

/** Derivatives have more than one dash: `BTC-USDT-SWAP`. */
function isSpot(name: string): boolean {
  return /^[A-Z0-9.]+-[A-Z0-9.]+$/.test(name)
}
