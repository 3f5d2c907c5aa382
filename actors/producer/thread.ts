import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock } from '../../src/core/clock.ts'
import { asIngestError, toWire } from '../../src/core/errors.ts'
import { createLogger } from '../../src/core/logger.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'
import { SharedLedger } from '../../src/wire/shared-ledger.ts'
import { CodecPool } from '../codec/pool.ts'
import { Codec } from './codec.ts'
import { type ProducerOrder, type ProducerPlan, type ProducerReport, type ProducerStats } from './messages.ts'
import { OffloadGauge } from './offload-gauge.ts'
import { ProducerSession } from './session.ts'
import { createSink } from './sinks/create-sink.ts'
import { type SinkListener } from './sinks/record-sink.ts'

const statsEveryMs = 1000
const creditsEveryMs = 20
const performanceEveryMs = 10_000

if (parentPort === null) throw new RangeError('actors/producer/thread.ts runs as a worker thread only')
const main = parentPort
const plan = workerData as ProducerPlan
const clock = new SystemClock()
const logger = createLogger(plan.logLevel, 'producer')

function stats(): ProducerStats {
  return session.stats(clock.jumps)
}

function report(message: ProducerReport): void {
  main.postMessage(message)
}

const listener: SinkListener = {
  settled: (owners, receivedMicros, count, outcome) =>
    session.settled(owners, receivedMicros, count, outcome),
  undelivered: (route, firstMicros, lastMicros, count, reason) =>
    session.undelivered(route, firstMicros, lastMicros, count, reason),
  refused: (route, value, receivedMicros, reason) => session.refused(route, value, receivedMicros, reason),
  availability: (isUp, message) => {
    session.sinkIsUp = isUp
    session.sinkMessage = message
    if (isUp) logger.info({ code: 'SINK_UNAVAILABLE' }, message)
    else logger.warn({ code: 'SINK_UNAVAILABLE' }, message)
    report({ type: 'stats', stats: stats() })
  }
}

const gauge = plan.offload === 'always' ? null : new OffloadGauge()
const sink = createSink(plan, listener, logger)
const session = new ProducerSession({
  plan,
  clock,
  logger,
  ledger: new SharedLedger(plan.ledger.shards, plan.ledger.targets, plan.ledger.memory),
  codec: new Codec(
    plan.encoding,
    plan.schemaIds,
    plan.codecs > 0 ? new CodecPool(plan.codecs, plan.exchanges) : null,
    gauge,
    plan.exchanges
  ),
  sink,
  adapterOf: target => adapterOf(target.exchange),
  onGapOpened: gap => report({ type: 'gapOpened', gap }),
  onGapClosed: gapId => report({ type: 'gapClosed', gapId })
})

const looks = setInterval(() => {
  gauge?.look()
  if (plan.looksForSilence) session.checkFreshness()
  session.checkPressure()
  report({ type: 'stats', stats: stats() })
}, statsEveryMs)
const ticks = setInterval(() => session.tick(), creditsEveryMs)
const performances = setInterval(() => session.reportBatches(), performanceEveryMs)

async function drain(threads: number, deadlineMs: number): Promise<void> {
  await session.drain(threads, deadlineMs)
  for (const timer of [looks, ticks, performances]) clearInterval(timer)
  await sink.close()
  report({ type: 'drained', stats: stats() })
}

function fail(error: unknown): void {
  report({ type: 'fault', error: toWire(asIngestError(error)) })
}

main.on('message', (order: ProducerOrder) => {
  switch (order.type) {
    case 'port':
      session.attach(order.thread, order.port)
      break
    case 'error':
      session.publishError(order.event)
      break
    case 'drain':
      drain(order.threads, order.deadlineMs).catch(fail)
      break
  }
})

sink
  .open()
  .then(() => {
    session.restoreGaps()
    report({ type: 'ready' })
  })
  .catch(fail)
