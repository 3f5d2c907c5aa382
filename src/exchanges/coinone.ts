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
import { is, rawLongOrShort } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { ascii, behind, indexOfByte, startsWith } from '../exchange-kit/peek.ts'
import {
  always,
  decimal,
  fingerprint,
  flag,
  instant,
  levels,
  nativePair,
  optional,
  text
} from '../exchange-kit/rules.ts'

/** @see https://docs.coinone.co.kr/reference/public-websocket-ticker and its neighbours */
const channels: Readonly<Record<RequestType, string>> = {
  ticker: 'TICKER',
  trade: 'TRADE',
  orderbook: 'ORDERBOOK'
}

const url = 'wss://stream.coinone.co.kr'

// Every key has a long form (format DEFAULT, which we ask for) and a short one (format SHORT).
const envelope = 'data|d'
const isData = is('/response_type|r', 'DATA')
/** The venue names a pair by two fields; joined like this they read as users of the venue write them. */
const symbol = nativePair('target_currency|tc', '-', 'quote_currency|qc')
const exchange_ts = instant('timestamp|t')
// Nothing tells the first frame after a subscription from those behind it.
const stream_type = always('REALTIME')

const dataKey = ascii('{"response_type":"DATA"')
const shortDataKey = ascii('{"r":"DATA"')
const pongKey = ascii('{"response_type":"PONG"')
const answerKey = ascii('{"response_type":"')
const quoteCurrencyKey = ascii('"quote_currency":"')
const betweenCurrencies = '","target_currency":"'
const targetCurrencyKey = ascii(betweenCurrencies)
const quote = 0x22
/** Both currencies stand at the beginning of the data; further in we do not look. */
const peekBytes = 160
const invalidTopic = '160012'

export const coinone: ExchangeAdapter = {
  name: 'coinone',
  region: 'korea',
  documentation: 'https://docs.coinone.co.kr/reference/public-websocket-ticker',
  channels,
  quirks: [
    'Open, high and low are documented as those of the UTC day, the volumes as those of the last 24 hours.',
    'A ticker is sent when something traded, so that its bid and ask may be older than those of the book.',
    'A pair that does not exist is confirmed like any other and refused right afterwards by an error that does not name it.',
    'A book has up to 16 levels a side. The first one after a subscription may carry a time several seconds old; the larger id is the newer book.',
    'Ids are a time in milliseconds and three digits: they grow but have holes, so they tell no loss.',
    'Only another last price in a ticker proves that a trade happened, so trades at one price that fall silent are noticed late.'
  ],
  endpoints: {
    websocket: { ticker: url, trade: url, orderbook: url },
    rest: 'https://api.coinone.co.kr',
    allowedHosts: ['stream.coinone.co.kr']
  },
  limits: {
    // No rate is published, only the number of connections; one dial a second reaches it soon enough.
    connects: { count: 1, windowMs: 1000 },
    // The next one is closed with 4290.
    connections: 20,
    // Not limited by the venue. A refusal names nothing and comes up to ten milliseconds after its confirmation: requests
    // that follow each other much more slowly than that leave little doubt whom it means.
    messages: [{ count: 1, windowMs: 40, counts: 'requests' }],
    symbolsPerConnection: 100,
    symbolsPerRequest: 1,
    restWeight: { count: 1200, windowMs: 60_000 },
    reconnectFloorMs: 1000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // Cut 30 minutes after the last PING, a socket without a subscription after 60 s; the server itself never pings.
  heartbeat: {
    ping: { everyMs: 20_000, frame: { text: '{"request_type":"PING"}' } },
    watchdogMs: 60_000,
    limitMs: 60_000
  },
  instruments: {
    listing: { path: '/public/v2/markets/KRW', weight: 1, parse: parseListing },
    canonicalOf: name => (isPair(name) ? name : null),
    nativeOf: canonical => canonical,
    // A frame names both currencies side by side, so what it says of the pair is one range of its bytes, from the
    // beginning of the one to the end of the other: `KRW","target_currency":"BTC`.
    streamNameOf(name) {
      const [target = '', quoted = ''] = name.split('-')
      return `${quoted}${betweenCurrencies}${target}`
    }
  },
  subscriptions: { confirmedBy: 'ack', requests },
  continuity: { trade: { ids: 'unique' }, book: { mode: 'whole' } },
  compression: 'none',
  frames: [
    {
      name: 'coinone/ticker',
      requestType: 'ticker',
      envelope,
      match: [isData, is('/channel|c', 'TICKER')],
      fields: {
        symbol,
        exchange_ts,
        stream_type,
        last: decimal('last|la'),
        open: decimal('first|fi'),
        high: decimal('high|hi'),
        low: decimal('low|lo'),
        prev_close: decimal('yesterday_last|yla'),
        // Documented as null when a side of the book is empty.
        bid: optional(decimal('bid_best_price|bbp')),
        bid_size: optional(decimal('bid_best_qty|bbq')),
        ask: optional(decimal('ask_best_price|abp')),
        ask_size: optional(decimal('ask_best_qty|abq')),
        base_volume: decimal('target_volume|tv'),
        quote_volume: decimal('quote_volume|qv'),
        price_window: always('UTC_DAY'),
        volume_window: always('ROLLING_24H')
      },
      // Its id is no evidence of a trade: the venue also renews the tickers of quiet pairs. Another last price is.
      evidence: fingerprint('last|la'),
      raw: rawLongOrShort({
        quote_currency: 'qc',
        target_currency: 'tc',
        timestamp: 't',
        quote_volume: 'qv',
        target_volume: 'tv',
        high: 'hi',
        low: 'lo',
        first: 'fi',
        last: 'la',
        volume_power: 'vp',
        ask_best_price: 'abp',
        ask_best_qty: 'abq',
        bid_best_price: 'bbp',
        bid_best_qty: 'bbq',
        id: 'i',
        yesterday_high: 'yhi',
        yesterday_low: 'ylo',
        yesterday_first: 'yfi',
        yesterday_last: 'yla',
        yesterday_quote_volume: 'yqv',
        yesterday_target_volume: 'ytv'
      })
    },
    {
      name: 'coinone/trade',
      requestType: 'trade',
      envelope,
      match: [isData, is('/channel|c', 'TRADE')],
      fields: {
        symbol,
        exchange_ts,
        stream_type,
        trade_id: text('id|i'),
        price: decimal('price|p'),
        size: decimal('qty|q'),
        // The seller's order was resting: the taker bought. Several public clients have it the other way round.
        side: flag('is_seller_maker|sm', 'BUY', 'SELL')
      },
      raw: rawLongOrShort({
        quote_currency: 'qc',
        target_currency: 'tc',
        id: 'i',
        timestamp: 't',
        price: 'p',
        qty: 'q',
        is_seller_maker: 'sm'
      })
    },
    {
      name: 'coinone/orderbook',
      requestType: 'orderbook',
      envelope,
      match: [isData, is('/channel|c', 'ORDERBOOK')],
      fields: {
        symbol,
        exchange_ts,
        stream_type,
        kind: always('SNAPSHOT'),
        bids: levels('bids|b', 'price|p', 'qty|q'),
        // From the worst to the best.
        asks: levels('asks|a', 'price|p', 'qty|q', { reverse: true }),
        sequence_last: text('id|i')
      },
      raw: rawLongOrShort({ quote_currency: 'qc', target_currency: 'tc', id: 'i', timestamp: 't' })
    }
  ],
  peek,
  control
}

function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const channel = channels[change.requestType]
  const topicOf = (name: string) => {
    const [target_currency = '', quote_currency = ''] = name.split('-')
    return { quote_currency, target_currency }
  }
  return [
    ...change.removed.map(name => ({
      frame: JSON.stringify({ request_type: 'UNSUBSCRIBE', channel, topic: topicOf(name) }),
      id: null,
      natives: []
    })),
    ...change.added.map(name => ({
      frame: JSON.stringify({ request_type: 'SUBSCRIBE', channel, topic: topicOf(name), format: 'DEFAULT' }),
      id: null,
      natives: [name]
    }))
  ]
}

function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  if (startsWith(bytes, start, end, dataKey)) {
    found.frameClass = FrameClass.data
    const near = Math.min(end, start + peekBytes)
    const from = behind(bytes, start, near, quoteCurrencyKey)
    const target = from < 0 ? -1 : behind(bytes, from, near, targetCurrencyKey)
    const to = target < 0 ? -1 : indexOfByte(bytes, target, near, quote)
    if (to < 0) return
    found.symbolStart = from
    found.symbolEnd = to
  } else if (startsWith(bytes, start, end, pongKey)) found.frameClass = FrameClass.alive
  else if (startsWith(bytes, start, end, answerKey)) found.frameClass = FrameClass.control
  else {
    const isShort = startsWith(bytes, start, end, shortDataKey)
    found.frameClass = isShort ? FrameClass.data : FrameClass.unclear
  }
}

function control(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  switch (textOf(fields['response_type']) ?? '') {
    case 'SUBSCRIBED': {
      const topic = membersOf(fields['data'])
      const [target, quoted] = [textOf(topic?.['target_currency']), textOf(topic?.['quote_currency'])]
      if (target === null || quoted === null) return [{ type: 'alive' }]
      return [{ type: 'confirmed', id: null, natives: [`${target}-${quoted}`], channelId: null }]
    }
    // The greeting, the end of a subscription, and a pong that was written in an unusual way.
    case 'CONNECTED':
    case 'UNSUBSCRIBED':
    case 'PONG':
      return [{ type: 'alive' }]
    case 'ERROR': {
      const code = textOf(fields['error_code']) ?? 'none'
      const field = textOf(fields['field'])
      const reason = `${textOf(fields['message']) ?? 'error without text'} (code ${code}${field === null ? '' : `, ${field}`})`
      return [code === invalidTopic ? { type: 'rejectedLast', reason } : { type: 'error', message: reason }]
    }
    default:
      return []
  }
}

function parseListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of listOf(membersOf(body)?.['markets'])) {
    const fields = membersOf(entry)
    const [target, quoted] = [textOf(fields?.['target_currency']), textOf(fields?.['quote_currency'])]
    if (!target || !quoted) continue
    const name = `${target}-${quoted}`.toUpperCase()
    instruments.push({ symbol: name, native: name })
  }
  return instruments
}

function isPair(name: string): boolean {
  const dash = name.indexOf('-')
  return dash > 0 && dash < name.length - 1
}
