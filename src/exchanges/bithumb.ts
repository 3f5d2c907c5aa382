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

// The protocol resembles Upbit's down to the names: every place has a long one (format DEFAULT, which we ask for) and a
// short one (format SIMPLE). @see https://apidocs.bithumb.com/v2.1.4/reference/현재가-ticker
const symbol = native('code|cd')
const stream_type = streamType('stream_type|st')
// Milliseconds for tickers, microseconds for books: the magnitude decides.
const frameTime = instant('timestamp|tms')

const url = 'wss://ws-api.bithumb.com/websocket/v1'

export const bithumb: ExchangeAdapter = {
  name: 'bithumb',
  region: 'korea',
  documentation: 'https://apidocs.bithumb.com/v2.1.4/reference/요청-포맷',
  channels: { ticker: 'ticker', trade: 'trade', orderbook: 'orderbook' },
  quirks: [
    'Open, high, low, the previous close and the change are of the day that began at 00:00 in Korea; the volumes are of the last 24 hours.',
    'The ticker carries neither best bid nor best ask; a book has up to 15 levels a side.',
    'Sizes in a book are printed with four decimals, so an order below 0.00005 shows a size of 0; such levels are left out, like the zeros that pad a shallow book.',
    'Subscriptions are not acknowledged: the first frame of a symbol confirms it, and an unknown one is passed over in silence.',
    'Books carry their time in microseconds, everything else in milliseconds.'
  ],
  endpoints: {
    websocket: { ticker: url, trade: url, orderbook: url },
    rest: 'https://api.bithumb.com',
    allowedHosts: ['ws-api.bithumb.com']
  },
  limits: {
    // Who exceeds it gets HTTP 429, and when it goes on the address is barred for ten minutes.
    connects: { count: 10, windowMs: 1000 },
    connections: null,
    // No number is published; as with the venue's model, five a second.
    messages: [{ count: 5, windowMs: 1000, counts: 'messages' }],
    // All 493 codes worked on one socket; fewer keep the blast radius of a lost one small. A request names the whole set.
    symbolsPerConnection: 200,
    symbolsPerRequest: 200,
    restWeight: { count: 150, windowMs: 1000 },
    reconnectFloorMs: 250,
    penaltyMs: 600_000,
    connectionAgeMaxMs: null
  },
  // The documentation says idle sockets are cut after 120 s; on the wire it is 60 s, and the server never pings.
  heartbeat: { ping: { everyMs: 15_000, frame: 'websocket' }, watchdogMs: 45_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/v1/market/all', weight: 1, parse: marketListing },
    canonicalOf: swapped,
    nativeOf: canonical => swapped(canonical) ?? canonical,
    streamNameOf: name => name
  },
  subscriptions: {
    // There is no acknowledgement: the first frame is the success, and an unknown code is silence.
    confirmedBy: 'first-data',
    // A request replaces the whole subscription of its socket; an empty one is an error, closing the socket is the way.
    // The options isOnlySnapshot and isOnlyRealtime exist in camel case only; both kinds of frames are wanted.
    requests: ticketRequests
  },
  continuity: { trade: { ids: 'unique' }, book: { mode: 'whole' } },
  compression: 'none',
  frames: [
    {
      name: 'bithumb/ticker',
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
        price_window: always('LOCAL_DAY'),
        volume_window: always('ROLLING_24H')
      },
      evidence: integer('trade_timestamp|ttms'),
      raw: rawLongOrShort({
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
    },
    {
      name: 'bithumb/trade',
      requestType: 'trade',
      match: [is('type|ty', 'trade')],
      fields: {
        symbol,
        exchange_ts: instant('trade_timestamp|ttms'),
        stream_type,
        // Nineteen digits: more than a double holds.
        trade_id: text('sequential_id|sid'),
        price: decimal('trade_price|tp'),
        size: decimal('trade_volume|tv'),
        // The taker's side, although the words look like sides of the book.
        side: words('ask_bid|ab', { BID: 'BUY', ASK: 'SELL' })
      },
      raw: rawLongOrShort({
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
        stream_type: 'st'
      })
    },
    {
      name: 'bithumb/orderbook',
      requestType: 'orderbook',
      match: [is('type|ty', 'orderbook')],
      fields: {
        symbol,
        exchange_ts: frameTime,
        stream_type,
        kind: always('SNAPSHOT'),
        // One list pairs the n-th best ask with the n-th best bid; what is missing on a side is padded with zeros.
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
