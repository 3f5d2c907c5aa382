import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock } from '../../src/core/clock.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'
import { ReplayHost } from './replay-host.ts'
import { type ReplayOrder, type ReplayReport, type ReplayThreadPlan } from './replay-messages.ts'

if (parentPort === null) throw new RangeError('actors/exchange/replay-thread.ts runs as a worker thread only')
const main = parentPort

function report(message: ReplayReport): void {
  main.postMessage(message)
}

const host = new ReplayHost(workerData as ReplayThreadPlan, { clock: new SystemClock(), adapterOf }, report)

main.on('message', (order: ReplayOrder) => host.receive(order))
report({ type: 'ready' })
