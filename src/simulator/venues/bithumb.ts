import { isRequestType, type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { Opcode } from '../frame-template.ts'
import { wonMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type ShownChannel } from '../shown-channel.ts'
import { type Simulation } from '../simulation.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { WonMarket } from '../won-market.ts'
import { BithumbBook, BithumbTicker, BithumbTrade } from './bithumb-channels.ts'

/**
 * The simulated Bithumb: an array request that replaces the whole subscription, no acknowledgement, a snapshot per code
 * and then what happens, JSON in binary frames. The SIMPLE format, price grouping (`level`), depths (`KRW-BTC.5`) and
 * `permessage-deflate` are not simulated. @see https://apidocs.bithumb.com/v2.1.4/reference/요청-포맷
 */
export class BithumbVenue implements Venue {
  readonly exchange = 'bithumb'
  readonly websocketPaths = ['/websocket/v1']
  readonly connects = new RateWindow(10, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new BithumbSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/v1/market/all') return null
    const list = [...this.markets.values()].map(({ spec }) => ({
      market: spec.native,
      korean_name: spec.base,
      english_name: spec.base
    }))
    return { status: 200, body: JSON.stringify(list) }
  }
}

export const bithumbSimulation: Simulation = {
  exchange: 'bithumb',
  markets: wonMarkets('bithumb', base => `KRW-${base}`),
  ledgers: { ticker: { place: 'time' }, trade: { place: 'time' }, orderbook: { place: 'time' } },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const won = new WonMarket(spec, seed)
    return {
      market: won.market,
      channels: {
        ticker: new BithumbTicker(won, ticker.ledger, ticker.faults),
        trade: new BithumbTrade(won, trade.ledger, trade.faults),
        orderbook: new BithumbBook(won, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new BithumbVenue(markets, run, timings)
}

interface Wish {
  readonly channel: ShownChannel
  readonly set: ChannelSet
  readonly wantsSnapshot: boolean
  readonly wantsRealtime: boolean
}

type ErrorName = 'NO_TICKET' | 'WRONG_FORMAT' | 'INVALID_PARAM'

class BithumbSession implements Session {
  readonly #venue: BithumbVenue
  readonly #connection: Connection
  readonly #idle: NodeJS.Timeout
  #status: NodeJS.Timeout | null = null
  #subscribed: ShownChannel[] = []

  constructor(venue: BithumbVenue, connection: Connection) {
    this.#venue = venue
    this.#connection = connection
    this.#idle = setTimeout(() => connection.cut('idle'), venue.timings.bithumbIdleMs)
    this.#idle.unref()
  }

  message(text: string): void {
    this.#idle.refresh()
    if (text === 'PING') this.#sendStatus()
    else this.#request(text)
  }

  ping(): void {
    this.#idle.refresh()
  }

  pong(): void {
    this.#idle.refresh()
  }

  closed(): void {
    clearTimeout(this.#idle)
    if (this.#status !== null) clearInterval(this.#status)
    for (const channel of this.#subscribed) channel.unsubscribe(this.#connection)
    this.#subscribed = []
  }

  /** A text `PING` turns the status on, which then comes by the clock. */
  #sendStatus(): void {
    if (this.#status !== null) return
    this.#status = setInterval(
      () => this.#connection.reply(Opcode.binary, '{"status":"UP"}'),
      this.#venue.timings.bithumbStatusEveryMs
    )
    this.#status.unref()
  }

  #request(text: string): void {
    const wishes = this.#read(text)
    if (typeof wishes === 'string') return this.#fail(wishes)
    for (const channel of this.#subscribed) channel.unsubscribe(this.#connection)
    this.#subscribed = wishes.filter(wish => wish.wantsRealtime).map(wish => wish.channel)
    for (const wish of wishes) this.#grant(wish)
    this.#connection.flush()
  }

  #grant({ channel, set, wantsSnapshot, wantsRealtime }: Wish): void {
    if (!channel.ledger.isConfirmed) {
      if (this.#venue.run.isFrozen) return
      this.#venue.run.activate(set, channel)
      // What the first snapshot shows is the first event of all.
      channel.make(Date.now())
    }
    if (wantsRealtime) channel.subscribe(this.#connection, 'DEFAULT')
    if (wantsSnapshot) channel.showLast(this.#connection)
  }

  /** The whole new subscription, or the name of what is wrong with the request. An unknown `format` does not matter. */
  #read(text: string): Wish[] | ErrorName {
    const parts = parseArray(text)
    if (parts === null) return 'WRONG_FORMAT'
    if (!parts.some(part => typeof part['ticket'] === 'string' && part['ticket'] !== '')) return 'NO_TICKET'
    const types = parts.filter(part => 'type' in part)
    if (types.length === 0) return 'WRONG_FORMAT'
    const wishes = new Map<string, Wish>()
    for (const part of types) {
      const { type, codes } = part
      if (typeof type !== 'string' || !isRequestType(type)) return 'INVALID_PARAM'
      if (!Array.isArray(codes) || codes.length === 0) return 'INVALID_PARAM'
      for (const code of codes as unknown[]) this.#wish(type, code, part, wishes)
    }
    return [...wishes.values()]
  }

  /** Unknown codes, and those the run was asked to reject, are passed over without a word. */
  #wish(
    type: RequestType,
    code: unknown,
    part: Readonly<Record<string, unknown>>,
    into: Map<string, Wish>
  ): void {
    const set = typeof code === 'string' ? this.#venue.markets.get(code) : undefined
    if (set === undefined) return
    if (set.refuses(type, this.#connection)) return
    const channel = set.channels[type] as ShownChannel
    // Only the names in camel case are known.
    into.set(channel.name, {
      channel,
      set,
      wantsSnapshot: part['isOnlyRealtime'] !== true,
      wantsRealtime: part['isOnlySnapshot'] !== true
    })
  }

  /** One error object and then a normal close, as the venue does. Clients read the name, not the message. */
  #fail(name: ErrorName): void {
    this.#connection.reply(Opcode.binary, JSON.stringify({ error: { name, message: `요청 오류: ${name}` } }))
    this.#connection.close(1000, '', null)
  }
}

function parseArray(text: string): Readonly<Record<string, unknown>>[] | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const isList = Array.isArray(value) && value.every(part => typeof part === 'object' && part !== null)
  return isList ? (value as Record<string, unknown>[]) : null
}
