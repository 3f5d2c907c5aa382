import { parentPort, workerData } from 'node:worker_threads'
import { asIngestError, toWire } from '../../src/core/errors.ts'
import { type LogOrder, type LogPlan, type LogReport } from './messages.ts'
import { LogSession } from './session.ts'

const statsEveryMs = 1000

if (parentPort === null) throw new RangeError('actors/log/thread.ts runs as a worker thread only')
const main = parentPort
const session = new LogSession(workerData as LogPlan, fail)

function report(message: LogReport): void {
  main.postMessage(message)
}

function fail(error: unknown): void {
  report({ type: 'fault', error: toWire(asIngestError(error)) })
}

const stats = setInterval(() => report({ type: 'stats', stats: session.stats() }), statsEveryMs)

async function close(deadlineMs: number): Promise<void> {
  clearInterval(stats)
  await session.close(deadlineMs)
  report({ type: 'closed', stats: session.stats() })
}

main.on('message', (order: LogOrder) => {
  switch (order.type) {
    case 'producer':
      session.addProducer(order.port)
      break
    case 'tail':
      session.addTail(order.query, order.port)
      break
    case 'close':
      close(order.deadlineMs).catch(fail)
      break
  }
})

session
  .open()
  .then(() => report({ type: 'ready' }))
  .catch(fail)
