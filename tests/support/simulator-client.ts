import { once } from 'node:events'
import { WebSocket } from 'ws'
import {
  type BookFacts,
  type LevelFacts,
  type TickerFacts,
  type TradeFacts
} from '../../src/simulator/fingerprint.ts'

/** A plain client of a simulated venue: keeps what it received and lets a test wait for a frame. */
export class SimulatorClient {
  readonly frames: string[] = []
  readonly isBinary: boolean[] = []
  pings = 0
  readonly webSocket: WebSocket
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #waiting: (() => void)[] = []
  #looked = 0

  private constructor(webSocket: WebSocket, textOf: (payload: Buffer) => string) {
    this.webSocket = webSocket
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('ping', () => this.pings++)
    webSocket.on('message', (data, isBinary) => {
      this.frames.push(textOf(data as Buffer))
      this.isBinary.push(isBinary)
      this.#wake()
    })
    this.closed = new Promise(resolve => {
      webSocket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() })
        this.#wake()
      })
    })
  }

  /** @param options `textOf` where frames are not plain text: a venue that compresses them */
  static async open(
    url: string,
    options: { readonly autoPong?: boolean; readonly textOf?: (payload: Buffer) => string } = {}
  ): Promise<SimulatorClient> {
    const { autoPong = true, textOf = payload => payload.toString('utf8') } = options
    const client = new SimulatorClient(new WebSocket(url, { autoPong }), textOf)
    await once(client.webSocket, 'open')
    return client
  }

  /** HTTP status with which a handshake is refused, 101 when it is not. */
  static handshakeStatus(url: string): Promise<number> {
    return new Promise(resolve => {
      const webSocket = new WebSocket(url)
      webSocket.on('error', () => undefined)
      webSocket.on('unexpected-response', (request, response) => {
        request.destroy()
        resolve(response.statusCode ?? 0)
      })
      webSocket.on('open', () => {
        webSocket.terminate()
        resolve(101)
      })
    })
  }

  send(message: unknown): void {
    this.webSocket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** The next frame, from where the last look ended, that holds `text`; fails when the connection ends before. */
  async next(text: string): Promise<string> {
    for (;;) {
      while (this.#looked < this.frames.length) {
        const frame = this.frames[this.#looked++]!
        if (frame.includes(text)) return frame
      }
      if (this.webSocket.readyState === WebSocket.CLOSED)
        throw new TypeError(`closed before a frame with ${text}`)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  /** What has arrived so far is not looked at any more. */
  skip(): void {
    this.#looked = this.frames.length
  }

  /** Waits for `count` frames with `text` from now on. */
  async take(count: number, text: string): Promise<string[]> {
    const taken: string[] = []
    while (taken.length < count) taken.push(await this.next(text))
    return taken
  }

  close(): void {
    this.webSocket.terminate()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Parses a frame with every number as text, so that no digit is lost. */
export function parseExactly(frame: string): Fields {
  const quoted = frame.replace(/([:[,])(-?\d[\d.]*(?:E-?\d+)?)(?=[,}\]])/g, '$1"$2"')
  return JSON.parse(quoted) as Fields
}

/** `1.16539E8` → `116539000`, by moving the point on the text. */
export function expand(text: string): string {
  const match = /^(\d)\.(\d+)E(-?\d+)$/.exec(text)
  if (match === null) return text
  const digits = `${match[1]}${match[2]}`
  const point = 1 + Number(match[3])
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return digits + '0'.repeat(point - digits.length)
  return `${digits.slice(0, point)}.${digits.slice(point)}`
}

const micros = (ms: unknown): string => `${ms as string}000`

/** The records a reader should make of an Upbit frame in the DEFAULT format. */
export function upbitTrade(frame: string): TradeFacts {
  const f = parseExactly(frame) as Record<string, string>
  return {
    exchange_ts: micros(f['trade_timestamp']),
    trade_id: f['sequential_id']!,
    price: expand(f['trade_price']!),
    size: f['trade_volume']!,
    side: f['ask_bid'] === 'BID' ? 'BUY' : 'SELL',
    sequence: null
  }
}

export function upbitTicker(frame: string): TickerFacts {
  const f = parseExactly(frame) as Record<string, string>
  const number = (name: string): string => {
    const text = f[name]!
    return text.startsWith('-') ? `-${expand(text.slice(1))}` : expand(text)
  }
  return {
    exchange_ts: micros(f['timestamp']),
    last: number('trade_price'),
    open: number('opening_price'),
    high: number('high_price'),
    low: number('low_price'),
    prev_close: number('prev_closing_price'),
    bid: null,
    bid_size: null,
    ask: null,
    ask_size: null,
    base_volume: number('acc_trade_volume_24h'),
    quote_volume: number('acc_trade_price_24h'),
    change: number('signed_change_price'),
    change_rate: number('signed_change_rate'),
    price_window: 'UTC_DAY',
    volume_window: 'ROLLING_24H'
  }
}

export function upbitBook(frame: string): BookFacts {
  const f = parseExactly(frame)
  const units = f['orderbook_units'] as Record<string, string>[]
  const side = (name: 'bid' | 'ask'): LevelFacts[] =>
    units.map(unit => ({ price: expand(unit[`${name}_price`]!), size: unit[`${name}_size`]! }))
  return {
    exchange_ts: micros(f['timestamp']),
    kind: 'SNAPSHOT',
    sequence_first: null,
    sequence_last: null,
    sequence_previous: null,
    bids: side('bid'),
    asks: side('ask')
  }
}

function binanceData(frame: string): Record<string, string> {
  return parseExactly(frame)['data'] as Record<string, string>
}

export function binanceTrade(frame: string): TradeFacts {
  const f = binanceData(frame)
  return {
    exchange_ts: micros(f['T']),
    trade_id: f['t']!,
    price: f['p']!,
    size: f['q']!,
    side: (f['m'] as unknown) === true ? 'SELL' : 'BUY',
    sequence: null
  }
}

export function binanceTicker(frame: string): TickerFacts {
  const f = binanceData(frame)
  const percent = /^(-?)(\d)\.(\d{3})$/.exec(f['P']!)!
  return {
    exchange_ts: micros(f['E']),
    last: f['c']!,
    open: f['o']!,
    high: f['h']!,
    low: f['l']!,
    prev_close: f['x']!,
    bid: f['b']!,
    bid_size: f['B']!,
    ask: f['a']!,
    ask_size: f['A']!,
    base_volume: f['v']!,
    quote_volume: f['q']!,
    change: f['p']!,
    change_rate: `${percent[1]}0.0${percent[2]}${percent[3]}`,
    price_window: 'ROLLING_24H',
    volume_window: 'ROLLING_24H'
  }
}

export function binanceDelta(frame: string): BookFacts {
  const f = binanceData(frame) as unknown as { E: string; U: string; u: string; b: string[][]; a: string[][] }
  return {
    exchange_ts: micros(f.E),
    kind: 'DELTA',
    sequence_first: f.U,
    sequence_last: f.u,
    sequence_previous: null,
    bids: f.b.map(([price, size]) => ({ price: price!, size: size! })),
    asks: f.a.map(([price, size]) => ({ price: price!, size: size! }))
  }
}

export function upbitRequest(type: string, codes: readonly string[], format = 'DEFAULT'): unknown[] {
  return [{ ticket: 'test' }, { type, codes }, { format }]
}
