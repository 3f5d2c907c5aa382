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
import { is, isAbsent, isPresent, raw } from '../exchange-kit/field-table.ts'
import { splitJoinedSymbol } from '../exchange-kit/joined-symbol.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { listedPairs } from '../exchange-kit/listed-pairs.ts'
import { ascii, behind, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  instant,
  integer,
  levels,
  makerIsBuyer,
  native,
  percent,
  subscribed,
  text
} from '../exchange-kit/rules.ts'

/** Stream names are `<lower-case symbol><suffix>`. @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
const suffixOf: Readonly<Record<RequestType, string>> = {
  ticker: '@ticker',
  trade: '@trade',
  orderbook: '@depth@100ms'
}

/** A name such as BTCUSDT has no separator. The listing decides; without it the longest quote that fits does. */
const knownQuotes = [
  'FDUSD USDT USDC BUSD TUSD USDP USDS USD1 AEUR EURI DAI PAX UST VAI BTC ETH BNB TRX XRP',
  'DOGE SOL DOT TRY EUR GBP AUD BRL RUB UAH NGN ZAR JPY PLN RON ARS MXN CZK COP IDRT BIDR',
  'BKRW BVND RLUSD U'
].flatMap(line => line.split(' '))

const streamKey = ascii('{"stream":"')
const eventKey = ascii('{"e":"')
const symbolKey = ascii('"s":"')
const shutdownKey = ascii('{"e":"serverShutdown"')
const controlKeys = [ascii('{"result"'), ascii('{"error"'), ascii('{"code"'), ascii('{"id"')]
/** What says that a stream is wrong; all else (too many requests, disconnections within the venue) may pass. */
const finalCause = /invalid stream|invalid symbol/i
const at = 0x40
const quote = 0x22
const bang = 0x21
const peekBytes = 96
/** More parameters in one request have been refused for its length. */
const symbolsPerRequest = 200

export const binance: ExchangeAdapter = {
  name: 'binance',
  region: 'asia',
  documentation: 'https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams',
  channels: suffixOf,
  quirks: [
    'A symbol that does not exist is confirmed like any other and then stays silent.',
    'Block trades have a stream and ids of their own, which are not collected; they are not among the trades.',
    'A book snapshot comes over REST with 1,000 levels a side; levels further out are unknown until an update touches them.'
  ],
  endpoints: {
    // Combined streams: payloads of partial books and best quotes name no symbol, only their stream does.
    websocket: {
      ticker: 'wss://stream.binance.com:9443/stream',
      trade: 'wss://stream.binance.com:9443/stream',
      orderbook: 'wss://stream.binance.com:9443/stream'
    },
    rest: 'https://api.binance.com',
    allowedHosts: ['stream.binance.com', 'data-stream.binance.vision']
  },
  limits: {
    connects: { count: 300, windowMs: 300_000 },
    connections: null,
    // Pings, pongs and requests all count; who exceeds it is disconnected, and banned when it repeats.
    messages: [{ count: 5, windowMs: 1000, counts: 'messages' }],
    // 1,024 streams are allowed; one stream a symbol, and fewer keep the blast radius of a lost socket small.
    symbolsPerConnection: 200,
    symbolsPerRequest,
    restWeight: { count: 6000, windowMs: 60_000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: 86_400_000
  },
  // The server pings every 20 s and wants its pong within a minute; pings of ours would only eat the message budget.
  heartbeat: { ping: null, watchdogMs: 60_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/api/v3/exchangeInfo?showPermissionSets=false', weight: 20, parse: parseListing },
    canonicalOf: name => splitJoinedSymbol(name, knownQuotes),
    nativeOf: canonical => canonical.replace('-', ''),
    streamNameOf: name => name.toLowerCase()
  },
  // A symbol that does not exist is confirmed like any other and then stays silent.
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    trade: { ids: 'contiguous' },
    // @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#how-to-manage-a-local-order-book-correctly
    book: {
      mode: 'delta',
      sequence: 'first-follows-last',
      check: 'none',
      depth: null,
      snapshot: {
        from: 'rest',
        path: name => `/api/v3/depth?symbol=${encodeURIComponent(name)}&limit=1000`,
        weight: 50
      }
    }
  },
  compression: 'none',
  frames: [
    {
      name: 'binance/ticker',
      requestType: 'ticker',
      envelope: 'data',
      match: [is('e', '24hrTicker')],
      fields: {
        symbol: native('s'),
        exchange_ts: instant('E'),
        stream_type: always('REALTIME'),
        last: decimal('c'),
        open: decimal('o'),
        high: decimal('h'),
        low: decimal('l'),
        // The last trade before the 24 hours began.
        prev_close: decimal('x'),
        bid: decimal('b'),
        bid_size: decimal('B'),
        ask: decimal('a'),
        ask_size: decimal('A'),
        base_volume: decimal('v'),
        quote_volume: decimal('q'),
        change: decimal('p'),
        change_rate: percent('P'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: integer('L'),
      raw: raw(...'eEspPwxcQbBaAohlvqOCFLn')
    },
    {
      name: 'binance/trade',
      requestType: 'trade',
      envelope: 'data',
      match: [is('e', 'trade')],
      fields: {
        symbol: native('s'),
        exchange_ts: instant('T'),
        stream_type: always('REALTIME'),
        trade_id: text('t'),
        price: decimal('p'),
        size: decimal('q'),
        side: makerIsBuyer('m')
      },
      raw: raw(...'eEstpqTmM')
    },
    {
      // Fills of one taker order at one price; the id counts aggregates, not trades.
      name: 'binance/aggTrade',
      requestType: 'trade',
      envelope: 'data',
      match: [is('e', 'aggTrade')],
      fields: {
        symbol: native('s'),
        exchange_ts: instant('T'),
        stream_type: always('REALTIME'),
        trade_id: text('a'),
        price: decimal('p'),
        size: decimal('q'),
        side: makerIsBuyer('m')
      },
      raw: raw(...'eEsapqflTmM')
    },
    {
      name: 'binance/depthUpdate',
      requestType: 'orderbook',
      envelope: 'data',
      match: [is('e', 'depthUpdate')],
      fields: {
        symbol: native('s'),
        exchange_ts: instant('E'),
        stream_type: always('REALTIME'),
        kind: always('DELTA'),
        bids: levels('b', 0, 1),
        asks: levels('a', 0, 1),
        sequence_first: text('U'),
        sequence_last: text('u')
      },
      raw: raw(...'eEsUu')
    },
    {
      // The REST body that a book starts from: no symbol and no time in it.
      name: 'binance/depth',
      requestType: 'orderbook',
      source: 'snapshot',
      match: [isPresent('lastUpdateId')],
      fields: {
        symbol: subscribed(),
        stream_type: always('SNAPSHOT'),
        kind: always('SNAPSHOT'),
        bids: levels('bids', 0, 1),
        asks: levels('asks', 0, 1),
        sequence_last: text('lastUpdateId')
      }
    },
    ignored('partial depth', [isPresent('lastUpdateId'), isPresent('bids'), isPresent('asks')]),
    ignored('bookTicker', [isAbsent('e'), isPresent('u'), isPresent('s'), isPresent('b'), isPresent('a')]),
    ...[
      'kline',
      '24hrMiniTicker',
      '1hTicker',
      '4hTicker',
      '1dTicker',
      'avgPrice',
      'referencePrice',
      'blockTrade'
    ].map(event => ignored(event, [is('e', event)]))
  ],
  peek,
  control
}

function ignored(name: string, match: readonly ReturnType<typeof is>[]) {
  return { name: `binance/${name}`, requestType: null, envelope: 'data', match, ignore: 'kind' } as const
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const suffix = suffixOf[change.requestType]
  const frames = (method: string, natives: readonly string[], confirms: boolean): SubscriptionRequest[] =>
    chunksOf(natives, symbolsPerRequest).map(chunk => {
      const id = change.nextId()
      const params = chunk.map(name => name.toLowerCase() + suffix)
      return { frame: JSON.stringify({ method, params, id }), id: String(id), natives: confirms ? chunk : [] }
    })
  return [...frames('UNSUBSCRIBE', change.removed, false), ...frames('SUBSCRIBE', change.added, true)]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  const near = Math.min(end, start + peekBytes)
  if (startsWith(bytes, start, end, streamKey)) {
    const from = start + streamKey.length
    // `!serverShutdown` is a notice on a stream of its own.
    found.frameClass = bytes[from] === bang ? FrameClass.unclear : FrameClass.data
    noteSymbol(found, bytes, from, near, at)
    return
  }
  if (startsWithAny(bytes, start, end, controlKeys)) {
    found.frameClass = FrameClass.control
    return
  }
  if (!startsWith(bytes, start, end, eventKey) || startsWith(bytes, start, end, shutdownKey)) {
    found.frameClass = FrameClass.unclear
    return
  }
  // A bare event, from a raw stream: its symbol is in upper case.
  found.frameClass = FrameClass.data
  const from = behind(bytes, start, near, symbolKey)
  noteSymbol(found, bytes, from, near, quote)
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  const event = membersOf(fields['data']) ?? fields
  if (event['e'] === 'serverShutdown') return [{ type: 'reconnect', reason: 'server shutdown announced' }]
  const id = textOf(fields['id'])
  // The documentation prints errors flat; on the wire they are nested.
  const error =
    membersOf(fields['error']) ??
    (fields['code'] !== undefined && fields['msg'] !== undefined ? fields : null)
  if (error !== null) {
    const reason = `${textOf(error['msg']) ?? 'error without text'} (code ${textOf(error['code']) ?? 'none'})`
    if (id === null) return [{ type: 'error', message: reason }]
    return [{ type: finalCause.test(reason) ? 'rejected' : 'refused', id, natives: [], reason }]
  }
  if (!('result' in fields) || id === null) return []
  // Other results answer questions (LIST_SUBSCRIPTIONS); they only prove that the socket lives.
  return fields['result'] === null
    ? [{ type: 'confirmed', id, natives: [], channelId: null }]
    : [{ type: 'alive' }]
}

function parseListing(body: JsonValue): readonly Instrument[] {
  return listedPairs(listOf(membersOf(body)?.['symbols']), {
    native: 'symbol',
    base: 'baseAsset',
    quote: 'quoteAsset'
  })
}
