import { type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { Opcode } from '../frame-template.ts'
import { dollarMarkets } from '../market-spec.ts'
import { shortDecimals } from '../price-ladder.ts'
import { PricedMarket } from '../priced-market.ts'
import { RateWindow } from '../rate-window.ts'
import { readRequest } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { type TextChannel } from '../text-channel.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { BybitBook, BybitTicker, BybitTrade } from './bybit-channels.ts'

const topicsPerRequest = 10
const topicCharactersMax = 21_000
const marketCount = 20
const channelTypes: Readonly<Record<string, RequestType>> = {
  tickers: 'ticker',
  publicTrade: 'trade',
  'orderbook.50': 'orderbook'
}
/** Channels that the venue has and the simulation leaves silent. */
const silentChannel = /^(?:orderbook\.(?:1|200|1000)|kline\.[0-9DWM]+)$/

/**
 * The simulated Bybit spot feed: requests of at most ten topics, of which a bad one voids all, JSON pings, a ticker and a
 * book as soon as they are subscribed. @see https://bybit-exchange.github.io/docs/v5/ws/connect
 */
export class BybitVenue implements Venue {
  readonly exchange = 'bybit'
  readonly websocketPaths = ['/v5/public/spot']
  readonly connects = new RateWindow(500, 300_000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings
  readonly #rest = new RateWindow(600, 5000)

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new BybitSession(this, connection)
  }

  rest(path: string, query: URLSearchParams): RestAnswer | null {
    if (path !== '/v5/market/instruments-info') return null
    if (!this.#rest.take(Date.now())) return { status: 403, body: 'access too frequent' }
    if (query.get('category') !== 'spot') {
      return { status: 200, body: '{"retCode":10001,"retMsg":"params error: category","result":{}}' }
    }
    const list = [...this.markets.values()].map(({ spec }) => ({
      symbol: spec.native,
      baseCoin: spec.base,
      quoteCoin: spec.quote,
      innovation: '0',
      status: 'Trading'
    }))
    const body = { retCode: 0, retMsg: 'OK', result: { category: 'spot', list }, time: Date.now() }
    return { status: 200, body: JSON.stringify(body) }
  }
}

export const bybitSimulation: Simulation = {
  exchange: 'bybit',
  markets: dollarMarkets('bybit', 'USDT', base => `${base}USDT`, marketCount),
  ledgers: {
    ticker: { place: 'volume' },
    trade: { place: 'size' },
    // Update ids may skip, so that nobody can tell a lost update from none.
    orderbook: { place: 'sequence', isDeltaBook: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const priced = new PricedMarket(spec, seed, shortDecimals)
    return {
      market: priced.market,
      channels: {
        ticker: new BybitTicker(priced, ticker.ledger, ticker.faults),
        trade: new BybitTrade(priced, trade.ledger, trade.faults),
        orderbook: new BybitBook(priced, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new BybitVenue(markets, run, timings)
}

class BybitSession implements Session {
  readonly #venue: BybitVenue
  readonly #connection: Connection
  readonly #idle: NodeJS.Timeout
  /** By topic; null for those that are silent here. */
  readonly #topics = new Map<string, TextChannel | null>()

  constructor(venue: BybitVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    this.#idle = setTimeout(() => connection.cut('idle'), venue.timings.bybitIdleMs)
    this.#idle.unref()
  }

  message(text: string): void {
    this.#idle.refresh()
    const request = readRequest(text)
    const id = typeof request?.['req_id'] === 'string' ? request['req_id'] : ''
    const [op, args] = [request?.['op'], request?.['args']]
    if (op === 'ping') return this.#say(true, 'pong', 'ping', id)
    if (op !== 'subscribe' && op !== 'unsubscribe') return this.#say(false, 'Request format error', '', id)
    if (!Array.isArray(args) || !args.every(arg => typeof arg === 'string') || args.length === 0) {
      return this.#say(false, 'error:args must be a list of topics', op, id)
    }
    if (args.length > topicsPerRequest) return this.#say(false, 'error:args size >10', op, id)
    if (op === 'subscribe') this.#subscribe(args, id)
    else this.#unsubscribe(args, id)
  }

  ping(): void {
    this.#idle.refresh()
  }

  pong(): void {
    this.#idle.refresh()
  }

  closed(): void {
    clearTimeout(this.#idle)
    for (const channel of this.#topics.values()) channel?.unsubscribe(this.#connection)
    this.#topics.clear()
  }

  /** All or nothing. */
  #subscribe(topics: readonly string[], id: string): void {
    const wrong = topics.map(topic => this.#faultOf(topic)).find(fault => fault !== null)
    if (wrong !== undefined) return this.#say(false, wrong, 'subscribe', id)
    const characters = [...this.#topics.keys(), ...topics].reduce((sum, topic) => sum + topic.length, 0)
    if (characters > topicCharactersMax) return this.#say(false, 'error:args length >21000', 'subscribe', id)
    this.#say(true, 'subscribe', 'subscribe', id)
    for (const topic of topics) this.#begin(topic)
    this.#connection.flush()
  }

  #unsubscribe(topics: readonly string[], id: string): void {
    for (const topic of topics) {
      this.#topics.get(topic)?.unsubscribe(this.#connection)
      this.#topics.delete(topic)
    }
    this.#say(true, 'unsubscribe', 'unsubscribe', id)
  }

  #faultOf(topic: string): string | null {
    if (this.#topics.has(topic)) return `error:already subscribed,topic:${topic}`
    const [channel, native] = split(topic)
    const type = channelTypes[channel]
    if (type === undefined && !silentChannel.test(channel)) return `error:handler not found,topic:${topic}`
    const set = this.#venue.markets.get(native)
    const isRefused = set === undefined || (type !== undefined && set.refuses(type, this.#connection))
    return isRefused ? `Invalid symbol :[${topic}]` : null
  }

  #begin(topic: string): void {
    const [name, native] = split(topic)
    const type = channelTypes[name]
    const set = this.#venue.markets.get(native)!
    if (type === undefined) {
      this.#topics.set(topic, null)
      return
    }
    const channel = set.channels[type] as TextChannel
    this.#topics.set(topic, channel)
    const { run } = this.#venue
    if (!channel.ledger.isConfirmed) {
      if (run.isFrozen) return
      run.activate(set, channel)
      if (channel instanceof BybitTicker) channel.make(Date.now())
    }
    channel.subscribe(this.#connection, 'json')
    if (channel instanceof BybitTicker) channel.showLast(this.#connection)
    if (channel instanceof BybitBook) channel.show(this.#connection, channel.snapshot50(Date.now()))
  }

  #say(isDone: boolean, message: string, op: string, id: string): void {
    const answer = {
      success: isDone,
      ret_msg: message,
      conn_id: `simulated-${this.#connection.id}`,
      req_id: id,
      op
    }
    this.#connection.reply(Opcode.text, JSON.stringify(answer))
  }
}

/** `orderbook.50.BTCUSDT` is the channel `orderbook.50` of BTCUSDT. */
function split(topic: string): readonly [channel: string, native: string] {
  const dot = topic.lastIndexOf('.')
  return [topic.slice(0, Math.max(dot, 0)), topic.slice(dot + 1)]
}
