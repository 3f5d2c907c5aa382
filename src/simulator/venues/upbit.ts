import { isRequestType, type RequestType } from '../../domain/target.ts'
import { type Channel } from '../channel.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { upbitMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, readRequests } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { ticketListing } from '../ticket-listing.ts'
import { TicketSession, type TicketWish } from '../ticket-session.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import { UpbitBook, upbitDepths } from './upbit-book.ts'
import { type UpbitFormat, upbitFormats } from './upbit-format.ts'
import { UpbitMarket } from './upbit-market.ts'
import { UpbitTicker } from './upbit-ticker.ts'
import { UpbitTrade } from './upbit-trade.ts'

/**
 * The simulated Upbit: an array request that replaces the whole subscription, no acknowledgement, a snapshot per code and
 * then what happens, JSON in binary frames. `permessage-deflate` is never negotiated, and price grouping (`level`) is
 * ignored. @see https://docs.upbit.com/kr/reference/general-info
 */
export class UpbitVenue implements Venue {
  readonly exchange = 'upbit'
  readonly websocketPaths = ['/websocket/v1']
  readonly connects = new RateWindow(5, 1000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new UpbitSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    return ticketListing(path, this.markets)
  }
}

export const upbitSimulation: Simulation = {
  exchange: 'upbit',
  markets: upbitMarkets,
  ledgers: { ticker: { place: 'volume' }, trade: { place: 'size' }, orderbook: { place: 'best-bid' } },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const shared = new UpbitMarket(spec, seed)
    return {
      market: shared.market,
      channels: {
        ticker: new UpbitTicker(shared, ticker.ledger, ticker.faults),
        trade: new UpbitTrade(shared, trade.ledger, trade.faults),
        orderbook: new UpbitBook(shared, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new UpbitVenue(markets, run, timings)
}

type ErrorName = 'NO_TICKET' | 'NO_TYPE' | 'NO_CODES' | 'INVALID_PARAM' | 'WRONG_FORMAT'

class UpbitSession extends TicketSession<Channel> {
  readonly #markets: ReadonlyMap<string, ChannelSet>
  // The venue counts messages per address; all clients here share one, so they are counted per connection.
  readonly #perSecond = new RateWindow(5, 1000)
  readonly #perMinute = new RateWindow(100, 60_000)

  constructor({ markets, run, timings }: UpbitVenue, connection: Connection) {
    super(connection, run, { idleMs: timings.upbitIdleMs, statusEveryMs: timings.upbitStatusEveryMs })
    this.#markets = markets
  }

  override message(text: string): void {
    const now = nowMs()
    if (this.#perSecond.take(now) && this.#perMinute.take(now)) super.message(text)
    else this.connection.close(1008, 'too many messages', 'limit')
  }

  /** The first comes at once. */
  protected override beginStatus(): void {
    this.sendStatus()
    super.beginStatus()
  }

  protected showLast({ channel, key }: TicketWish<Channel>): void {
    channel.snapshot(this.connection, key)
  }

  protected error(name: string): { readonly name: string; readonly message: string } {
    return { message: `요청 오류: ${name}`, name }
  }

  protected read(text: string): readonly TicketWish<Channel>[] | ErrorName {
    const parts = readRequests(text)
    if (parts === null) return 'WRONG_FORMAT'
    if (!parts.some(part => typeof part['ticket'] === 'string' && part['ticket'] !== '')) return 'NO_TICKET'
    const format = parts.find(part => 'format' in part)?.['format'] ?? 'DEFAULT'
    if (!upbitFormats.includes(format as UpbitFormat)) return 'WRONG_FORMAT'
    const types = parts.filter(part => 'type' in part)
    if (types.length === 0) return 'NO_TYPE'
    const wishes = new Map<string, TicketWish<Channel>>()
    for (const part of types) {
      const { type, codes } = part
      if (typeof type !== 'string' || !isRequestType(type)) return 'INVALID_PARAM'
      if (!Array.isArray(codes) || codes.length === 0) return 'NO_CODES'
      if (!codes.every(code => typeof code === 'string')) return 'INVALID_PARAM'
      for (const code of codes) this.#wish(type, code, format as UpbitFormat, part, wishes)
    }
    return [...wishes.values()]
  }

  /** Unknown codes, and those the run was asked to reject, are passed over without a word. */
  #wish(
    type: RequestType,
    code: string,
    format: UpbitFormat,
    part: Fields,
    into: Map<string, TicketWish<Channel>>
  ): void {
    const [native = '', suffix] = type === 'orderbook' ? code.split('.', 2) : [code]
    const set = this.#markets.get(native)
    if (set === undefined) return
    if (set.refuses(type, this.connection)) return
    const depth = suffix === undefined ? undefined : upbitDepths.find(known => String(known) === suffix)
    const channel = set.channels[type]
    into.set(channel.name, {
      channel,
      set,
      key: depth === undefined ? format : `${format}.${depth}`,
      wantsSnapshot: part['is_only_realtime'] !== true && part['isOnlyRealtime'] !== true,
      wantsRealtime: part['is_only_snapshot'] !== true && part['isOnlySnapshot'] !== true
    })
  }
}
