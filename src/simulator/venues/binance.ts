import { type RequestType } from '../../domain/target.ts'
import { type Channel } from '../channel.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { binanceMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { readRequest } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { BinanceBook } from './binance-book.ts'
import { BinanceMarket } from './binance-market.ts'
import { BinanceRest } from './binance-rest.ts'
import { BinanceTicker } from './binance-ticker.ts'
import { BinanceTrade } from './binance-trade.ts'

const streamsMax = 1024
const streamTypes: Readonly<Record<string, RequestType>> = {
  ticker: 'ticker',
  trade: 'trade',
  'depth@100ms': 'orderbook'
}

/**
 * The simulated Binance: combined streams, SUBSCRIBE with acknowledgement, server pings, REST snapshots. Streams other
 * than `@ticker`, `@trade` and `@depth@100ms` are acknowledged and silent, like those of symbols that do not exist.
 * Microsecond times are not simulated. @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 */
export class BinanceVenue implements Venue {
  readonly exchange = 'binance'
  readonly websocketPaths = ['/stream']
  readonly connects = new RateWindow(300, 300_000)
  readonly run: Run
  readonly timings: Timings
  readonly #byStreamName: ReadonlyMap<string, ChannelSet>
  readonly #rest: BinanceRest

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.run = run
    this.timings = timings
    this.#rest = new BinanceRest(markets)
    this.#byStreamName = new Map([...markets].map(([native, set]) => [native.toLowerCase(), set]))
  }

  open(connection: Connection, _path: string, query: URLSearchParams): Session {
    const session = new BinanceSession(this, connection)
    const streams = query.get('streams')
    if (streams !== null) session.subscribe(streams.split('/').filter(name => name !== ''))
    return session
  }

  rest(path: string, query: URLSearchParams): RestAnswer | null {
    return this.#rest.answer(path, query, Date.now())
  }

  /** The channel behind a stream name; null when that stream exists but is silent here. */
  find(stream: string): { readonly set: ChannelSet; readonly type: RequestType } | null {
    const at = stream.indexOf('@')
    const set = this.#byStreamName.get(stream.slice(0, at))
    const type = streamTypes[stream.slice(at + 1)]
    return set === undefined || type === undefined ? null : { set, type }
  }
}

export const binanceSimulation: Simulation = {
  exchange: 'binance',
  markets: binanceMarkets,
  ledgers: {
    ticker: { place: 'volume' },
    trade: { place: 'trade-id', lossIsNoticed: true },
    orderbook: { place: 'sequence', isDeltaBook: true, lossIsNoticed: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const shared = new BinanceMarket(spec, seed)
    return {
      market: shared.market,
      channels: {
        ticker: new BinanceTicker(shared, ticker.ledger, ticker.faults),
        trade: new BinanceTrade(shared, trade.ledger, trade.faults),
        orderbook: new BinanceBook(shared, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new BinanceVenue(markets, run, timings)
}

const streamPattern = /^(?:[A-Za-z0-9]{1,40}@[A-Za-z0-9_]+(?:@\w+)?|![A-Za-z]+@arr(?:@\w+)?)$/

type Id = number | string | null

class BinanceSession implements Session {
  readonly #venue: BinanceVenue
  readonly #connection: Connection
  readonly #messages = new RateWindow(5, 1000)
  readonly #streams = new Map<string, Channel | null>()
  readonly #pings: NodeJS.Timeout
  readonly #age: NodeJS.Timeout
  #lastPongMs = nowMs()

  constructor(venue: BinanceVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { binancePingEveryMs, binancePongLimitMs, binanceAgeMaxMs } = venue.timings
    this.#pings = setInterval(() => {
      if (nowMs() - this.#lastPongMs > binancePongLimitMs) connection.cut('idle')
      else if (!connection.isStalled && connection.isOpen) connection.webSocket.ping(String(Date.now()))
    }, binancePingEveryMs)
    this.#age = setTimeout(() => connection.cut('age'), binanceAgeMaxMs)
    this.#pings.unref()
    this.#age.unref()
  }

  message(text: string): void {
    if (this.#isOverLimit()) return
    const request = readRequest(text)
    if (request === null) return this.#fail(3, 'Invalid JSON: a request is an object', null)
    const id = request['id'] ?? null
    const isId = id === null || typeof id === 'string' || (Number.isSafeInteger(id) && (id as number) >= 0)
    if (!isId)
      return this.#fail(2, 'Invalid request: request ID must be an unsigned integer, a string or null', null)
    this.#request(request, id as Id)
  }

  ping(): void {
    this.#isOverLimit()
  }

  pong(): void {
    this.#lastPongMs = nowMs()
    this.#isOverLimit()
  }

  closed(): void {
    clearInterval(this.#pings)
    clearTimeout(this.#age)
    for (const channel of this.#streams.values()) channel?.unsubscribe(this.#connection)
    this.#streams.clear()
  }

  /** Adds streams that are known to be well formed; false when one of them is to be rejected or there are too many. */
  subscribe(names: readonly string[]): boolean {
    const added = names.map(name => ({ name, found: this.#venue.find(name) }))
    if (new Set([...this.#streams.keys(), ...names]).size > streamsMax) return false
    if (added.some(({ found }) => found !== null && found.set.refuses(found.type, this.#connection)))
      return false
    for (const { name, found } of added) {
      if (found === null) {
        this.#streams.set(name, null)
        continue
      }
      const channel = found.set.channels[found.type]
      if (!channel.ledger.isConfirmed && !this.#venue.run.isFrozen)
        this.#venue.run.activate(found.set, channel)
      channel.subscribe(this.#connection, 'combined')
      this.#streams.set(name, channel)
    }
    return true
  }

  #request(request: Readonly<Record<string, unknown>>, id: Id): void {
    const { method, params } = request
    if (method === 'LIST_SUBSCRIPTIONS') return this.#result([...this.#streams.keys()], id)
    if (method === 'GET_PROPERTY') return this.#result(true, id)
    if (method !== 'SUBSCRIBE' && method !== 'UNSUBSCRIBE') {
      return this.#fail(
        2,
        'Invalid request: unknown method, expected SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS',
        id
      )
    }
    if (!Array.isArray(params) || params.length === 0)
      return this.#fail(2, 'Invalid request: params are missing', id)
    const names = params as unknown[]
    if (!names.every(name => typeof name === 'string' && streamPattern.test(name))) {
      return this.#fail(2, 'Invalid request: invalid stream', id)
    }
    if (method === 'UNSUBSCRIBE') this.#unsubscribe(names as string[])
    else if (!this.subscribe(names as string[])) return this.#fail(2, 'Invalid request: invalid stream', id)
    this.#result(null, id)
  }

  #unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      this.#streams.get(name)?.unsubscribe(this.#connection)
      this.#streams.delete(name)
    }
  }

  #result(result: unknown, id: Id): void {
    this.#connection.reply(Opcode.text, JSON.stringify({ result, id }))
  }

  #fail(code: number, msg: string, id: Id): void {
    this.#connection.reply(Opcode.text, JSON.stringify({ error: { code, msg }, id }))
  }

  /** Messages, pings and pongs all count. */
  #isOverLimit(): boolean {
    if (this.#messages.take(nowMs())) return false
    this.#connection.close(1008, 'Too many requests', 'limit')
    return true
  }
}
