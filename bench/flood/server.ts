import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, type Socket } from 'node:net'
import { type Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import {
  type Channel,
  type Counters,
  type FloodSymbols,
  type FrameBlock,
  floodSymbols,
  framesPerBlock,
  newCounters,
  renderBlock
} from './frames.ts'
import { type FloodOrder, type FloodReport } from './messages.ts'

// A process that floods: it speaks just enough of Upbit and Binance to be subscribed, then sends frames rendered
// beforehand, at a rate or as fast as the reader takes them. Its parent asks for its CPU time.
const blocksPerStream = 4
/** No connection gets further ahead of the slowest, so that every reader meets the same mix of frames at any speed. */
const leadBlocksMax = 2
const tickMs = 5
/** Its first argument may name other symbols. */
const symbols = JSON.parse(process.argv[2] ?? JSON.stringify(floodSymbols)) as FloodSymbols
/** By channel and symbol: a connection that comes again goes on where the last one ended. */
const counters = new Map<string, Counters>()
const streams = new Set<Stream>()
let eventsPerS: number | null = null

function countersOf(channel: Channel, native: string): Counters {
  const key = `${channel}/${native}`
  const known = counters.get(key) ?? newCounters()
  counters.set(key, known)
  return known
}

/**
 * Where the book of a symbol stood when its stream began: a snapshot from there covers none of the updates that wait in
 * the sockets' buffers, so that every one of them becomes a record. Whoever asks again gets the newest.
 */
const snapshots = new Map<string, number>()

function snapshotUpdateId(native: string): number {
  const first = snapshots.get(native)
  snapshots.delete(native)
  return first ?? countersOf('binance/orderbook', native).updateId
}

/** The flood of one connection. */
class Stream {
  readonly #socket: Duplex
  readonly #blocks: FrameBlock[]
  #block = 0
  #frame = 0
  #inFlight = 0
  #owed = 0
  readonly symbols: number
  /** Blocks written whole; a newcomer starts level with the others. */
  passes = slowestPass()

  constructor(socket: Duplex, channel: Channel, natives: readonly string[]) {
    this.#socket = socket
    this.symbols = natives.length
    const own = new Map(natives.map(native => [native, countersOf(channel, native)]))
    this.#blocks = Array.from({ length: blocksPerStream }, (_, block) =>
      renderBlock(channel, natives, own, block * framesPerBlock)
    )
  }

  /** Writes whole blocks while the reader takes them and the other connections keep up. */
  flood(slowest: number): void {
    while (this.#mayWrite && this.passes - slowest < leadBlocksMax) this.#write(Number.POSITIVE_INFINITY)
  }

  /** Writes what the rate owes for one tick. */
  tick(events: number): void {
    this.#owed = Math.min(this.#owed + events, 10_000)
    while (this.#owed >= 1 && this.#mayWrite) this.#owed -= this.#write(Math.floor(this.#owed))
  }

  get #mayWrite(): boolean {
    return this.#inFlight < blocksPerStream - 1 && this.#socket.writable
  }

  #write(framesMax: number): number {
    const block = this.#blocks[this.#block]!
    if (this.#frame === 0) block.renew()
    const from = this.#frame === 0 ? 0 : block.ends[this.#frame - 1]!
    const last = Math.min(this.#frame + framesMax, block.ends.length)
    const frames = last - this.#frame
    const isWhole = last === block.ends.length
    this.#frame = isWhole ? 0 : last
    if (isWhole) {
      this.#block = (this.#block + 1) % blocksPerStream
      this.#inFlight++
      this.passes++
    }
    this.#socket.write(block.bytes.subarray(from, block.ends[last - 1]), () => {
      if (!isWhole) return
      this.#inFlight--
      floodAll()
    })
    return frames
  }
}

function slowestPass(): number {
  let slowest = Number.POSITIVE_INFINITY
  for (const stream of streams) slowest = Math.min(slowest, stream.passes)
  return streams.size === 0 ? 0 : slowest
}

function floodAll(): void {
  if (eventsPerS !== null) return
  // Again as long as the slowest moved on: its step may have been what the others waited for.
  for (let slowest = -1; slowest !== slowestPass(); ) {
    slowest = slowestPass()
    for (const stream of streams) stream.flood(slowest)
  }
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  response.setHeader('content-type', 'application/json')
  if (url.pathname === '/api/v3/depth') {
    const lastUpdateId = snapshotUpdateId(url.searchParams.get('symbol') ?? '')
    response.end(JSON.stringify({ lastUpdateId, bids: [], asks: [] }))
  } else if (url.pathname === '/api/v3/exchangeInfo') {
    const list = symbols.binance.map(symbol => ({
      symbol,
      status: 'TRADING',
      baseAsset: symbol.slice(0, -4),
      quoteAsset: 'USDT'
    }))
    response.end(JSON.stringify({ symbols: list }))
  } else if (url.pathname === '/v1/market/all') {
    response.end(JSON.stringify(symbols.upbit.map(market => ({ market }))))
  } else {
    response.statusCode = 404
    response.end('{}')
  }
})

const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false })
server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
  socket.setNoDelay(true)
  wss.handleUpgrade(request, socket, head, ws => {
    ws.on('message', data => {
      const message = JSON.parse((data as Buffer).toString()) as unknown
      const stream = Array.isArray(message) ? upbitStream(socket, message) : binanceStream(socket, message)
      if (!Array.isArray(message)) {
        ws.send(JSON.stringify({ result: null, id: (message as { id: number }).id }))
      }
      if (stream === null) return
      streams.add(stream)
      socket.once('close', () => {
        streams.delete(stream)
        floodAll()
      })
      floodAll()
    })
  })
})

function binanceStream(socket: Duplex, message: unknown): Stream | null {
  const { method, params } = message as { method: string; params: string[] }
  if (method !== 'SUBSCRIBE') return null
  const natives = params.map(name => name.split('@')[0]!.toUpperCase())
  const suffix = params[0]!.slice(params[0]!.indexOf('@') + 1)
  const channel = suffix.startsWith('depth') ? 'orderbook' : suffix === 'trade' ? 'trade' : 'ticker'
  if (channel === 'orderbook') {
    for (const native of natives) snapshots.set(native, countersOf('binance/orderbook', native).updateId)
  }
  return new Stream(socket, `binance/${channel}`, natives)
}

function upbitStream(socket: Duplex, message: readonly unknown[]): Stream | null {
  const part = message.find(each => typeof (each as { type?: string }).type === 'string')
  if (part === undefined) return null
  const { type, codes } = part as { type: 'ticker' | 'trade' | 'orderbook'; codes: string[] }
  return new Stream(socket, `upbit/${type}`, codes)
}

let tickedMs = performance.now()
setInterval(() => {
  // What a busy machine kept us from sending is made up for only a little: a burst is not the rate that was asked for.
  const nowMs = performance.now()
  const elapsedMs = Math.min(nowMs - tickedMs, 10 * tickMs)
  tickedMs = nowMs
  if (eventsPerS === null || streams.size === 0) return
  const each = (eventsPerS * elapsedMs) / 1000 / streams.size
  for (const stream of streams) stream.tick(each)
}, tickMs)

process.on('message', (order: FloodOrder) => {
  switch (order.type) {
    case 'usage': {
      const { user, system } = process.cpuUsage()
      let subscribed = 0
      for (const stream of streams) subscribed += stream.symbols
      process.send?.({ type: 'usage', cpuMicros: user + system, subscribed } satisfies FloodReport)
      break
    }
    case 'rate':
      eventsPerS = order.eventsPerS
      floodAll()
      break
  }
})
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  process.send?.({ type: 'listening', port: (server.address() as AddressInfo).port } satisfies FloodReport)
})
