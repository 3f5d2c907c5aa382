import { type ReplayStats } from '../../actors/exchange/replay-messages.ts'
import { ReplayRef } from '../../actors/exchange/replay-ref.ts'
import { type Config } from '../config/schema.ts'
import { type IngestError } from '../core/errors.ts'
import { type LogLevel } from '../core/logger.ts'
import { type ReplaySummary } from '../domain/summary.ts'
import { type SharedLedger } from '../wire/shared-ledger.ts'
import { type Layout } from './layout.ts'
import { type ReplayOptions } from './service.ts'

export interface ReplayChildEvents {
  fault(error: IngestError, facts: { readonly suppressed?: number; readonly [name: string]: unknown }): void
  remark(sentence: string): void
  replayFinished(): void
  failed(error: IngestError): void
}

/** Remarks that the summary keeps; all of them are told. */
const remarksMax = 20

/** The replay thread in the place of the connection threads, and what it has said so far. */
export class ReplayChild {
  readonly ref: ReplayRef
  readonly #remarks: string[] = []
  #stats: ReplayStats = { connections: 0, frames: 0, missing: 0, firstMicros: 0, lastMicros: 0 }

  constructor(
    plan: {
      readonly config: Config
      readonly logLevel: LogLevel
      readonly ledger: SharedLedger
      readonly layout: Layout
    },
    replay: ReplayOptions,
    events: ReplayChildEvents
  ) {
    const { config, logLevel, ledger, layout } = plan
    const { frameBytesMax, inflatedBytesMax, batchBytes, batchLingerMs, creditBytes } = config.limits
    const { threads, speed, fromMicros, toMicros } = replay
    this.ref = new ReplayRef(
      {
        logLevel,
        threads,
        targets: layout.targets,
        ledger: { memory: ledger.memory, shards: ledger.shards, targets: ledger.targets },
        limits: {
          frameBytesMax,
          inflatedBytesMax,
          batchBytes,
          batchLingerMs,
          creditBytesPerConnection: layout.creditBytesPerConnection
        },
        windowBytes: creditBytes,
        speed,
        fromMicros,
        toMicros
      },
      {
        fault: (error, { exchange, connectionId, suppressed }) =>
          events.fault(error, { exchange, connection_id: connectionId, suppressed }),
        remark: sentence => {
          if (this.#remarks.length < remarksMax) this.#remarks.push(sentence)
          events.remark(sentence)
        },
        progress: stats => {
          this.#stats = stats
        },
        finished: stats => {
          this.#stats = stats
          events.replayFinished()
        },
        failed: error => events.failed(error)
      }
    )
  }

  get summary(): ReplaySummary {
    const { connections, frames, missing, firstMicros, lastMicros } = this.#stats
    return {
      connections,
      frames,
      missing,
      first_ts: firstMicros,
      last_ts: lastMicros,
      remarks: this.#remarks
    }
  }
}
