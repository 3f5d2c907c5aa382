import { type RequestType } from '../../domain/target.ts'
import { type Listener } from '../channel.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { dollarMarkets } from '../market-spec.ts'
import { shortDecimals } from '../price-ladder.ts'
import { PricedMarket } from '../priced-market.ts'
import { RateWindow } from '../rate-window.ts'
import { readRequest } from '../request-values.ts'
import { ShownChannel } from '../shown-channel.ts'
import { type Simulation } from '../simulation.ts'
import { type TextChannel } from '../text-channel.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { OkxBook, OkxTicker, OkxTrade } from './okx-channels.ts'

const argsBytesMax = 64 * 1024
const marketCount = 20
const channelTypes: Readonly<Record<string, RequestType>> = {
  tickers: 'ticker',
  trades: 'trade',
  books: 'orderbook'
}
/** Channels that the venue has and the simulation leaves silent. */
const silentChannels = new Set(['books5', 'bbo-tbt', 'instruments'])

/**
 * The simulated OKX public feed: one answer for each argument of a request, text pings, the newest ticker and trade and
 * the whole book as soon as they are subscribed. @see https://www.okx.com/docs-v5/en/#overview-websocket-overview
 */
export class OkxVenue implements Venue {
  readonly exchange = 'okx'
  readonly websocketPaths = ['/ws/v5/public']
  readonly connects = new RateWindow(3, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings
  readonly #rest = new RateWindow(20, 2000)

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new OkxSession(this, connection)
  }

  rest(path: string, query: URLSearchParams): RestAnswer | null {
    if (path !== '/api/v5/public/instruments') return null
    if (!this.#rest.take(nowMs())) return { status: 429, body: '{"code":"50011","msg":"Too Many Requests"}' }
    if (query.get('instType') !== 'SPOT') {
      return { status: 400, body: '{"code":"51000","msg":"Parameter instType error","data":[]}' }
    }
    const data = [...this.markets.values()].map(({ spec }) => ({
      instType: 'SPOT',
      instId: spec.native,
      baseCcy: spec.base,
      quoteCcy: spec.quote,
      state: 'live'
    }))
    return { status: 200, body: JSON.stringify({ code: '0', msg: '', data }) }
  }
}

export const okxSimulation: Simulation = {
  exchange: 'okx',
  markets: dollarMarkets('okx', 'USDT', base => `${base}-USDT`, marketCount),
  ledgers: {
    ticker: { place: 'volume' },
    trade: { place: 'size' },
    orderbook: { place: 'sequence', isDeltaBook: true, lossIsNoticed: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const priced = new PricedMarket(spec, seed, shortDecimals)
    return {
      market: priced.market,
      channels: {
        ticker: new OkxTicker(priced, ticker.ledger, ticker.faults),
        trade: new OkxTrade(priced, trade.ledger, trade.faults),
        orderbook: new OkxBook(priced, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new OkxVenue(markets, run, timings)
}

interface Arg {
  readonly channel: string
  readonly instId: string
}

class OkxSession implements Session, Listener {
  readonly #venue: OkxVenue
  readonly #connection: Connection
  readonly #operations = new RateWindow(480, 3_600_000)
  /** By `channel:instId`; null for those that are silent here. */
  readonly #subscribed = new Map<string, TextChannel | null>()
  /** When a book that does not change was last said not to. */
  readonly #repeatedMs = new Map<OkxBook, number>()
  readonly #watch: NodeJS.Timeout
  /** When something last went over the socket, either way. */
  #heardMs = nowMs()
  #argsBytes = 0

  constructor(venue: OkxVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { okxIdleMs, okxBookRepeatMs } = venue.timings
    this.#watch = setInterval(() => this.#tick(), Math.min(okxIdleMs, okxBookRepeatMs) / 10)
    this.#watch.unref()
  }

  get channels(): Set<string> {
    return this.#connection.channels
  }

  /** Data on its way to the client keeps the socket alive as well. */
  send(...frame: Parameters<Listener['send']>): void {
    this.#heardMs = nowMs()
    this.#connection.send(...frame)
  }

  message(text: string): void {
    this.#heardMs = nowMs()
    if (text === 'ping') return this.#connection.reply(Opcode.text, 'pong')
    const request = readRequest(text)
    const id = typeof request?.['id'] === 'string' ? request['id'] : null
    const [op, args] = [request?.['op'], request?.['args']]
    if ((op !== 'subscribe' && op !== 'unsubscribe') || !isArgs(args)) {
      return this.#fail('60012', `Invalid request: ${text.slice(0, 200)}`, id)
    }
    if (!this.#operations.take(nowMs())) return this.#fail('60014', 'Requests too frequent', id)
    for (const arg of args) {
      if (op === 'subscribe') this.#subscribe(arg, id)
      else this.#unsubscribe(arg, id)
    }
    this.#connection.flush()
  }

  ping(): void {
    this.#heardMs = nowMs()
  }

  pong(): void {
    this.#heardMs = nowMs()
  }

  closed(): void {
    clearInterval(this.#watch)
    for (const channel of this.#subscribed.values()) channel?.unsubscribe(this)
    this.#subscribed.clear()
  }

  #subscribe(arg: Arg, id: string | null): void {
    const { channel: name, instId } = arg
    const type = channelTypes[name]
    const set = this.#venue.markets.get(instId)
    const isKnown = type !== undefined || silentChannels.has(name)
    if (!isKnown || set === undefined || (type !== undefined && set.refuses(type, this.#connection))) {
      const what = `channel:${name},instId:${instId} doesn't exist`
      return this.#fail(
        '60018',
        `Wrong URL or ${what}. Please use the correct URL, channel and parameters.`,
        null
      )
    }
    const key = `${name}:${instId}`
    if (!this.#subscribed.has(key)) this.#argsBytes += JSON.stringify(arg).length
    if (this.#argsBytes > argsBytesMax) return this.#fail('60012', 'Invalid request: too many channels', id)
    this.#answer('subscribe', arg, id)
    if (type === undefined) this.#subscribed.set(key, null)
    else this.#begin(key, set, set.channels[type] as TextChannel)
  }

  #begin(key: string, set: ChannelSet, channel: TextChannel): void {
    const { run } = this.#venue
    this.#subscribed.set(key, channel)
    if (!channel.ledger.isConfirmed) {
      if (run.isFrozen) return
      run.activate(set, channel)
      if (channel instanceof ShownChannel) channel.make(Date.now())
    }
    channel.subscribe(this, 'json')
    if (channel instanceof ShownChannel) channel.showLast(this)
    if (channel instanceof OkxBook) channel.show(this, channel.whole())
  }

  #unsubscribe(arg: Arg, id: string | null): void {
    const key = `${arg.channel}:${arg.instId}`
    this.#subscribed.get(key)?.unsubscribe(this)
    if (this.#subscribed.delete(key)) this.#argsBytes -= JSON.stringify(arg).length
    this.#answer('unsubscribe', arg, id)
  }

  #tick(): void {
    const now = nowMs()
    const { okxIdleMs, okxBookRepeatMs } = this.#venue.timings
    if (now - this.#heardMs > okxIdleMs) return this.#connection.cut('idle')
    for (const channel of this.#subscribed.values()) {
      if (!(channel instanceof OkxBook)) continue
      const quietMs = Date.now() - Math.max(channel.changedMs, this.#repeatedMs.get(channel) ?? 0)
      if (quietMs < okxBookRepeatMs) continue
      this.#repeatedMs.set(channel, Date.now())
      channel.show(this, channel.unchanged(Date.now()))
      this.#connection.flush()
    }
  }

  #answer(event: string, arg: Arg, id: string | null): void {
    const { channel, instId } = arg
    const named = id === null ? {} : { id }
    this.#say({ ...named, event, arg: { channel, instId }, connId: this.#connId })
  }

  #fail(code: string, msg: string, id: string | null): void {
    const named = id === null ? {} : { id }
    this.#say({ ...named, event: 'error', msg, code, connId: this.#connId })
  }

  #say(answer: object): void {
    this.#connection.reply(Opcode.text, JSON.stringify(answer))
  }

  get #connId(): string {
    return this.#connection.id.toString(16).padStart(8, '0')
  }
}

function isArgs(value: unknown): value is readonly Arg[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (arg: unknown) =>
        typeof arg === 'object' &&
        arg !== null &&
        typeof (arg as Partial<Arg>).channel === 'string' &&
        typeof (arg as Partial<Arg>).instId === 'string'
    )
  )
}
