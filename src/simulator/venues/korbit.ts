import { isRequestType, type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { wonMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, readRequests } from '../request-values.ts'
import { type ShownChannel } from '../shown-channel.ts'
import { type Simulation } from '../simulation.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { WonMarket } from '../won-market.ts'
import { KorbitBook, KorbitTicker, KorbitTrade } from './korbit-channels.ts'

/** Listed and not traded: it is granted, and its book is empty. */
const stopped = 'klay_krw'
const stoppedForMs = 7 * 86_400_000

/**
 * The simulated Korbit, called Digital X today: an array of requests, an answer to each that has a number, failures
 * always; a snapshot for each symbol that is subscribed; pings by the server. A request with a symbol that does not exist
 * is refused as a whole. What becomes of a client that answers no pings is not known; here it is cut. Price grouping
 * (`level`) is not simulated. @see https://docs.digitalx.miraeasset.com/index_en.html
 */
export class KorbitVenue implements Venue {
  readonly exchange = 'korbit'
  readonly websocketPaths = ['/v2/public']
  /** None is published. */
  readonly connects = new RateWindow(100, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new KorbitSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/v2/currencyPairs') return null
    const row = (symbol: string, status: string) => {
      const [baseCurrency, quoteCurrency] = symbol.split('_')
      return { symbol, status, baseCurrency, quoteCurrency, minOrderValue: '5000' }
    }
    const data = [...this.markets.keys()].map(symbol => row(symbol, 'launched'))
    return { status: 200, body: JSON.stringify({ success: true, data: [...data, row(stopped, 'stopped')] }) }
  }
}

export const korbitSimulation: Simulation = {
  exchange: 'korbit',
  markets: wonMarkets('korbit', base => `${base.toLowerCase()}_krw`),
  ledgers: { ticker: { place: 'time' }, trade: { place: 'time' }, orderbook: { place: 'time' } },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const won = new WonMarket(spec, seed)
    return {
      market: won.market,
      channels: {
        ticker: new KorbitTicker(won, ticker.ledger, ticker.faults),
        trade: new KorbitTrade(won, trade.ledger, trade.faults),
        orderbook: new KorbitBook(won, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new KorbitVenue(markets, run, timings)
}

class KorbitSession implements Session {
  readonly #venue: KorbitVenue
  readonly #connection: Connection
  readonly #subscribed = new Set<ShownChannel>()
  readonly #pings: NodeJS.Timeout
  #lastPongMs = nowMs()

  constructor(venue: KorbitVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { korbitPingEveryMs, korbitPongLimitMs } = venue.timings
    this.#pings = setInterval(() => {
      if (nowMs() - this.#lastPongMs > korbitPongLimitMs) connection.cut('idle')
      else if (!connection.isStalled && connection.isOpen) connection.webSocket.ping('ping')
    }, korbitPingEveryMs)
    this.#pings.unref()
  }

  message(text: string): void {
    const requests = readRequests(text)
    if (requests === null) return this.#reply({ status: 'fail', message: 'invalid_format' })
    for (const request of requests) this.#request(request)
    this.#connection.flush()
  }

  ping(): void {}

  pong(): void {
    this.#lastPongMs = nowMs()
  }

  closed(): void {
    clearInterval(this.#pings)
    for (const channel of this.#subscribed) channel.unsubscribe(this.#connection)
    this.#subscribed.clear()
  }

  #request(request: Fields): void {
    const { method, type, symbols } = request
    const isKnown = typeof type === 'string' && isRequestType(type)
    if (!isKnown) return this.#fail(request, 'INVALID_REQUEST', 'unknown_type')
    if (method !== 'subscribe' && method !== 'unsubscribe') {
      return this.#fail(request, 'INVALID_REQUEST', 'unknown_method')
    }
    if (!Array.isArray(symbols)) return this.#fail(request, 'INVALID_REQUEST', 'invalid_symbols')
    const names = (symbols as unknown[]).map(String)
    const unknown = names.find(name => !this.#exists(name, type))
    if (unknown !== undefined) {
      return this.#fail(request, 'INVALID_SYMBOL', `The symbol does not exist (${unknown})`)
    }
    this.#succeed(request)
    for (const name of names) {
      if (method === 'subscribe') this.#subscribe(name, type)
      else this.#unsubscribe(name, type)
    }
  }

  #exists(name: string, type: RequestType): boolean {
    const set = this.#venue.markets.get(name)
    return name === stopped || (set !== undefined && !set.refuses(type, this.#connection))
  }

  #subscribe(name: string, type: RequestType): void {
    const set = this.#venue.markets.get(name)
    if (set === undefined) return this.#showStopped(type)
    const channel = set.channels[type] as ShownChannel
    if (!channel.ledger.isConfirmed) {
      if (this.#venue.run.isFrozen) return
      this.#venue.run.activate(set, channel)
      channel.make(Date.now())
    }
    channel.subscribe(this.#connection, 'plain')
    this.#subscribed.add(channel)
    channel.showLast(this.#connection)
  }

  #unsubscribe(name: string, type: RequestType): void {
    const channel = this.#venue.markets.get(name)?.channels[type] as ShownChannel | undefined
    if (channel === undefined) return
    channel.unsubscribe(this.#connection)
    this.#subscribed.delete(channel)
  }

  /** The book is of the time when trading ended. */
  #showStopped(type: RequestType): void {
    if (type !== 'orderbook') return
    const timestamp = Date.now()
    const data = { timestamp: timestamp - stoppedForMs, asks: [], bids: [] }
    this.#reply({ symbol: stopped, timestamp, type, snapshot: true, data })
  }

  /** Success is told only where the request has a number. */
  #succeed({ requestId }: Fields): void {
    if (requestId !== undefined) this.#reply({ status: 'success', requestId })
  }

  #fail({ requestId }: Fields, code: string, message: string): void {
    this.#reply({ status: 'fail', code, message, ...(requestId === undefined ? {} : { requestId }) })
  }

  #reply(message: Fields): void {
    this.#connection.reply(Opcode.text, JSON.stringify(message))
  }
}
