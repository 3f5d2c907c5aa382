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
import { ends, ignored, raw } from '../exchange-kit/field-table.ts'
import { splitJoinedSymbol } from '../exchange-kit/joined-symbol.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { ascii, behind, noteSymbol, startsWith, startsWithAny } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  fingerprint,
  instant,
  levels,
  nativePart,
  nullable,
  optional,
  text,
  words
} from '../exchange-kit/rules.ts'

/** Topics are `market.<symbol>.<channel>`. @see https://www.htx.com/en-us/opend/newApiPages/ */
const channels: Readonly<Record<RequestType, string>> = {
  ticker: 'ticker',
  trade: 'trade.detail',
  orderbook: 'mbp.150'
}

const knownQuotes = [
  ...['USDT', 'USDC', 'USDD', 'HUSD', 'TUSD'],
  ...['BTC', 'ETH', 'HT', 'TRX'],
  ...['EUR', 'GBP', 'BRL', 'TRY', 'UAH', 'RUB']
]

const otherChannels = [
  ...['bbo', 'detail', 'mbp.5', 'mbp.20', 'mbp.400', 'mbp.refresh.5', 'mbp.refresh.10'],
  ...['1', '2', '3', '4', '5'].map(step => `depth.step${step}`),
  ...['1min', '5min', '15min', '30min', '60min', '4hour', '1day', '1week', '1mon', '1year'].map(
    period => `kline.${period}`
  )
]

const topicKey = ascii('{"ch":"market.')
const answerKey = ascii('"rep":"market.')
const controlKeys = [
  ascii('{"ping"'),
  ascii('{"id"'),
  ascii('{"status"'),
  ascii('{"subbed"'),
  ascii('{"pong"')
]
const dot = 0x2e
/** What stands in front of the book in an answer: its id, status, time and topic, in any order. */
const peekBytes = 128

const symbol = nativePart('/ch', '.', 1)
const bids = levels('bids', 0, 1)
const asks = levels('asks', 0, 1)

export const huobi: ExchangeAdapter = {
  name: 'huobi',
  region: 'asia',
  documentation: 'https://www.htx.com/en-us/opend/newApiPages/',
  channels,
  quirks: [
    'Every frame of the server, heartbeats included, is compressed with gzip.',
    'Books are on another URL than tickers and trades, and start from a snapshot that is asked for on the same socket.',
    'The book has the best 150 levels of each side; nothing is known of those beyond.',
    'Tickers and books have no time of their own: exchange_ts is that of sending.',
    'The first frame of trades after a subscription holds the latest trade from before it, without a mark.',
    'A frame with several trades lists the newest first; records have the order of the trades.',
    'The field "amount" is of the base currency, "vol" of the quote currency.',
    'The trade id is tradeId; the field "id" has 24 digits and is not used.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://api.huobi.pro/ws',
      trade: 'wss://api.huobi.pro/ws',
      orderbook: 'wss://api.huobi.pro/feed'
    },
    rest: 'https://api.huobi.pro',
    allowedHosts: ['api.huobi.pro', 'api-aws.huobi.pro']
  },
  limits: {
    // Nothing is published; rapid reconnects have met HTTP 429.
    connects: { count: 10, windowMs: 10_000 },
    connections: null,
    // Requests less than 100 ms apart are refused.
    messages: [{ count: 1, windowMs: 100, counts: 'requests' }],
    symbolsPerConnection: 50,
    symbolsPerRequest: 1,
    restWeight: { count: 10, windowMs: 1000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // The server pings every 5 s and cuts after two that nobody answered.
  heartbeat: { ping: null, watchdogMs: 20_000, limitMs: 10_000 },
  instruments: {
    listing: { path: '/v1/common/symbols', weight: 1, parse: parseListing },
    canonicalOf: name => splitJoinedSymbol(name, knownQuotes),
    nativeOf: canonical => canonical.replace('-', '').toLowerCase(),
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: {
    trade: { ids: 'unique' },
    book: {
      mode: 'delta',
      sequence: 'previous-equals-last',
      snapshot: {
        from: 'request',
        frame: (name, id) => JSON.stringify({ req: topicOf('orderbook', name), id: String(id) })
      },
      check: 'none',
      depth: null
    }
  },
  compression: 'gzip',
  frames: [
    {
      name: 'huobi/ticker',
      requestType: 'ticker',
      envelope: 'tick',
      match: [ends('/ch', '.ticker')],
      fields: {
        symbol,
        exchange_ts: instant('/ts'),
        stream_type: always('REALTIME'),
        last: decimal('lastPrice'),
        open: decimal('open'),
        high: decimal('high'),
        low: decimal('low'),
        // Null where a side has no orders.
        bid: nullable(decimal('bid')),
        bid_size: nullable(decimal('bidSize')),
        ask: nullable(decimal('ask')),
        ask_size: nullable(decimal('askSize')),
        base_volume: decimal('amount'),
        quote_volume: decimal('vol'),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: fingerprint('lastSize'),
      raw: {
        ...raw('open', 'high', 'low', 'close', 'amount', 'vol', 'count', 'bid', 'bidSize', 'ask', 'askSize'),
        ...raw('lastPrice', 'lastSize'),
        ts: '/ts'
      }
    },
    {
      name: 'huobi/trade.detail',
      requestType: 'trade',
      match: [ends('/ch', '.trade.detail')],
      each: 'tick.data',
      newestFirst: true,
      fields: {
        symbol,
        exchange_ts: instant('ts'),
        stream_type: always('REALTIME'),
        trade_id: text('tradeId'),
        price: decimal('price'),
        size: decimal('amount'),
        side: words('direction', { buy: 'BUY', sell: 'SELL' })
      },
      raw: raw('id', 'ts', 'tradeId', 'amount', 'price', 'direction')
    },
    {
      name: 'huobi/mbp.150',
      requestType: 'orderbook',
      envelope: 'tick',
      match: [ends('/ch', '.mbp.150')],
      fields: {
        symbol,
        exchange_ts: instant('/ts'),
        stream_type: always('REALTIME'),
        kind: always('DELTA'),
        // A side without changes may be left out.
        bids: optional(bids),
        asks: optional(asks),
        sequence_last: text('seqNum'),
        sequence_previous: text('prevSeqNum')
      },
      raw: { ...raw('seqNum', 'prevSeqNum'), ts: '/ts' }
    },
    {
      // The answer to a request for the whole book. Announced without a time, documented with one.
      name: 'huobi/mbp.150 answer',
      requestType: 'orderbook',
      envelope: 'data',
      match: [ends('/rep', '.mbp.150')],
      fields: {
        symbol: nativePart('/rep', '.', 1),
        exchange_ts: optional(instant('/ts')),
        stream_type: always('SNAPSHOT'),
        kind: always('SNAPSHOT'),
        bids,
        asks,
        sequence_last: text('seqNum')
      },
      raw: { ...raw('seqNum'), ts: '/ts' }
    },
    // Whole books. We subscribe neither, but recordings hold them.
    wholeBook('mbp.refresh.20', 'seqNum'),
    wholeBook('depth.step0', 'version'),
    ...otherChannels.map(channel => ignored(`huobi/${channel}`, ends('ch', `.${channel}`)))
  ],
  peek,
  control
}

function wholeBook(channel: string, sequence: string) {
  return {
    name: `huobi/${channel}`,
    requestType: 'orderbook',
    envelope: 'tick',
    match: [ends('/ch', `.${channel}`)],
    fields: {
      symbol,
      exchange_ts: instant('/ts'),
      stream_type: always('REALTIME'),
      kind: always('SNAPSHOT'),
      bids,
      asks,
      sequence_last: text(sequence)
    }
  } as const
}

function topicOf(requestType: RequestType, name: string): string {
  return `market.${name}.${channels[requestType]}`
}

/** One topic a message. */
function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const { requestType, added, removed } = change
  const ask = (verb: 'sub' | 'unsub', name: string): SubscriptionRequest => {
    const id = String(change.nextId())
    const frame = JSON.stringify({ [verb]: topicOf(requestType, name), id })
    return { frame, id, natives: verb === 'sub' ? [name] : [] }
  }
  return [...removed.map(name => ask('unsub', name)), ...added.map(name => ask('sub', name))]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  found.frameClass = FrameClass.unclear
  const near = Math.min(end, start + peekBytes)
  let from = -1
  if (startsWith(bytes, start, end, topicKey)) from = start + topicKey.length
  else {
    if (startsWithAny(bytes, start, end, controlKeys)) found.frameClass = FrameClass.control
    from = behind(bytes, start, near, answerKey)
  }
  if (from < 0) return
  found.frameClass = FrameClass.data
  noteSymbol(found, bytes, from, near, dot)
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  const ping = textOf(fields['ping'])
  if (ping !== null) {
    return /^\d+$/.test(ping)
      ? [{ type: 'reply', frame: `{"pong":${ping}}` }]
      : [{ type: 'error', message: 'a ping without a number' }]
  }
  const id = textOf(fields['id']) || null
  if (fields['status'] === 'error') return [refusal(fields, id)]
  const topic = textOf(fields['subbed'])
  if (topic !== null) {
    const name = topic.split('.')[1] ?? ''
    return [{ type: 'confirmed', id, natives: name === '' ? [] : [name], channelId: null }]
  }
  return 'unsubbed' in fields || 'pong' in fields ? [{ type: 'alive' }] : []
}

/** What says that a symbol or its topic is wrong; all else (too many requests, a busy gateway, no trading yet) may pass. */
const finalCause = /invalid (symbol|topic)|does not currently offer subscription services/

function refusal(fields: { readonly [key: string]: JsonValue }, id: string | null): ControlEvent {
  const said = textOf(fields['err-msg']) ?? 'error without text'
  const reason = `${said} (${textOf(fields['err-code']) ?? 'no code'})`
  if (id === null) return { type: 'error', message: reason }
  return { type: finalCause.test(said) ? 'rejected' : 'refused', id, natives: [], reason }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of listOf(membersOf(body)?.['data'])) {
    const fields = membersOf(entry)
    const [name, base, quoted] = [
      fields?.['symbol'],
      fields?.['base-currency'],
      fields?.['quote-currency']
    ].map(textOf)
    if (fields?.['state'] === 'offline' || !name || !base || !quoted) continue
    instruments.push({ symbol: `${base}-${quoted}`.toUpperCase(), native: name })
  }
  return instruments
}
