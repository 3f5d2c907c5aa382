import { type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { Opcode } from '../frame-template.ts'
import { wonMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, objectOf, readRequest } from '../request-values.ts'
import { ShownChannel } from '../shown-channel.ts'
import { type Simulation } from '../simulation.ts'
import { type TextChannel } from '../text-channel.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { WonMarket } from '../won-market.ts'
import { CoinoneBook, CoinoneTicker, CoinoneTrade } from './coinone-channels.ts'

const connectionsMax = 20
/** The next connection of an address is closed with this. */
const tooManyConnections = 4290
/** So long after its acknowledgement an unknown topic is refused, milliseconds. */
const refusedWithinMs = 4

const channelTypes: Readonly<Record<string, RequestType>> = {
  TICKER: 'ticker',
  TRADE: 'trade',
  ORDERBOOK: 'orderbook'
}

/**
 * The simulated Coinone: one topic a message, each acknowledged, an unknown one as well and then refused by an error that
 * names nothing; the current book for each new subscription to it. The SHORT format and the channel CHART are not
 * simulated. @see https://docs.coinone.co.kr/reference/public-websocket-orderbook
 */
export class CoinoneVenue implements Venue {
  readonly exchange = 'coinone'
  readonly websocketPaths = ['/']
  /** None is published. */
  readonly connects = new RateWindow(100, 1000)
  readonly run: Run
  readonly timings: Timings
  readonly sessions = new Set<CoinoneSession>()
  readonly #markets: ReadonlyMap<string, ChannelSet>

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.#markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new CoinoneSession(this, connection)
  }

  /** A pair in any case. */
  find(target: string, quote: string): ChannelSet | undefined {
    return this.#markets.get(`${target}-${quote}`.toUpperCase())
  }

  rest(path: string): RestAnswer | null {
    const quote = /^\/public\/v2\/markets\/([A-Za-z]+)$/.exec(path)?.[1]
    if (quote === undefined) return null
    const markets = [...this.#markets.values()]
      .filter(({ spec }) => spec.quote === quote.toUpperCase())
      .map(({ spec }) => ({
        quote_currency: spec.quote,
        target_currency: spec.base,
        order_types: ['limit', 'market', 'stop_limit'],
        maintenance_status: 0,
        trade_status: 1
      }))
    const head = { result: 'success', error_code: '0', server_time: Date.now() }
    return { status: 200, body: JSON.stringify({ ...head, markets }) }
  }
}

export const coinoneSimulation: Simulation = {
  exchange: 'coinone',
  markets: wonMarkets('coinone', base => `${base}-KRW`),
  ledgers: { ticker: { place: 'time' }, trade: { place: 'time' }, orderbook: { place: 'sequence' } },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const won = new WonMarket(spec, seed)
    return {
      market: won.market,
      channels: {
        ticker: new CoinoneTicker(won, ticker.ledger, ticker.faults),
        trade: new CoinoneTrade(won, trade.ledger, trade.faults),
        orderbook: new CoinoneBook(won, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new CoinoneVenue(markets, run, timings)
}

interface Topic {
  readonly quote_currency: string
  readonly target_currency: string
}

class CoinoneSession implements Session {
  readonly #venue: CoinoneVenue
  readonly #connection: Connection
  readonly #subscribed = new Set<TextChannel>()
  /** Messages that came while a refusal is on its way; null when none is: one is dealt with after the other. */
  #waiting: string[] | null = null
  /** Ends a connection of which nothing has come at all. */
  readonly #silence: NodeJS.Timeout
  /** Ends one that has not sent a PING for long. */
  readonly #idle: NodeJS.Timeout

  constructor(venue: CoinoneVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { coinoneSilentMs, coinoneIdleMs } = venue.timings
    this.#silence = setTimeout(() => connection.cut('idle'), coinoneSilentMs)
    this.#idle = setTimeout(() => connection.cut('idle'), coinoneIdleMs)
    this.#silence.unref()
    this.#idle.unref()
    venue.sessions.add(this)
    if (venue.sessions.size > connectionsMax) connection.close(tooManyConnections, '', 'limit')
    else this.#reply({ response_type: 'CONNECTED', data: { session_id: `simulated-${connection.id}` } })
  }

  message(text: string): void {
    clearTimeout(this.#silence)
    if (this.#waiting !== null) this.#waiting.push(text)
    else this.#answer(text)
  }

  ping(): void {}

  pong(): void {}

  closed(): void {
    clearTimeout(this.#silence)
    clearTimeout(this.#idle)
    this.#venue.sessions.delete(this)
    for (const channel of this.#subscribed) channel.unsubscribe(this.#connection)
    this.#subscribed.clear()
  }

  #answer(text: string): void {
    const request = readRequest(text)
    if (request === null) return this.#fail(160010, 'Invalid Request')
    switch (request['request_type']) {
      case 'PING':
        this.#idle.refresh()
        return this.#reply({ response_type: 'PONG' })
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return this.#request(request, request['request_type'])
      default:
        return this.#fail(160011, 'Invalid Type', 'request_type')
    }
  }

  #request(request: Fields, kind: 'SUBSCRIBE' | 'UNSUBSCRIBE'): void {
    const { channel: name, topic, format } = request
    const type = typeof name === 'string' ? channelTypes[name] : undefined
    if (type === undefined) return this.#fail(160011, 'Invalid Type', 'channel')
    if (format !== undefined && format !== 'DEFAULT') return this.#fail(160011, 'Invalid Type', 'format')
    if (!isTopic(topic)) return this.#fail(160010, 'Invalid Request')
    // The topic is echoed as it was sent, whatever it names.
    this.#reply({ response_type: `${kind}D`, channel: name, data: topic })
    const set = this.#venue.find(topic.target_currency, topic.quote_currency)
    if (kind === 'UNSUBSCRIBE') this.#unsubscribe(set, type)
    else if (set === undefined || set.refuses(type, this.#connection)) this.#refuse()
    else this.#subscribe(set, type)
  }

  #subscribe(set: ChannelSet, type: RequestType): void {
    const channel = set.channels[type] as TextChannel
    const isFirst = !channel.ledger.isConfirmed
    if (isFirst && this.#venue.run.isFrozen) return
    if (isFirst) this.#venue.run.activate(set, channel)
    const isShown = channel instanceof ShownChannel
    if (isFirst && isShown) channel.make(Date.now())
    channel.subscribe(this.#connection, 'DEFAULT')
    this.#subscribed.add(channel)
    if (isShown) channel.showLast(this.#connection)
  }

  #unsubscribe(set: ChannelSet | undefined, type: RequestType): void {
    if (set === undefined) return
    const channel = set.channels[type] as TextChannel
    channel.unsubscribe(this.#connection)
    this.#subscribed.delete(channel)
  }

  /** A moment after the acknowledgement, and before anything else is dealt with. */
  #refuse(): void {
    const delayMs = this.#connection.id % refusedWithinMs
    this.#waiting = []
    setTimeout(() => {
      if (!this.#connection.isOpen) return
      this.#fail(160012, 'Invalid Topic')
      const waiting = this.#waiting ?? []
      this.#waiting = null
      for (const text of waiting) this.message(text)
    }, delayMs).unref()
  }

  #fail(error_code: number, message: string, field?: string): void {
    this.#reply({ response_type: 'ERROR', error_code, message, ...(field === undefined ? {} : { field }) })
  }

  #reply(message: Fields): void {
    this.#connection.reply(Opcode.text, JSON.stringify(message))
  }
}

function isTopic(value: unknown): value is Topic {
  const topic = objectOf(value)
  return typeof topic?.['quote_currency'] === 'string' && typeof topic['target_currency'] === 'string'
}
