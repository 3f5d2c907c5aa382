import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock } from '../../src/core/clock.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'
import { ExchangeHost } from './host.ts'
import { type ExchangeOrder, type ExchangeReport, type ExchangeThreadPlan } from './messages.ts'
import { fetchRest } from './rest.ts'
import { dialWebSocket } from './socket.ts'

if (parentPort === null) throw new RangeError('actors/exchange/thread.ts runs as a worker thread only')
const main = parentPort

function report(message: ExchangeReport): void {
  main.postMessage(message)
}

const host = new ExchangeHost(
  workerData as ExchangeThreadPlan,
  {
    clock: new SystemClock(),
    random: () => Math.random(),
    dial: dialWebSocket,
    rest: fetchRest,
    adapterOf
  },
  report
)

main.on('message', (order: ExchangeOrder) => host.receive(order))
report({ type: 'ready' })
