import { type RawData, type WebSocket } from 'ws'
import { type RestReply, VenueServer, type VenueServerOptions } from './venue-server.ts'

const listed = ['BTC', 'ETH', 'XRP']
const baseTs = 1_790_000_000_000

/** What a test changes of a venue that is otherwise in order. */
export interface BinanceScript {
  /** Sent to a socket after the frames of its channel; `channel` is `ticker`, `trade` or `depth@100ms`. */
  more?(channel: string, native: string): readonly (string | Uint8Array)[]
  /** In place of the trades 1, 2 and 3. */
  readonly tradeIds?: readonly number[]
  /** Changes a frame before it is sent. */
  change?(frame: string, channel: string): string
  /** Best bid and ask of the REST snapshot. */
  readonly snapshot?: { readonly bid: string; readonly ask: string } | 'unavailable'
  /** Answers a subscription with an error. */
  rejects?(channel: string): boolean
  /** Closes each socket of this channel with a code of its own after its frames. */
  readonly closes?: { readonly channel: string; readonly code: number; readonly reason: string }
  readonly refuse?: VenueServerOptions['refuse']
}

/** A Binance on loopback that lists three coins against USDT and sends each subscription a few frames of today. */
export function startScriptedBinance(script: BinanceScript = {}): Promise<VenueServer> {
  return VenueServer.start({
    accepted: socket => socket.on('message', data => answer(socket, data, script)),
    rest: path => restReply(path, script.snapshot ?? { bid: '63998.0', ask: '64001.0' }),
    ...(script.refuse === undefined ? {} : { refuse: script.refuse })
  })
}

function answer(socket: WebSocket, data: RawData, script: BinanceScript): void {
  const { id, params } = JSON.parse((data as Buffer).toString('utf8')) as {
    readonly id: number
    readonly params: readonly string[]
  }
  const channelOf = (stream: string): string => stream.slice(stream.indexOf('@') + 1)
  if (script.rejects?.(channelOf(params[0] ?? '')) === true) {
    socket.send(JSON.stringify({ error: { code: 2, msg: 'Invalid request: invalid stream' }, id }))
    return
  }
  socket.send(JSON.stringify({ result: null, id }))
  for (const stream of params) {
    const channel = channelOf(stream)
    const native = stream.slice(0, stream.indexOf('@')).toUpperCase()
    for (const event of eventsOf(channel, native, script.tradeIds ?? [1, 2, 3])) {
      const frame = `{"stream":"${stream}","data":${event}}`
      socket.send(script.change?.(frame, channel) ?? frame)
    }
    for (const frame of script.more?.(channel, native) ?? []) socket.send(frame)
    if (script.closes?.channel === channel) socket.close(script.closes.code, script.closes.reason)
  }
}

function eventsOf(channel: string, native: string, tradeIds: readonly number[]): string[] {
  const ts = Date.now()
  if (channel === 'trade') {
    return tradeIds.map(
      id =>
        `{"e":"trade","E":${ts},"s":"${native}","t":${id},"p":"64000.10","q":"0.025","T":${ts},"m":true,"M":true}`
    )
  }
  if (channel === 'ticker') {
    return [
      `{"e":"24hrTicker","E":${ts},"s":"${native}","p":"-12.5","P":"-0.020","w":"64011.2","x":"64012.6","c":"64000.1",` +
        '"Q":"0.025","b":"64000.0","B":"1.5","a":"64000.1","A":"0.7","o":"64012.6","h":"65100.0","l":"63020.4",' +
        `"v":"1200.4","q":"76825600.1","O":${baseTs},"C":${ts},"F":1,"L":3,"n":3}`
    ]
  }
  return [101, 102, 103].map(
    id =>
      `{"e":"depthUpdate","E":${ts},"s":"${native}","U":${id},"u":${id},"b":[["63999.0","0.${id}"]],"a":[]}`
  )
}

function restReply(path: string, snapshot: NonNullable<BinanceScript['snapshot']>): RestReply {
  if (path.startsWith('/api/v3/depth')) {
    if (snapshot === 'unavailable') return { status: 503, body: '' }
    const { bid, ask } = snapshot
    return { status: 200, body: `{"lastUpdateId":100,"bids":[["${bid}","1.0"]],"asks":[["${ask}","2.0"]]}` }
  }
  const symbols = listed.map(baseAsset => ({
    symbol: `${baseAsset}USDT`,
    status: 'TRADING',
    baseAsset,
    quoteAsset: 'USDT'
  }))
  return { status: 200, body: JSON.stringify({ symbols }) }
}
