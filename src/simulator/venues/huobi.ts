import { type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { dollarMarkets } from '../market-spec.ts'
import { javaDouble } from '../price-ladder.ts'
import { PricedMarket } from '../priced-market.ts'
import { RateWindow } from '../rate-window.ts'
import { readRequest } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { gzipFrame, type TextChannel } from '../text-channel.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { HuobiBook, HuobiTicker, HuobiTrade } from './huobi-channels.ts'

const marketCount = 20
const unansweredMax = 2
const noPatch = new Uint8Array(0)
/** What each path offers; null for channels that the venue has and the simulation leaves silent. */
const pathChannels: Readonly<Record<string, Readonly<Record<string, RequestType | null>>>> = {
  '/ws': {
    ticker: 'ticker',
    'trade.detail': 'trade',
    detail: null,
    bbo: null,
    'depth.step0': null,
    'mbp.refresh.20': null
  },
  '/feed': { 'mbp.150': 'orderbook', 'mbp.20': null, 'mbp.400': null }
}

/**
 * The simulated Huobi (HTX): every frame of the server gzip, its JSON pings that want their answer, one topic a message,
 * books on a path of their own whose whole is answered on request. @see https://www.htx.com/en-us/opend/newApiPages/
 */
export class HuobiVenue implements Venue {
  readonly exchange = 'huobi'
  readonly websocketPaths = ['/ws', '/feed']
  // Nothing is published; this is what has worked for others.
  readonly connects = new RateWindow(10, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection, path: string): Session {
    return new HuobiSession(this, connection, pathChannels[path]!)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/v1/common/symbols') return null
    const data = [...this.markets.values()].map(({ spec }) => ({
      'base-currency': spec.base.toLowerCase(),
      'quote-currency': spec.quote.toLowerCase(),
      'price-precision': 2,
      symbol: spec.native,
      state: 'online'
    }))
    return { status: 200, body: JSON.stringify({ status: 'ok', data }) }
  }
}

export const huobiSimulation: Simulation = {
  exchange: 'huobi',
  markets: dollarMarkets('huobi', 'USDT', base => `${base.toLowerCase()}usdt`, marketCount),
  ledgers: {
    ticker: { place: 'volume' },
    trade: { place: 'size' },
    orderbook: { place: 'sequence', isDeltaBook: true, lossIsNoticed: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const priced = new PricedMarket(
      spec,
      seed,
      (integer, scale) => javaDouble(integer, scale).expanded,
      (integer, scale) => javaDouble(integer, scale).wire
    )
    return {
      market: priced.market,
      channels: {
        ticker: new HuobiTicker(priced, ticker.ledger, ticker.faults),
        trade: new HuobiTrade(priced, trade.ledger, trade.faults),
        orderbook: new HuobiBook(priced, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new HuobiVenue(markets, run, timings)
}

class HuobiSession implements Session {
  readonly #venue: HuobiVenue
  readonly #connection: Connection
  readonly #offered: Readonly<Record<string, RequestType | null>>
  // Messages are to be 100 ms apart; on the way here they may bunch together, so they are counted by the second.
  readonly #messages = new RateWindow(10, 1000)
  readonly #topics = new Map<string, TextChannel | null>()
  readonly #pings: NodeJS.Timeout
  #unanswered = 0
  #lastPing = 0

  constructor(
    venue: HuobiVenue,
    connection: Connection,
    offered: Readonly<Record<string, RequestType | null>>
  ) {
    this.#venue = venue
    this.#connection = connection
    this.#offered = offered
    this.#pings = setInterval(() => this.#ping(), venue.timings.huobiPingEveryMs)
    this.#pings.unref()
  }

  message(text: string): void {
    const request = readRequest(text)
    if (request === null) return this.#fail('json string is expected', undefined)
    if ('pong' in request) {
      if (request['pong'] === this.#lastPing) this.#unanswered = 0
      return
    }
    if ('ping' in request) return this.#say({ pong: request['ping'] })
    const id = request['id']
    if (!this.#messages.take(nowMs())) return this.#fail('429 too many request', id)
    if (typeof request['sub'] === 'string') this.#subscribe(request['sub'], id)
    else if (typeof request['unsub'] === 'string') this.#unsubscribe(request['unsub'], id)
    else if (typeof request['req'] === 'string') this.#request(request['req'], id)
    else this.#fail('invalid command', id)
  }

  ping(): void {}

  pong(): void {}

  closed(): void {
    clearInterval(this.#pings)
    for (const channel of this.#topics.values()) channel?.unsubscribe(this.#connection)
    this.#topics.clear()
  }

  /** A connection that is stalled on request cannot be asked. */
  #ping(): void {
    if (this.#connection.isStalled || !this.#connection.isOpen) return
    if (this.#unanswered >= unansweredMax) return this.#connection.cut('idle')
    this.#unanswered++
    this.#lastPing = Date.now()
    this.#say({ ping: this.#lastPing })
  }

  #subscribe(topic: string, id: unknown): void {
    this.#connection.lastAskedMs = nowMs()
    const found = this.#find(topic)
    if (typeof found === 'string') return this.#fail(found, id)
    this.#say({ id, status: 'ok', subbed: topic, ts: Date.now() })
    this.#topics.set(topic, found.channel)
    const { channel, set } = found
    if (channel === null) return
    const { run } = this.#venue
    if (!channel.ledger.isConfirmed) {
      if (run.isFrozen) return
      run.activate(set, channel)
    }
    channel.subscribe(this.#connection, 'gzip')
  }

  #unsubscribe(topic: string, id: unknown): void {
    const channel = this.#topics.get(topic)
    if (channel === undefined) return this.#fail(`unsub with not subbed topic ${topic}`, id)
    channel?.unsubscribe(this.#connection)
    this.#topics.delete(topic)
    this.#say({ id, status: 'ok', unsubbed: topic, ts: Date.now() })
  }

  /** Only the books of levels answer. */
  #request(topic: string, id: unknown): void {
    const found = this.#find(topic)
    if (typeof found === 'string') return this.#fail(found, id)
    if (!(found.channel instanceof HuobiBook)) return this.#fail(`invalid topic ${topic}`, id)
    found.channel.show(this.#connection, found.channel.answer(JSON.stringify(id ?? null), Date.now()))
    this.#connection.flush()
  }

  /** The channel of a topic on this path, null when it is silent here; a text says what is wrong with it. */
  #find(topic: string): { readonly set: ChannelSet; readonly channel: TextChannel | null } | string {
    const [, native = '', name = ''] = /^market\.([^.]+)\.(.+)$/.exec(topic) ?? []
    if (!Object.hasOwn(this.#offered, name)) return `invalid topic ${topic}`
    const type = this.#offered[name]!
    const set = this.#venue.markets.get(native)
    if (set === undefined || (type !== null && set.refuses(type, this.#connection)))
      return `invalid symbol ${native}`
    return { set, channel: type === null ? null : (set.channels[type] as TextChannel) }
  }

  #fail(message: string, id: unknown): void {
    this.#say({ status: 'error', ts: Date.now(), id, 'err-code': 'bad-request', 'err-msg': message })
  }

  /** Compressed as well; answers are spared the faults of data. */
  #say(answer: object): void {
    const frame = gzipFrame(JSON.stringify(answer))
    this.#connection.send('', frame, frame.length, 0, noPatch, true)
    this.#connection.flush()
  }
}
