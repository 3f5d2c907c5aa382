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
import { crc32 } from '../exchange-kit/crc32.ts'
import { is, isAbsent, isList, isListOfLists, isNoList, isPresent } from '../exchange-kit/field-table.ts'
import { listOf, membersOf, textOf } from '../exchange-kit/json-members.ts'
import { type JsonValue } from '../exchange-kit/json-value.ts'
import { ascii, startsWith } from '../exchange-kit/peek.ts'
import {
  absolute,
  always,
  channel,
  decimal,
  fingerprint,
  instant,
  integer,
  levels,
  nullable,
  optional,
  signOf,
  text
} from '../exchange-kit/rules.ts'

/** TIMESTAMP 32768 and SEQ_ALL 65536 (the trailer of every list), OB_CHECKSUM 131072. @see https://docs.bitfinex.com/docs/ws-general#configuration */
const options = '{"event":"conf","flags":229376}'

/** @see https://docs.bitfinex.com/docs/ws-public */
const channelOf: Readonly<Record<RequestType, Readonly<Record<string, string>>>> = {
  ticker: { channel: 'ticker' },
  trade: { channel: 'trades' },
  orderbook: { channel: 'book', prec: 'P0', freq: 'F0', len: '25' }
}

/** Codes of three letters that other venues write otherwise. @see https://api-pub.bitfinex.com/v2/conf/pub:map:currency:sym */
const aliases: ReadonlyMap<string, string> = new Map([
  ['UST', 'USDT'],
  ['UDC', 'USDC'],
  ['TSD', 'TUSD'],
  ['EUT', 'EURT'],
  ['EUS', 'EURS'],
  ['TERRAUST', 'USTC'],
  ['LUNA', 'LUNC'],
  ['LUNA2', 'LUNA'],
  ['BCHN', 'BCH'],
  ['BCHABC', 'XEC'],
  ['WBT', 'WBTC'],
  ['RBT', 'RBTC'],
  ['DSH', 'DASH'],
  ['IOT', 'IOTA'],
  ['QTM', 'QTUM'],
  ['DAT', 'DATA'],
  ['ALG', 'ALGO'],
  ['AMP', 'AMPL'],
  ['ATO', 'ATOM'],
  ['DOG', 'MDOGE'],
  ['EDO', 'PNT'],
  ['IDX', 'ID'],
  ['IQX', 'IQ'],
  ['MNA', 'MANA'],
  ['OMN', 'OMNI'],
  ['PAS', 'PASS'],
  ['QSH', 'QASH'],
  // The second token of Augur.
  ['REP', 'REP2'],
  ['SNG', 'SNGLS'],
  ['STJ', 'STORJ'],
  ['VSY', 'VSYS'],
  ['WAX', 'WAXP'],
  ['XCH', 'XCHF'],
  // Not Yield Guild Games.
  ['YGG', 'YEED'],
  ['YYW', 'YOYOW']
])
/** Coins of paper markets; others are called TEST and something. */
const paperCodes: ReadonlySet<string> = new Set(['AAA', 'BBB'])
const codeOf: ReadonlyMap<string, string> = new Map([...aliases].map(([code, common]) => [common, code]))

// Every list is [channel number, content…, sequence, time]; places count from its beginning.
const symbol = channel('0')
/** The trailer stands behind the content, and only there because `options` asks for it. */
const trailer = optional(instant('3'))
const trade = (path: string) =>
  ({
    trade_id: text(`${path}0`),
    exchange_ts: instant(`${path}1`),
    // The amount has the sign of the taker's side.
    size: absolute(`${path}2`),
    side: signOf(`${path}2`, 'BUY', 'SELL'),
    price: decimal(`${path}3`)
  }) as const
/** [price, count, ±amount]: a count of zero removes the level, and the amount is then only a sign. */
const side = (sign: 'positive' | 'negative', single: boolean) =>
  levels('1', 0, 2, { sign, zeroWhen: '1', single })

const heartbeatMark = ascii('"hb"')
const openBrace = 0x7b
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const minus = 0x2d
const quote = 0x22
const zero = 0x30
const nine = 0x39

export const bitfinex: ExchangeAdapter = {
  name: 'bitfinex',
  region: 'eu',
  documentation: 'https://docs.bitfinex.com/docs/ws-general',
  channels: { ticker: 'ticker', trade: 'trades', orderbook: 'book' },
  quirks: [
    'Every frame of a connection carries a number one above the frame before; where one is missing the connection is dialled anew, since nobody can tell whose frame was lost.',
    'Book updates themselves are unnumbered; about every 2.5 seconds a checksum (CRC-32 over the 25 best levels of each side) tells whether the book is whole.',
    'The book has the best 25 levels of each side; nothing is known of those beyond.',
    'Tickers and books have no time of their own: exchange_ts is that of sending.',
    'A trade is announced twice with the same id; the first announcement (te) is published, the second (tu) ignored.',
    'Subscribing to trades brings the latest thirty, marked as SNAPSHOT and published oldest first.',
    'The ticker has neither open nor quote volume, and its two sizes are sums over 25 levels, so bid_size and ask_size are null; the raw fields BID_SIZE and ASK_SIZE carry the sums.',
    'Codes of three letters differ from those of other venues (UST is USDT, DSH is DASH); derivatives and paper markets are left out.'
  ],
  endpoints: {
    websocket: {
      ticker: 'wss://api-pub.bitfinex.com/ws/2',
      trade: 'wss://api-pub.bitfinex.com/ws/2',
      orderbook: 'wss://api-pub.bitfinex.com/ws/2'
    },
    rest: 'https://api-pub.bitfinex.com',
    allowedHosts: ['api-pub.bitfinex.com', 'api.bitfinex.com']
  },
  // @see https://docs.bitfinex.com/docs/requirements-and-limitations
  limits: {
    connects: { count: 20, windowMs: 60_000 },
    connections: null,
    // The venue publishes no number for public requests; this one leaves room.
    messages: [{ count: 10, windowMs: 1000, counts: 'messages' }],
    symbolsPerConnection: 25,
    symbolsPerRequest: 1,
    restWeight: { count: 90, windowMs: 60_000 },
    reconnectFloorMs: 3000,
    penaltyMs: 60_000,
    connectionAgeMaxMs: null
  },
  // Each channel that was quiet for 15 seconds sends a heartbeat of its own.
  heartbeat: { ping: null, watchdogMs: 40_000, limitMs: 60_000 },
  instruments: {
    listing: { path: '/v2/conf/pub:list:pair:exchange', weight: 1, parse: parseListing },
    canonicalOf: name => (name.startsWith('t') ? canonicalOfPair(name.slice(1)) : null),
    nativeOf,
    streamNameOf: name => name
  },
  subscriptions: { confirmedBy: 'ack', opening: [options], requests },
  continuity: {
    // Ids count the trades of all markets together.
    trade: { ids: 'unique' },
    // @see https://docs.bitfinex.com/docs/ws-websocket-checksum
    book: {
      mode: 'delta',
      sequence: 'none',
      snapshot: { from: 'stream' },
      check: { levels: 25, sum: checksum },
      depth: null
    },
    frameSequence
  },
  // A ticker comes about every 15 seconds, whatever trades in between.
  freshness: { showsTradesWithinMs: { ticker: 16_500 } },
  compression: 'none',
  frames: [
    {
      name: 'bitfinex/ticker',
      requestType: 'ticker',
      match: [isPresent('1.9'), isNoList('1.0')],
      fields: {
        symbol,
        exchange_ts: trailer,
        stream_type: always('REALTIME'),
        // Null where a side has no orders, or where nothing traded for a day.
        bid: nullable(decimal('1.0')),
        ask: nullable(decimal('1.2')),
        change: nullable(decimal('1.4')),
        // A ratio already.
        change_rate: nullable(decimal('1.5')),
        last: decimal('1.6'),
        base_volume: decimal('1.7'),
        high: nullable(decimal('1.8')),
        low: nullable(decimal('1.9')),
        price_window: always('ROLLING_24H'),
        volume_window: always('ROLLING_24H')
      },
      evidence: fingerprint('1.6'),
      raw: {
        BID: '1.0',
        BID_SIZE: '1.1',
        ASK: '1.2',
        ASK_SIZE: '1.3',
        DAILY_CHANGE: '1.4',
        DAILY_CHANGE_RELATIVE: '1.5',
        LAST_PRICE: '1.6',
        VOLUME: '1.7',
        HIGH: '1.8',
        LOW: '1.9',
        SEQUENCE: '2',
        TIMESTAMP: '3'
      }
    },
    {
      name: 'bitfinex/te',
      requestType: 'trade',
      match: [is('1', 'te')],
      fields: { symbol, stream_type: always('REALTIME'), ...trade('2.') },
      raw: { ID: '2.0', MTS: '2.1', AMOUNT: '2.2', PRICE: '2.3', SEQUENCE: '3', TIMESTAMP: '4' }
    },
    {
      name: 'bitfinex/trades',
      requestType: 'trade',
      match: [isList('1.0'), isPresent('1.0.3')],
      each: '1',
      newestFirst: true,
      fields: { symbol: channel('/0'), stream_type: always('SNAPSHOT'), ...trade('') },
      raw: { ID: '0', MTS: '1', AMOUNT: '2', PRICE: '3', SEQUENCE: '/2', TIMESTAMP: '/3' }
    },
    {
      name: 'bitfinex/book-update',
      requestType: 'orderbook',
      match: [isPresent('1.0'), isNoList('1.0'), isAbsent('1.3')],
      fields: {
        symbol,
        exchange_ts: trailer,
        stream_type: always('REALTIME'),
        kind: always('DELTA'),
        bids: side('positive', true),
        asks: side('negative', true)
      },
      raw: { SEQUENCE: '2', TIMESTAMP: '3' }
    },
    {
      // An empty list is an empty book.
      name: 'bitfinex/book',
      requestType: 'orderbook',
      match: [isListOfLists('1'), isAbsent('1.0.3')],
      fields: {
        symbol,
        exchange_ts: trailer,
        stream_type: always('SNAPSHOT'),
        kind: always('SNAPSHOT'),
        bids: side('positive', false),
        asks: side('negative', false)
      },
      raw: { SEQUENCE: '2', TIMESTAMP: '3' }
    },
    {
      name: 'bitfinex/cs',
      requestType: null,
      match: [is('1', 'cs')],
      symbol,
      checksum: integer('2')
    },
    { name: 'bitfinex/tu', requestType: null, match: [is('1', 'tu')], ignore: 'kind' },
    // Announcements of the venue's funding market, which share the channel of trades.
    { name: 'bitfinex/fte', requestType: null, match: [is('1', 'fte')], ignore: 'kind' },
    { name: 'bitfinex/ftu', requestType: null, match: [is('1', 'ftu')], ignore: 'kind' }
  ],
  peek,
  control
}

/** One message for each channel; it is left by the number under which it was confirmed. */
function requests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  const left = change.removed.flatMap(name => {
    const id = change.channelIdOf(name)
    // Never confirmed, so there is nothing to leave.
    if (id === null) return []
    return [{ frame: `{"event":"unsubscribe","chanId":${id}}`, id: null, natives: [] }]
  })
  const entered = change.added.map(name => ({
    frame: JSON.stringify({ event: 'subscribe', ...channelOf[change.requestType], symbol: name }),
    id: null,
    natives: [name]
  }))
  return [...left, ...entered]
}

/** Numbers as JavaScript prints them; of both sides in turn, amounts of asks negative. */
function checksum(bids: readonly BookLevel[], asks: readonly BookLevel[]): number {
  let numbers = ''
  for (let n = 0; n < Math.max(bids.length, asks.length); n++) {
    const bid = bids[n]
    const ask = asks[n]
    if (bid !== undefined) numbers += `:${Number(bid.price)}:${Number(bid.size)}`
    if (ask !== undefined) numbers += `:${Number(ask.price)}:${-Number(ask.size)}`
  }
  return crc32(numbers.slice(1))
}

/** The number before the last one of a list, behind its content: `…],45,1790000000614]`. */
function frameSequence(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== openBracket || bytes[end - 1] !== closeBracket) return Number.NaN
  const timeAt = digitsBefore(bytes, start, end - 1)
  if (timeAt === end - 1 || bytes[timeAt - 1] !== comma) return Number.NaN
  const sequenceAt = digitsBefore(bytes, start, timeAt - 1)
  if (sequenceAt === timeAt - 1 || bytes[sequenceAt - 1] !== comma) return Number.NaN
  if (!endsContent(bytes, start, sequenceAt - 1)) return Number.NaN
  let sequence = 0
  for (let at = sequenceAt; at < timeAt - 1; at++) sequence = sequence * 10 + bytes[at]! - zero
  return sequence
}

/** Whether a list, a word, or the number behind a word ends here: a frame cut short may end with two numbers as well. */
function endsContent(bytes: Uint8Array, start: number, end: number): boolean {
  const last = bytes[end - 1]
  if (last === closeBracket || last === quote) return true
  let at = digitsBefore(bytes, start, end)
  if (at === end) return false
  if (bytes[at - 1] === minus) at--
  return bytes[at - 1] === comma && bytes[at - 2] === quote
}

/** Where the run of digits begins that ends before `end`. */
function digitsBefore(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && bytes[at - 1]! >= zero && bytes[at - 1]! <= nine) at--
  return at
}

/** Lists are data, named by the number of their channel; all else are events. */
function peek(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  if (bytes[start] !== openBracket) {
    found.frameClass = bytes[start] === openBrace ? FrameClass.control : FrameClass.unclear
    return
  }
  let at = start + 1
  while (at < end && bytes[at]! >= zero && bytes[at]! <= nine) at++
  if (bytes[at] === comma && startsWith(bytes, at + 1, end, heartbeatMark)) {
    found.frameClass = FrameClass.alive
    return
  }
  found.frameClass = FrameClass.data
  if (at === start + 1 || bytes[at] !== comma) return
  found.symbolStart = start + 1
  found.symbolEnd = at
}

function control(message: JsonValue): readonly ControlEvent[] {
  if (listOf(message)[1] === 'hb') return [{ type: 'alive' }]
  const fields = membersOf(message)
  if (fields === null) return []
  const name = textOf(fields['symbol'])
  switch (textOf(fields['event']) ?? '') {
    case 'subscribed':
      return name === null ? [] : [confirmation(name, fields['chanId'])]
    case 'error':
      return [failure(fields, name)]
    case 'info':
      return [notice(fields)]
    case 'conf':
      // Without its options neither a lost frame nor a wrong book would show.
      return fields['status'] === 'OK'
        ? [{ type: 'alive' }]
        : [{ type: 'reconnect', reason: 'the options of the connection were refused' }]
    case 'unsubscribed':
    case 'pong':
      return [{ type: 'alive' }]
    default:
      return []
  }
}

type Fields = { readonly [key: string]: JsonValue }

function confirmation(name: string, chanId: JsonValue | undefined): ControlEvent {
  return { type: 'confirmed', id: null, natives: [name], channelId: textOf(chanId) }
}

/** Unknown pair and unknown channel. A failure in general (10300) says in its text what it is; all else may pass. */
const finalCodes = new Set(['10001', '10302'])

function failure(fields: Fields, name: string | null): ControlEvent {
  const code = textOf(fields['code']) ?? 'none'
  const reason = `${textOf(fields['msg']) ?? 'error without text'} (code ${code})`
  if (name === null) return { type: 'error', message: reason }
  // Subscribed already: the answer to the earlier request may have been lost, its number is told again.
  if (code === '10301') return confirmation(name, fields['chanId'])
  const isFinal = finalCodes.has(code) || fields['msg'] === 'symbol: invalid'
  return { type: isFinal ? 'rejected' : 'refused', id: null, natives: [name], reason }
}

function notice(fields: Fields): ControlEvent {
  const text = textOf(fields['msg']) ?? 'no text'
  switch (textOf(fields['code'])) {
    case '20051':
      return { type: 'reconnect', reason: `server restart announced: ${text}` }
    case '20060':
      return { type: 'error', message: `maintenance begins: ${text}` }
    case '20061':
      return { type: 'reconnect', reason: `maintenance is over, subscriptions are void: ${text}` }
    case null: {
      const status = textOf(membersOf(fields['platform'])?.['status'])
      return status === '0' ? { type: 'error', message: 'the platform is in maintenance' } : { type: 'alive' }
    }
    default:
      return { type: 'alive' }
  }
}

/** `[["BTCUSD","DOGE:USD",…]]`. */
function parseListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of listOf(listOf(body)[0])) {
    const pair = textOf(entry)
    const canonical = pair === null ? null : canonicalOfPair(pair)
    if (canonical !== null) instruments.push({ symbol: canonical, native: `t${pair}` })
  }
  return instruments
}

/** Null for derivatives (`BTCF0:USTF0`) and paper markets (`TESTBTC:TESTUSD`, `AAABBB`). */
function canonicalOfPair(pair: string): string | null {
  const codes = pair.length === 6 && !pair.includes(':') ? [pair.slice(0, 3), pair.slice(3)] : pair.split(':')
  const isSpot = codes.every(
    code => /^[A-Z0-9]+$/.test(code) && !/^TEST|F0$/.test(code) && !paperCodes.has(code)
  )
  return codes.length === 2 && isSpot ? codes.map(code => aliases.get(code) ?? code).join('-') : null
}

function nativeOf(canonical: string): string {
  const codes = canonical.split('-').map(name => codeOf.get(name) ?? name)
  return `t${codes.join(codes.every(code => code.length === 3) ? '' : ':')}`
}
