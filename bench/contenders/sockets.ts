import { WebSocket } from 'ws'
import { type RequestType } from '../../src/domain/target.ts'
import { type ContenderPlan } from './messages.ts'

/** Names of Binance's streams behind the symbol. */
const suffixes: Readonly<Record<RequestType, string>> = {
  ticker: '@ticker',
  trade: '@trade',
  orderbook: '@depth@100ms'
}

/**
 * The baselines' sockets: one connection per exchange and channel, as the service opens them. Behind `pendingMax` bytes
 * that the sink has not taken they stop reading until half of it is gone: a program without that would only fill its
 * memory at full speed.
 */
const pendingMax = 8 * 1024 * 1024
const pollMs = 5

export function openSockets(
  plan: ContenderPlan,
  pendingBytes: () => number,
  onFrame: (frame: Buffer) => void
): void {
  const origin = plan.origin.replace('http', 'ws')
  const sockets: WebSocket[] = []
  let isPaused = false
  const resume = (): void => {
    if (pendingBytes() > pendingMax / 2) return void setTimeout(resume, pollMs)
    isPaused = false
    for (const socket of sockets) socket.resume()
  }
  const take = (frame: Buffer): void => {
    onFrame(frame)
    if (isPaused || pendingBytes() <= pendingMax) return
    isPaused = true
    for (const socket of sockets) socket.pause()
    setTimeout(resume, pollMs)
  }
  for (const type of plan.requestTypes) {
    const params = plan.symbols.binance.map(symbol => symbol.toLowerCase() + suffixes[type])
    sockets.push(open(`${origin}/stream`, JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }), take))
    const request = [{ ticket: 'bench' }, { type, codes: plan.symbols.upbit }, { format: 'DEFAULT' }]
    sockets.push(open(`${origin}/websocket/v1`, JSON.stringify(request), take))
  }
}

function open(url: string, subscribe: string, onFrame: (frame: Buffer) => void): WebSocket {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.once('open', () => socket.send(subscribe))
  socket.on('message', data => onFrame(data as Buffer))
  return socket
}
