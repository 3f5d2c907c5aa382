import { type ListingCacheSettings } from '../../actors/exchange/listing-cache.ts'
import { type ExchangePlan } from '../../actors/exchange/messages.ts'
import { ExchangeRef } from '../../actors/exchange/ref.ts'
import { type CaptureStats } from '../capture/capture-writer.ts'
import { captureLimits } from '../capture/limits.ts'
import { type Config } from '../config/schema.ts'
import { type ErrorEvent } from '../domain/error-event.ts'
import { type ExchangeName } from '../domain/target.ts'
import { type ConnectionNumbers } from '../wire/connection-numbers.ts'
import { type ThreadsEvents, type ThreadsPlan } from './threads-plan.ts'

export interface ConnectionThreadEvents {
  fault: ThreadsEvents['fault']
  /** A fault as it is published. */
  published(event: ErrorEvent): void
  lookedUp(exchange: ExchangeName, connections: number): void
  captured(stats: CaptureStats): void
}

/** Starts a connection thread with the exchanges that are placed on it. */
export function connectionThread(
  plan: ThreadsPlan,
  thread: number,
  numbers: ConnectionNumbers,
  events: ConnectionThreadEvents
): ExchangeRef {
  const { config, logLevel, ledger, layout, logger } = plan
  const { frameBytesMax, inflatedBytesMax, batchBytes, batchLingerMs } = config.limits
  const { creditBytesPerConnection } = layout
  const actor = `conn-${thread}`
  return new ExchangeRef(
    actor,
    {
      pod: config.pod,
      logLevel,
      exchanges: layout.exchanges
        .filter(exchange => exchange.thread === thread)
        .map(
          ({ exchange, targets }): ExchangePlan => ({
            exchange,
            endpoints: plan.endpointsOf(exchange),
            targets
          })
        ),
      ledger: { memory: ledger.memory, shards: ledger.shards, targets: ledger.targets },
      limits: { frameBytesMax, inflatedBytesMax, batchBytes, batchLingerMs, creditBytesPerConnection },
      listings: listingsOf(config),
      capture: plan.capture === null ? null : { folder: plan.capture, thread, limits: captureLimits },
      connectionNumbers: numbers.memory
    },
    {
      lookedUp: ({ exchange, connections }) => events.lookedUp(exchange, connections),
      transition: ({ from, to, connectionId, reason }) =>
        logger.debug({ from, to, connection_id: connectionId, reason }, 'connection'),
      circuit: ({ exchange, state }) => logger.info({ exchange, state }, `circuit ${state}`),
      confirmed: ({ target, symbol }) => logger.debug({ target, symbol }, 'confirmed'),
      fault: (error, { exchange, target, connectionId, suppressed }) => {
        const { code, disposition, message } = error
        const facts = { connection_id: connectionId, suppressed }
        events.fault(error, { exchange, ...facts })
        events.published({ code, disposition, message, actor, target, ...facts, ts: Date.now() })
      },
      captured: stats => events.captured(stats),
      captureStopped: error => events.fault(error, { thread: actor })
    }
  )
}

/** Null where nothing is to be kept. */
function listingsOf({ instruments: { cacheDir, maxAgeMs } }: Config): ListingCacheSettings | null {
  return cacheDir === '' ? null : { folder: cacheDir, maxAgeMs }
}
