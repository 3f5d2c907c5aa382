import { type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { dollarMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { objectOf, readRequest, textsOf } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { type Timings } from '../timings.ts'
import { rfc3339 } from '../unique-times.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import {
  CoinbaseBook,
  type CoinbaseChannel,
  CoinbaseMarket,
  CoinbaseTicker,
  CoinbaseTrade
} from './coinbase-channels.ts'

const channelTypes: ReadonlyMap<string, RequestType> = new Map([
  ['ticker', 'ticker'],
  ['matches', 'trade'],
  ['level2_batch', 'orderbook']
])
const heartbeat = 'heartbeat'
/** Channels that exist, but not for clients without a key. */
const guarded: ReadonlySet<string> = new Set(['level2', 'level3', 'full', 'user'])

/**
 * The simulated Coinbase Exchange: channels times products in one message, an answer that lists all subscriptions, errors
 * that void a whole request, heartbeats by product. The channels `status` and `ticker_batch`, `permessage-deflate` and
 * the Advanced Trade feed are not simulated. @see https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
 */
export class CoinbaseVenue implements Venue {
  readonly exchange = 'coinbase'
  readonly websocketPaths = ['/']
  readonly connects = new RateWindow(8, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new CoinbaseSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/products') return null
    const list = [...this.markets.values()].map(({ spec }) => ({
      id: spec.native,
      base_currency: spec.base,
      quote_currency: spec.quote,
      display_name: `${spec.base}-${spec.quote}`,
      status: 'online',
      trading_disabled: false
    }))
    return { status: 200, body: JSON.stringify(list) }
  }
}

export const coinbaseSimulation: Simulation = {
  exchange: 'coinbase',
  markets: dollarMarkets('coinbase', 'USD', base => `${base}-USD`),
  ledgers: {
    ticker: { place: 'time' },
    trade: { place: 'trade-id', lossIsNoticed: true },
    // Updates have no numbers: a lost one shows when the book crosses, if it ever does.
    orderbook: { place: 'time', isDeltaBook: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const shared = new CoinbaseMarket(spec, seed)
    return {
      market: shared.market,
      channels: {
        ticker: new CoinbaseTicker(shared, ticker.ledger, ticker.faults),
        trade: new CoinbaseTrade(shared, trade.ledger, trade.faults),
        orderbook: new CoinbaseBook(shared, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new CoinbaseVenue(markets, run, timings)
}

/** A channel and its products, by the client's names; no products: all. */
type Wish = readonly [name: string, products: readonly string[] | null]

class CoinbaseSession implements Session {
  readonly #venue: CoinbaseVenue
  readonly #connection: Connection
  // The venue counts messages per address; all clients here share one, so they are counted per connection.
  readonly #messages = new RateWindow(100, 1000)
  readonly #first: NodeJS.Timeout
  readonly #heartbeats: NodeJS.Timeout
  /** Products by channel name. */
  readonly #subscribed = new Map<string, Set<string>>()

  constructor(venue: CoinbaseVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    const { coinbaseSubscribeWithinMs, coinbaseHeartbeatEveryMs } = venue.timings
    this.#first = setTimeout(() => connection.close(1000, '', 'idle'), coinbaseSubscribeWithinMs)
    this.#heartbeats = setInterval(() => this.#beat(), coinbaseHeartbeatEveryMs)
    this.#first.unref()
    this.#heartbeats.unref()
  }

  message(text: string): void {
    if (!this.#messages.take(nowMs())) return this.#connection.close(1008, 'rate limit exceeded', 'limit')
    const request = readRequest(text)
    if (request === null) return this.#fail('Malformed JSON')
    const { type } = request
    if (type !== 'subscribe' && type !== 'unsubscribe') {
      return this.#fail('Type has to be either subscribe or unsubscribe')
    }
    const wishes = readWishes(request)
    if (wishes === null) return this.#fail(`Failed to ${type}`, 'channels are missing')
    if (type === 'unsubscribe') this.#leave(wishes)
    else this.#enter(wishes)
  }

  ping(): void {
    // Answered already; the venue asks for none.
  }

  pong(): void {
    // The venue never pings.
  }

  closed(): void {
    clearTimeout(this.#first)
    clearInterval(this.#heartbeats)
    this.#leave([...this.#subscribed.keys()].map(name => [name, null]))
  }

  #enter(wishes: readonly Wish[]): void {
    const entered: [name: string, product: string][] = []
    for (const [name, products] of wishes) {
      const type = channelTypes.get(name)
      if (guarded.has(name)) return this.#refuse(`${name} requires authentication`)
      if (type === undefined && name !== heartbeat) return this.#refuse(`${name} is not a valid channel`)
      if (products === null || products.length === 0) return this.#refuse('product_ids are missing')
      for (const product of products) {
        const set = this.#venue.markets.get(product)
        if (set === undefined) return this.#refuse(`${product} is not a valid product`)
        if (type !== undefined && set.refuses(type, this.#connection))
          return this.#refuse(`${product} is delisted`)
        entered.push([name, product])
      }
    }
    clearTimeout(this.#first)
    const fresh = entered.filter(([name, product]) => this.#subscribed.get(name)?.has(product) !== true)
    for (const [name, product] of fresh) {
      const products = this.#subscribed.get(name) ?? new Set()
      this.#subscribed.set(name, products.add(product))
    }
    this.#acknowledge()
    for (const [name, product] of fresh) this.#grant(name, product)
    this.#connection.flush()
  }

  #grant(name: string, product: string): void {
    const type = channelTypes.get(name)
    const set = this.#venue.markets.get(product)
    if (type === undefined || set === undefined) return
    const channel = set.channels[type] as CoinbaseChannel
    if (!channel.ledger.isConfirmed) {
      if (this.#venue.run.isFrozen) return
      this.#venue.run.activate(set, channel)
    }
    channel.greet(this.#connection)
    channel.subscribe(this.#connection, name)
  }

  #leave(wishes: readonly Wish[]): void {
    for (const [name, products] of wishes) {
      const left = products ?? [...(this.#subscribed.get(name) ?? [])]
      for (const product of left) {
        if (this.#subscribed.get(name)?.delete(product) !== true) continue
        const type = channelTypes.get(name)
        const set = this.#venue.markets.get(product)
        if (type !== undefined) set?.channels[type].unsubscribe(this.#connection)
      }
      if (this.#subscribed.get(name)?.size === 0) this.#subscribed.delete(name)
    }
    this.#acknowledge()
  }

  /** Everything that is subscribed now; the book's channel goes by another name here. */
  #acknowledge(): void {
    const channels = [...this.#subscribed].map(([name, products]) => ({
      name: name === 'level2_batch' ? 'level2_50' : name,
      product_ids: [...products],
      account_ids: null
    }))
    this.#connection.reply(Opcode.text, JSON.stringify({ type: 'subscriptions', channels }))
  }

  #beat(): void {
    for (const product of this.#subscribed.get(heartbeat) ?? []) {
      const trade = this.#venue.markets.get(product)?.channels.trade as CoinbaseTrade
      const fields = [
        `"type":"heartbeat","last_trade_id":${trade.lastTradeId},"product_id":"${product}"`,
        `"sequence":${trade.sequence},"time":"${rfc3339(Date.now() * 1000)}"`
      ]
      this.#connection.reply(Opcode.text, `{${fields.join(',')}}`)
    }
  }

  #refuse(reason: string): void {
    this.#fail('Failed to subscribe', reason)
  }

  #fail(message: string, reason?: string): void {
    this.#connection.reply(Opcode.text, JSON.stringify({ type: 'error', message, reason }))
  }
}

/** Channels are names, or objects with products of their own. */
function readWishes(request: Readonly<Record<string, unknown>>): readonly Wish[] | null {
  const { channels } = request
  if (!Array.isArray(channels) || channels.length === 0) return null
  const shared = textsOf(request['product_ids'])
  const wishes: Wish[] = []
  for (const entry of channels as unknown[]) {
    const name = typeof entry === 'string' ? entry : objectOf(entry)?.['name']
    if (typeof name !== 'string') return null
    wishes.push([name, textsOf(objectOf(entry)?.['product_ids']) ?? shared])
  }
  return wishes
}
