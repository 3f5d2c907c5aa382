import { WebSocket } from 'ws'
import { type ContenderPlan } from './messages.ts'

/** The baselines' sockets: one connection per exchange and channel, as the service opens them. */
export function openSockets(plan: ContenderPlan, onFrame: (frame: Buffer) => void): void {
  const origin = plan.origin.replace('http', 'ws')
  const channels = { ticker: '@ticker', trade: '@trade', orderbook: '@depth@100ms' }
  for (const [type, suffix] of Object.entries(channels)) {
    const params = plan.symbols.binance.map(symbol => symbol.toLowerCase() + suffix)
    open(`${origin}/stream`, JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }), onFrame)
    const request = [{ ticket: 'bench' }, { type, codes: plan.symbols.upbit }, { format: 'DEFAULT' }]
    open(`${origin}/websocket/v1`, JSON.stringify(request), onFrame)
  }
}

function open(url: string, subscribe: string, onFrame: (frame: Buffer) => void): void {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.once('open', () => socket.send(subscribe))
  socket.on('message', data => onFrame(data as Buffer))
}
