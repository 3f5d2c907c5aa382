import { type WebSocket } from 'ws'
import { type ExchangeName } from '../../src/domain/target.ts'
import { VenueServer } from './venue-server.ts'

/** The update id of the book snapshots, and the event time before the first. */
const snapshotId = 1000
const startMs = 1_790_000_000_000

type Channel = 'trade' | 'ticker' | 'orderbook'

interface BinanceRequest {
  readonly params: readonly string[]
  readonly id: number
}

export interface MixedVenueOptions {
  /** The body of a book snapshot at an update id. */
  readonly depth?: (lastUpdateId: number) => string
}

/**
 * Two loopback venues: Binance trades do what the test wants, Binance tickers are refused, Upbit tickers are never heard
 * of again, and all other channels are well.
 */
export class MixedVenues implements AsyncDisposable {
  readonly endpoints: ReadonlyMap<ExchangeName, VenueServer['endpoints']>
  readonly #binance: VenueServer
  readonly #upbit: VenueServer
  readonly #sockets: Map<string, WebSocket>
  readonly #wakes: Set<() => void>
  readonly #refusal: { status: number | null }
  #lastTrade = 0
  #lastEvent = snapshotId

  private constructor(
    binance: VenueServer,
    upbit: VenueServer,
    state: { sockets: Map<string, WebSocket>; wakes: Set<() => void>; refusal: { status: number | null } }
  ) {
    this.#binance = binance
    this.#upbit = upbit
    this.#sockets = state.sockets
    this.#wakes = state.wakes
    this.#refusal = state.refusal
    this.endpoints = new Map([
      ['binance', binance.endpoints],
      ['upbit', upbit.endpoints]
    ])
  }

  static async start(options: MixedVenueOptions = {}): Promise<MixedVenues> {
    const sockets = new Map<string, WebSocket>()
    const wakes = new Set<() => void>()
    const refusal: { status: number | null } = { status: null }
    const subscribed = (channel: string, socket: WebSocket): void => {
      sockets.set(channel, socket)
      for (const wake of wakes) wake()
    }
    const depth = options.depth ?? (id => `{"lastUpdateId":${id},"bids":[["1.0","2.0"]],"asks":[]}`)
    const binance = await VenueServer.start({
      rest: path => ({
        status: 200,
        body: path.startsWith('/api/v3/depth') ? depth(snapshotId) : binanceListing
      }),
      refuse: () => (refusal.status === null ? null : { status: refusal.status }),
      accepted: socket =>
        socket.on('message', data => {
          const { params, id } = JSON.parse((data as Buffer).toString('utf8')) as BinanceRequest
          const channel = binanceChannels[params[0]?.split('@')[1] ?? ''] ?? 'trade'
          const refused = { error: { code: 2, msg: 'Invalid request: invalid stream' }, id }
          socket.send(JSON.stringify(channel === 'ticker' ? refused : { result: null, id }))
          subscribed(`binance/${channel}`, socket)
        })
    })
    const upbit = await VenueServer.start({
      rest: () => ({ status: 200, body: '[{"market":"KRW-BTC"}]' }),
      accepted: socket =>
        socket.on('message', data => {
          const [, { type }] = JSON.parse((data as Buffer).toString('utf8')) as [unknown, { type: Channel }]
          subscribed(`upbit/${type}`, socket)
        })
    })
    return new MixedVenues(binance, upbit, { sockets, wakes, refusal })
  }

  get handshakes(): number {
    return this.#binance.handshakes + this.#upbit.handshakes
  }

  /** Resolves when every channel of both venues has been asked for. */
  areSubscribed(): Promise<void> {
    return this.#until(() => this.#sockets.size === 6)
  }

  /** Resolves at the next subscription of Binance trades. */
  tradesAreSubscribed(): Promise<void> {
    const before = this.#sockets.get('binance/trade')
    return this.#until(() => this.#sockets.get('binance/trade') !== before)
  }

  /** The next trade on the connection that misbehaves; answers its id. */
  sendTrade(): string {
    const t = ++this.#lastTrade
    const data = {
      e: 'trade',
      E: startMs + t,
      s: 'BTCUSDT',
      t,
      p: '1.10',
      q: '2.0',
      T: startMs + t,
      m: false,
      M: true
    }
    this.#send('binance/trade', JSON.stringify({ stream: 'btcusdt@trade', data }))
    return String(t)
  }

  sendBad(frame: string | Buffer, isBinary = false): void {
    this.#send('binance/trade', frame, isBinary)
  }

  /** One event on each of the other channels that are subscribed; how to know their records. */
  sendOnOthers(): readonly { readonly field: string; readonly text: string }[] {
    const n = ++this.#lastEvent
    const ms = startMs + n
    const delta = { e: 'depthUpdate', E: ms, s: 'BTCUSDT', U: n, u: n, b: [['1.0', `${n}.0`]], a: [] }
    this.#send('binance/orderbook', JSON.stringify({ stream: 'btcusdt@depth@100ms', data: delta }))
    this.#send(
      'upbit/trade',
      `{"type":"trade","code":"KRW-BTC","timestamp":${ms},"trade_timestamp":${ms},"trade_price":1.0,"trade_volume":2.0,"ask_bid":"BID","sequential_id":${n},"stream_type":"REALTIME"}`
    )
    this.#send(
      'upbit/orderbook',
      `{"type":"orderbook","code":"KRW-BTC","timestamp":${ms},"orderbook_units":[{"ask_price":2.0,"bid_price":1.0,"ask_size":1.0,"bid_size":${n}.0}],"stream_type":"REALTIME"}`
    )
    return [
      { field: 'sequence_last', text: String(n) },
      { field: 'trade_id', text: String(n) },
      { field: 'exchange_ts', text: `${ms}000` }
    ]
  }

  /** From now on Binance refuses every handshake. */
  refuseBinance(status: number): void {
    this.#refusal.status = status
  }

  cutTrades(): void {
    this.#sockets.get('binance/trade')?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#binance.close(), this.#upbit.close()])
  }

  #send(channel: string, frame: string | Buffer, isBinary = false): void {
    this.#sockets.get(channel)?.send(frame, { binary: isBinary })
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (!isSo()) return
        this.#wakes.delete(look)
        resolve()
      }
      this.#wakes.add(look)
      look()
    })
  }
}

const binanceChannels: Readonly<Record<string, Channel>> = {
  trade: 'trade',
  ticker: 'ticker',
  depth: 'orderbook'
}

const binanceListing = JSON.stringify({
  symbols: ['BTC', 'ETH', 'XRP'].map(base => ({
    symbol: `${base}USDT`,
    status: 'TRADING',
    baseAsset: base,
    quoteAsset: 'USDT'
  }))
})
