import { isRequestType, type RequestType } from '../../domain/target.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { wonMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, readRequests } from '../request-values.ts'
import { type ShownChannel } from '../shown-channel.ts'
import { type Simulation } from '../simulation.ts'
import { ticketListing } from '../ticket-listing.ts'
import { TicketSession, type TicketWish } from '../ticket-session.ts'
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
    return ticketListing(path, this.markets)
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

type ErrorName = 'NO_TICKET' | 'WRONG_FORMAT' | 'INVALID_PARAM'

class BithumbSession extends TicketSession<ShownChannel> {
  readonly #markets: ReadonlyMap<string, ChannelSet>

  constructor({ markets, run, timings }: BithumbVenue, connection: Connection) {
    super(connection, run, { idleMs: timings.bithumbIdleMs, statusEveryMs: timings.bithumbStatusEveryMs })
    this.#markets = markets
  }

  protected showLast({ channel }: TicketWish<ShownChannel>): void {
    channel.showLast(this.connection)
  }

  protected error(name: string): { readonly name: string; readonly message: string } {
    return { name, message: `요청 오류: ${name}` }
  }

  /** An unknown `format` does not matter. */
  protected read(text: string): readonly TicketWish<ShownChannel>[] | ErrorName {
    const parts = readRequests(text)
    if (parts === null) return 'WRONG_FORMAT'
    if (!parts.some(part => typeof part['ticket'] === 'string' && part['ticket'] !== '')) return 'NO_TICKET'
    const types = parts.filter(part => 'type' in part)
    if (types.length === 0) return 'WRONG_FORMAT'
    const wishes = new Map<string, TicketWish<ShownChannel>>()
    for (const part of types) {
      const { type, codes } = part
      if (typeof type !== 'string' || !isRequestType(type)) return 'INVALID_PARAM'
      if (!Array.isArray(codes) || codes.length === 0) return 'INVALID_PARAM'
      for (const code of codes as unknown[]) this.#wish(type, code, part, wishes)
    }
    return [...wishes.values()]
  }

  /** Unknown codes, and those the run was asked to reject, are passed over without a word. */
  #wish(type: RequestType, code: unknown, part: Fields, into: Map<string, TicketWish<ShownChannel>>): void {
    const set = typeof code === 'string' ? this.#markets.get(code) : undefined
    if (set === undefined) return
    if (set.refuses(type, this.connection)) return
    const channel = set.channels[type] as ShownChannel
    // Only the names in camel case are known.
    into.set(channel.name, {
      channel,
      set,
      key: 'DEFAULT',
      wantsSnapshot: part['isOnlyRealtime'] !== true,
      wantsRealtime: part['isOnlySnapshot'] !== true
    })
  }
}
