import { type RequestType } from '../../domain/target.ts'
import { type Listener } from '../channel.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { dollarMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, objectOf, readRequest, textsOf } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { type Timings } from '../timings.ts'
import { rfc3339 } from '../unique-times.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import {
  KrakenBook,
  type KrakenChannel,
  KrakenMarket,
  KrakenTicker,
  KrakenTrade,
  krakenChannelNames,
  krakenDepth
} from './kraken-channels.ts'

const requestTypeOf = new Map<unknown, RequestType>(
  Object.entries(krakenChannelNames).map(([type, name]) => [name, type as RequestType])
)
const depths: readonly unknown[] = [10, 25, 100, 500, 1000]
/** Codes that the REST API still has. */
const restCodes: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }
/** Beyond what a double holds, as those of the venue are. */
const firstConnectionId = 17_900_000_000_000_000_000n

/**
 * The simulated Kraken, version 2 of its protocol: one answer by symbol, a heartbeat where nothing else is sent, books
 * that forget levels beyond their depth and carry a checksum. Books have a depth of 100 only, tickers come as the run's
 * rate has them whatever the trigger; the other channels and version 1 are not simulated.
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-intro
 */
export class KrakenVenue implements Venue {
  readonly exchange = 'kraken'
  readonly websocketPaths = ['/v2']
  readonly connects = new RateWindow(150, 600_000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new KrakenSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/0/public/AssetPairs') return null
    const pairs = [...this.markets.values()].map(({ spec }) => {
      const base = restCodes[spec.base] ?? spec.base
      const pair = {
        altname: `${base}${spec.quote}`,
        wsname: `${base}/${spec.quote}`,
        base,
        quote: `Z${spec.quote}`,
        status: 'online'
      }
      return [`X${base}Z${spec.quote}`, pair] as const
    })
    return { status: 200, body: JSON.stringify({ error: [], result: Object.fromEntries(pairs) }) }
  }
}

export const krakenSimulation: Simulation = {
  exchange: 'kraken',
  markets: dollarMarkets('kraken', 'USD', base => `${base}/USD`),
  ledgers: {
    ticker: { place: 'time' },
    trade: { place: 'trade-id', lossIsNoticed: true },
    orderbook: { place: 'time', isDeltaBook: true, bookDepth: krakenDepth, lossIsNoticed: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const shared = new KrakenMarket(spec, seed)
    return {
      market: shared.market,
      channels: {
        ticker: new KrakenTicker(shared, ticker.ledger, ticker.faults),
        trade: new KrakenTrade(shared, trade.ledger, trade.faults),
        orderbook: new KrakenBook(shared, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new KrakenVenue(markets, run, timings)
}

class KrakenSession implements Session, Listener {
  readonly #venue: KrakenVenue
  readonly #connection: Connection
  /** The venue moves its limit with its load; this one is generous. */
  readonly #messages = new RateWindow(50, 1000)
  readonly #idle: NodeJS.Timeout
  readonly #heartbeat: NodeJS.Timeout
  readonly #subscribed = new Set<KrakenChannel>()

  constructor(venue: KrakenVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { krakenIdleMs, krakenHeartbeatEveryMs } = venue.timings
    this.#idle = setTimeout(() => this.#endIdle(), krakenIdleMs)
    this.#heartbeat = setInterval(() => this.#beat(), krakenHeartbeatEveryMs)
    this.#idle.unref()
    this.#heartbeat.unref()
    const id = firstConnectionId + BigInt(connection.id)
    this.#reply(
      `{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2","connection_id":${id}}]}`
    )
  }

  get channels(): Set<string> {
    return this.#connection.channels
  }

  /** Whatever is sent puts the next heartbeat off. */
  send(...[channel, frame, length, patchAt, patch, isSpared]: Parameters<Listener['send']>): void {
    this.#heartbeat.refresh()
    this.#connection.send(channel, frame, length, patchAt, patch, isSpared)
  }

  message(text: string): void {
    this.#idle.refresh()
    if (!this.#messages.take(nowMs())) return this.#reply('{"Error":"Exceeded msg rate"}')
    const request = readRequest(text)
    if (request === null) return this.#reply('{"error":"Malformed request"}')
    const { method } = request
    if (method === 'ping') return this.#answer(request, { method: 'pong' })
    if (method !== 'subscribe' && method !== 'unsubscribe') {
      return this.#refuse(request, 'Unsupported method')
    }
    const params = objectOf(request['params']) ?? {}
    const type = requestTypeOf.get(params['channel'])
    const symbols = textsOf(params['symbol'])
    if (type === undefined) return this.#refuse(request, 'Unsupported channel')
    if (symbols === null || symbols.length === 0) return this.#refuse(request, 'Symbol(s) not found')
    // A book is named by its depth as well, which is ten unless the client says otherwise.
    const depth = type === 'orderbook' ? (params['depth'] ?? 10) : null
    if (depth !== null && !depths.includes(depth))
      return this.#refuse(request, 'Subscription depth not supported')
    for (const symbol of symbols) {
      if (method === 'subscribe') this.#enter(request, params, type, symbol, depth)
      else this.#leave(request, type, symbol, depth)
    }
    this.#connection.flush()
  }

  ping(): void {
    this.#idle.refresh()
  }

  pong(): void {
    this.#idle.refresh()
  }

  closed(): void {
    clearTimeout(this.#idle)
    clearInterval(this.#heartbeat)
    for (const channel of this.#subscribed) channel.unsubscribe(this)
    this.#subscribed.clear()
  }

  #enter(request: Fields, params: Fields, type: RequestType, symbol: string, depth: unknown): void {
    const set = this.#venue.markets.get(symbol)
    if (
      set === undefined ||
      set.refuses(type, this.#connection) ||
      (depth !== null && depth !== krakenDepth)
    ) {
      return this.#refuse(request, `Currency pair not supported ${symbol}`, symbol)
    }
    const channel = set.channels[type] as KrakenChannel
    if (this.#subscribed.has(channel)) return this.#refuse(request, 'Already subscribed', symbol)
    if (!channel.ledger.isConfirmed) {
      if (this.#venue.run.isFrozen) return
      this.#venue.run.activate(set, channel)
    }
    this.#subscribed.add(channel)
    const snapshot = params['snapshot'] !== false
    const result = {
      channel: krakenChannelNames[type],
      symbol,
      snapshot,
      ...(depth === null ? {} : { depth })
    }
    this.#answer(request, { method: 'subscribe', result, success: true })
    if (snapshot) channel.greet(this)
    channel.subscribe(this, 'v2')
  }

  #leave(request: Fields, type: RequestType, symbol: string, depth: unknown): void {
    const channel = this.#venue.markets.get(symbol)?.channels[type] as KrakenChannel | undefined
    const isOther = depth !== null && depth !== krakenDepth
    if (channel === undefined || isOther || !this.#subscribed.delete(channel)) {
      return this.#refuse(request, 'Subscription Not Found', symbol)
    }
    channel.unsubscribe(this)
    const result = { channel: krakenChannelNames[type], symbol, ...(depth === null ? {} : { depth }) }
    this.#answer(request, { method: 'unsubscribe', result, success: true })
  }

  #refuse(request: Fields, error: string, symbol?: string): void {
    this.#answer(request, { error, method: request['method'], success: false, symbol })
  }

  #answer(request: Fields, fields: Fields): void {
    const time = rfc3339(Date.now() * 1000)
    const id = request['req_id'] === undefined ? {} : { req_id: request['req_id'] }
    this.#reply(JSON.stringify({ ...fields, ...id, time_in: time, time_out: time }))
  }

  #reply(text: string): void {
    this.#heartbeat.refresh()
    this.#connection.reply(Opcode.text, text)
  }

  #beat(): void {
    if (this.#subscribed.size > 0) this.#connection.reply(Opcode.text, '{"channel":"heartbeat"}')
  }

  #endIdle(): void {
    if (this.#subscribed.size === 0) this.#connection.cut('idle')
  }
}
