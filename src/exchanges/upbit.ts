import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { is, rawLongOrShort } from '../exchange-kit/field-table.ts'
import {
  always,
  decimal,
  instant,
  integer,
  levels,
  native,
  streamType,
  text,
  words
} from '../exchange-kit/rules.ts'
import {
  marketListing,
  peekTyped,
  swapped,
  ticketRequests,
  typedControl
} from '../exchange-kit/ticket-protocol.ts'

// Every place has a long name (format DEFAULT, which we ask for) and a short one (format SIMPLE).
// @see https://docs.upbit.com/kr/reference/websocket-ticker
const symbol = native('code|cd')
const stream_type = streamType('stream_type|st')
// Milliseconds; books of USDT and BTC markets were seen with microseconds (16 digits), so the magnitude decides.
const frameTime = instant('timestamp|tms')

export const upbit: ExchangeAdapter = {
  name: 'upbit',
  region: 'korea',
  documentation: 'https://docs.upbit.com/kr/reference/websocket-guide',
  channels: { ticker: 'ticker', trade: 'trade', orderbook: 'orderbook' },
  quirks: [
    'Open, high, low and the change are of the day that began at 00:00 UTC; the volumes are of the last 24 hours.',
    'The ticker carries neither best bid nor best ask; a book has up to 30 levels a side.',
    'Subscriptions are not acknowledged: the first frame of a symbol confirms it, and an unknown one is passed over in silence.',
    'Trade ids are unique but no strict order.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://api.upbit.com/websocket/v1',
      trade: 'wss://api.upbit.com/websocket/v1',
      orderbook: 'wss://api.upbit.com/websocket/v1'
    },
    rest: 'https://api.upbit.com',
    allowedHosts: ['api.upbit.com', 'sg-api.upbit.com', 'id-api.upbit.com', 'th-api.upbit.com']
  },
  // @see https://docs.upbit.com/kr/reference/rate-limits
  limits: {
    connects: { count: 5, windowMs: 1000 },
    connections: null,
    messages: [
      { count: 5, windowMs: 1000, counts: 'messages' },
      { count: 100, windowMs: 60_000, counts: 'messages' }
    ],
    // 855 codes worked on one socket; fewer keep the blast radius of a lost one small. A request names the whole set.
    symbolsPerConnection: 200,
    symbolsPerRequest: 200,
    restWeight: { count: 10, windowMs: 1000 },
    reconnectFloorMs: 250,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // The documentation says idle sockets are cut after 120 s; on the wire it is about 60 s, and the server never pings.
  heartbeat: { ping: { everyMs: 15_000, frame: 'websocket' }, watchdogMs: 45_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/v1/market/all', weight: 1, parse: marketListing },
    canonicalOf: swapped,
    nativeOf: canonical => swapped(canonical) ?? canonical,
    streamNameOf: name => name
  },
  subscriptions: {
    // There is no acknowledgement: the first SNAPSHOT is the success, and an unknown code is silence.
    confirmedBy: 'first-data',
    // A request replaces the whole subscription of its socket; an empty one is an error, closing the socket is the way.
    requests: ticketRequests
  },
  // Ids are unique per market but not a strict order: six of 976 recorded trades came after a higher one.
  continuity: { trade: { ids: 'unique' }, book: { mode: 'whole' } },
  compression: 'none',
  listFrames: true,
  frames: [
    {
      name: 'upbit/ticker',
      requestType: 'ticker',
      match: [is('type|ty', 'ticker')],
      fields: {
        symbol,
        exchange_ts: frameTime,
        stream_type,
        last: decimal('trade_price|tp'),
        open: decimal('opening_price|op'),
        high: decimal('high_price|hp'),
        low: decimal('low_price|lp'),
        prev_close: decimal('prev_closing_price|pcp'),
        base_volume: decimal('acc_trade_volume_24h|atv24h'),
        quote_volume: decimal('acc_trade_price_24h|atp24h'),
        change: decimal('signed_change_price|scp'),
        change_rate: decimal('signed_change_rate|scr'),
        price_window: always('UTC_DAY'),
        volume_window: always('ROLLING_24H')
      },
      evidence: integer('trade_timestamp|ttms'),
      raw: {
        ...rawLongOrShort({
          type: 'ty',
          code: 'cd',
          opening_price: 'op',
          high_price: 'hp',
          low_price: 'lp',
          trade_price: 'tp',
          trade_volume: 'tv',
          prev_closing_price: 'pcp',
          change: 'c',
          change_price: 'cp',
          change_rate: 'cr',
          signed_change_price: 'scp',
          signed_change_rate: 'scr',
          acc_trade_volume: 'atv',
          acc_trade_price: 'atp',
          acc_trade_volume_24h: 'atv24h',
          acc_trade_price_24h: 'atp24h',
          ask_bid: 'ab',
          acc_ask_volume: 'aav',
          acc_bid_volume: 'abv',
          trade_date: 'tdt',
          trade_time: 'ttm',
          trade_timestamp: 'ttms',
          timestamp: 'tms',
          highest_52_week_price: 'h52wp',
          highest_52_week_date: 'h52wdt',
          lowest_52_week_price: 'l52wp',
          lowest_52_week_date: 'l52wdt',
          market_state: 'ms',
          is_trading_suspended: 'its',
          market_warning: 'mw',
          delisting_date: 'dd',
          stream_type: 'st'
        })
      }
    },
    {
      name: 'upbit/trade',
      requestType: 'trade',
      match: [is('type|ty', 'trade')],
      fields: {
        symbol,
        exchange_ts: instant('trade_timestamp|ttms'),
        stream_type,
        trade_id: text('sequential_id|sid'),
        price: decimal('trade_price|tp'),
        size: decimal('trade_volume|tv'),
        // The taker's side, although the words look like sides of the book.
        side: words('ask_bid|ab', { BID: 'BUY', ASK: 'SELL' })
      },
      raw: {
        ...rawLongOrShort({
          type: 'ty',
          code: 'cd',
          timestamp: 'tms',
          trade_date: 'td',
          trade_time: 'ttm',
          trade_timestamp: 'ttms',
          trade_price: 'tp',
          trade_volume: 'tv',
          ask_bid: 'ab',
          prev_closing_price: 'pcp',
          change: 'c',
          change_price: 'cp',
          sequential_id: 'sid',
          best_ask_price: 'bap',
          best_ask_size: 'bas',
          best_bid_price: 'bbp',
          best_bid_size: 'bbs',
          stream_type: 'st'
        })
      }
    },
    {
      name: 'upbit/orderbook',
      requestType: 'orderbook',
      match: [is('type|ty', 'orderbook')],
      fields: {
        symbol,
        exchange_ts: frameTime,
        stream_type,
        kind: always('SNAPSHOT'),
        // One list pairs the n-th best ask with the n-th best bid; shallow books are padded with zeros.
        bids: levels('orderbook_units|obu', 'bid_price|bp', 'bid_size|bs', { dropZero: true }),
        asks: levels('orderbook_units|obu', 'ask_price|ap', 'ask_size|as', { dropZero: true })
      },
      raw: rawLongOrShort({
        type: 'ty',
        code: 'cd',
        timestamp: 'tms',
        total_ask_size: 'tas',
        total_bid_size: 'tbs',
        level: 'lv',
        stream_type: 'st'
      })
    }
  ],
  peek: peekTyped,
  control: typedControl
}
