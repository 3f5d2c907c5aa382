import { type RequestType } from '../../domain/target.ts'
import { type Listener } from '../channel.ts'
import { type ChannelSet, type Run } from '../channel-set.ts'
import { type Connection } from '../connection.ts'
import { nowMs } from '../fault-log.ts'
import { Opcode } from '../frame-template.ts'
import { dollarMarkets } from '../market-spec.ts'
import { RateWindow } from '../rate-window.ts'
import { type Fields, readRequest } from '../request-values.ts'
import { type Simulation } from '../simulation.ts'
import { textFrame } from '../text-channel.ts'
import { type Timings } from '../timings.ts'
import { type RestAnswer, type Session, type Venue } from '../venue-server.ts'
import {
  BitfinexBook,
  type BitfinexChannel,
  BitfinexMarket,
  BitfinexTicker,
  BitfinexTrade,
  bitfinexDepth,
  bitfinexTimeDigits
} from './bitfinex-channels.ts'

const channelTypes = new Map<unknown, RequestType>([
  ['ticker', 'ticker'],
  ['trades', 'trade'],
  ['book', 'orderbook']
])
const channelsMax = 25

/** Options of a connection, as bits. */
const flags = { timestamp: 32_768, sequence: 65_536, checksum: 131_072 } as const

/** Codes that the venue shortens. */
const codes: Readonly<Record<string, string>> = {
  DASH: 'DSH',
  IOTA: 'IOT',
  ALGO: 'ALG',
  ATOM: 'ATO',
  MANA: 'MNA'
}

/** A colon separates codes unless both have three letters. */
function nativeOf(base: string): string {
  const code = codes[base] ?? base
  return `t${code}${code.length === 3 ? '' : ':'}USD`
}

/**
 * The simulated Bitfinex, version 2 of its protocol: one channel a message, known by a number that is the connection's own;
 * every list ends with the trailer that the client asked for. Books have precision P0, frequency F0 and 25 levels only;
 * options other than time, sequence and checksum change nothing. @see https://docs.bitfinex.com/docs/ws-general
 */
export class BitfinexVenue implements Venue {
  readonly exchange = 'bitfinex'
  readonly websocketPaths = ['/ws/2']
  readonly connects = new RateWindow(20, 60_000)
  readonly markets: ReadonlyMap<string, ChannelSet>
  readonly run: Run
  readonly timings: Timings

  constructor(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings) {
    this.markets = markets
    this.run = run
    this.timings = timings
  }

  open(connection: Connection): Session {
    return new BitfinexSession(this, connection)
  }

  rest(path: string): RestAnswer | null {
    if (path !== '/v2/conf/pub:list:pair:exchange') return null
    return { status: 200, body: JSON.stringify([[...this.markets.keys()].map(native => native.slice(1))]) }
  }
}

export const bitfinexSimulation: Simulation = {
  exchange: 'bitfinex',
  markets: dollarMarkets('bitfinex', 'USD', nativeOf),
  // Every frame of a connection is numbered, so that a lost one is noticed whatever it was.
  ledgers: {
    ticker: { place: 'time', lossIsNoticed: true },
    trade: { place: 'time', lossIsNoticed: true },
    orderbook: { place: 'time', isDeltaBook: true, lossIsNoticed: true }
  },
  channels(spec, seed, { ticker, trade, orderbook }) {
    const shared = new BitfinexMarket(spec, seed)
    return {
      market: shared.market,
      channels: {
        ticker: new BitfinexTicker(shared, ticker.ledger, ticker.faults),
        trade: new BitfinexTrade(shared, trade.ledger, trade.faults),
        orderbook: new BitfinexBook(shared, orderbook.ledger, orderbook.faults)
      }
    }
  },
  venue: (markets, run, timings) => new BitfinexVenue(markets, run, timings)
}

const none = new Uint8Array(0)

class BitfinexSession implements Session {
  readonly connection: Connection
  readonly #venue: BitfinexVenue
  readonly #subscriptions = new Map<number, Subscription>()
  readonly #idle: NodeJS.Timeout
  readonly #heartbeats: NodeJS.Timeout
  readonly #checksums: NodeJS.Timeout
  #flags = 0
  #sequence = 0
  #lastChannelId: number

  constructor(venue: BitfinexVenue, connection: Connection) {
    this.#venue = venue
    this.connection = connection
    this.#lastChannelId = 200_000 + connection.id * 97
    const { bitfinexIdleMs, bitfinexHeartbeatAfterMs, bitfinexChecksumEveryMs } = venue.timings
    this.#idle = setTimeout(() => this.#endIdle(), bitfinexIdleMs)
    this.#heartbeats = setInterval(() => this.#beat(), bitfinexHeartbeatAfterMs / 15)
    this.#checksums = setInterval(() => this.#sum(), bitfinexChecksumEveryMs)
    for (const timer of [this.#idle, this.#heartbeats, this.#checksums]) timer.unref()
    this.#reply({
      event: 'info',
      version: 2,
      serverId: '5f1e7a34-0c1d-4b6f-9d6a-0c1d2e3f4a5b',
      platform: { status: 1 }
    })
  }

  message(text: string): void {
    const request = readRequest(text)
    // What is no object is not answered at all.
    if (request === null) return
    switch (request['event']) {
      case 'conf':
        this.#flags = Number(request['flags'] ?? 0)
        return this.#reply({ event: 'conf', status: 'OK', flags: this.#flags })
      case 'ping':
        return this.#reply({ event: 'pong', ts: Date.now(), cid: request['cid'] })
      case 'subscribe':
        return this.#enter(request)
      case 'unsubscribe':
        return this.#leave(request)
      default:
        return this.#fail(10000, 'event: unknown', {})
    }
  }

  ping(): void {
    // Answered already.
  }

  pong(): void {
    // The venue never pings.
  }

  closed(): void {
    clearTimeout(this.#idle)
    clearInterval(this.#heartbeats)
    clearInterval(this.#checksums)
    for (const subscription of this.#subscriptions.values()) subscription.channel.unsubscribe(subscription)
    this.#subscriptions.clear()
  }

  /** Sends a list with the trailer that the client asked for. */
  write(channelId: number, content: string, ms: string, channel: string, isSpared: boolean): void {
    this.#sequence++
    const sequence = this.#has(flags.sequence) ? `,${this.#sequence}` : ''
    const time = this.#has(flags.timestamp) ? `,${ms}` : ''
    const frame = textFrame(`[${channelId},${content}${sequence}${time}]`)
    this.connection.send(channel, frame, frame.length, 0, none, isSpared)
  }

  /** Numbers of frames that never leave. */
  skip(frames: number): void {
    this.#sequence += frames
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0
  }

  #enter(request: Fields): void {
    const { channel: name, symbol } = request
    const type = channelTypes.get(name)
    if (type === undefined) return this.#fail(10302, 'channel: unknown', { channel: name, symbol })
    const { prec = 'P0', freq = 'F0', len = '25' } = request
    const book = type === 'orderbook' ? { prec, freq, len } : {}
    const pair = typeof symbol === 'string' ? symbol.slice(1) : ''
    const about = { channel: name, symbol, ...book }
    const isOther = type === 'orderbook' && (prec !== 'P0' || freq !== 'F0' || Number(len) !== bitfinexDepth)
    const set = typeof symbol === 'string' ? this.#venue.markets.get(symbol) : undefined
    if (set === undefined || set.refuses(type, this.connection)) {
      return this.#fail(10300, 'symbol: invalid', { ...about, pair })
    }
    if (isOther) return this.#fail(10300, 'prec, freq or len: invalid', { ...about, pair })
    const channel = set.channels[type] as BitfinexChannel
    for (const [chanId, subscription] of this.#subscriptions) {
      if (subscription.channel === channel) {
        return this.#fail(10301, 'subscribe: dup', { ...about, chanId, pair })
      }
    }
    if (this.#subscriptions.size >= channelsMax) {
      return this.#fail(10305, 'subscribe: limit', { ...about, pair })
    }
    if (!channel.ledger.isConfirmed) {
      if (this.#venue.run.isFrozen) return
      this.#venue.run.activate(set, channel)
    }
    const chanId = ++this.#lastChannelId
    const subscription = new Subscription(this, channel, chanId)
    this.#subscriptions.set(chanId, subscription)
    this.#reply({ event: 'subscribed', channel: name, chanId, symbol, ...book, pair })
    channel.greet(subscription)
    channel.subscribe(subscription, 'v2')
    this.connection.flush()
  }

  #leave(request: Fields): void {
    const chanId = Number(request['chanId'])
    const subscription = this.#subscriptions.get(chanId)
    if (subscription === undefined) return this.#fail(10400, 'unsubscribe: invalid', { chanId })
    subscription.channel.unsubscribe(subscription)
    this.#subscriptions.delete(chanId)
    if (this.#subscriptions.size === 0) this.#idle.refresh()
    this.#reply({ event: 'unsubscribed', status: 'OK', chanId })
  }

  #beat(): void {
    const quietSinceMs = nowMs() - this.#venue.timings.bitfinexHeartbeatAfterMs
    for (const [chanId, subscription] of this.#subscriptions) {
      if (subscription.sentMs > quietSinceMs) continue
      subscription.sentMs = nowMs()
      this.write(chanId, '"hb"', String(Date.now()), subscription.channel.name, true)
    }
    this.connection.flush()
  }

  #sum(): void {
    if (!this.#has(flags.checksum)) return
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.channel instanceof BitfinexBook) subscription.channel.showChecksum(subscription)
    }
    this.connection.flush()
  }

  #endIdle(): void {
    if (this.#subscriptions.size === 0) this.connection.close(1000, '', 'idle')
  }

  #fail(code: number, msg: string, about: Fields): void {
    this.#reply({ ...about, event: 'error', msg, code })
  }

  #reply(fields: Fields): void {
    this.connection.reply(Opcode.text, JSON.stringify(fields))
  }
}

/** One channel on one connection, under the number that it has there. */
class Subscription implements Listener {
  readonly channel: BitfinexChannel
  sentMs = nowMs()
  readonly #session: BitfinexSession
  readonly #channelId: number
  readonly #isTrade: boolean

  constructor(session: BitfinexSession, channel: BitfinexChannel, channelId: number) {
    this.#session = session
    this.channel = channel
    this.#channelId = channelId
    this.#isTrade = channel.ledger.requestType === 'trade'
  }

  get channels(): Set<string> {
    return this.#session.connection.channels
  }

  send(...[channel, frame, length, , , isSpared]: Parameters<Listener['send']>): void {
    this.sentMs = nowMs()
    const payload = Buffer.from(frame.buffer, frame.byteOffset, length).toString('latin1')
    const ms = payload.slice(0, bitfinexTimeDigits)
    const content = payload.slice(bitfinexTimeDigits)
    if (!this.#isTrade || content.startsWith('[[') || content === '[]') {
      return this.#session.write(this.#channelId, content, ms, channel, isSpared)
    }
    // A trade is announced fast, and once more when it is settled.
    this.#session.write(this.#channelId, `"te",${content}`, ms, channel, isSpared)
    this.#session.write(this.#channelId, `"tu",${content}`, ms, channel, true)
  }

  lose(): void {
    this.#session.skip(this.#isTrade ? 2 : 1)
    // The hole shows in the connection's numbers, so that it may concern any of its channels.
    this.#session.connection.logFault('lose')
  }
}
