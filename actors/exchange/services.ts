import { type Clock } from '../../src/core/clock.ts'
import { type RequestType, type Target } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { type FrameAccount } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { type ThreadCapture } from './capture.ts'
import { type FaultReporter } from './fault-reporter.ts'
import { type Gate } from './gate.ts'
import { type Lane } from './lane.ts'
import { type Link } from './link.ts'
import { type ExchangeLimits, type ExchangeReport } from './messages.ts'
import { type Dial } from './socket.ts'

/** What never changes about a shard, and what outlives its connections. */
export interface ShardPlan {
  readonly target: Target
  readonly targetIndex: number
  /** Index of its account in the ledger, and its number within the target. */
  readonly shard: number
  readonly ordinal: number
  readonly projection: readonly string[]
  readonly account: FrameAccount
  /** Of the latest connections that ended, for what is still on its way to the producer. */
  readonly lastLanes: Lane[]
  /** The batcher's epoch whose producer knows where this shard's data broke off. */
  producerEpoch: number
}

/** What a shard and its sessions need of the exchange they belong to. */
export interface ExchangeServices {
  readonly pod: string
  readonly adapter: ExchangeAdapter
  readonly limits: ExchangeLimits
  readonly clock: Clock
  readonly random: () => number
  readonly dial: Dial
  readonly batcher: Batcher
  readonly gate: Gate
  readonly faults: FaultReporter
  /** Null when nothing is captured. */
  readonly capture: ThreadCapture | null
  report(report: ExchangeReport): void
  nextKey(): number
  nextConnection(): number
  urlOf(requestType: RequestType): string
  linkStarted(link: Link): void
  linkEnded(link: Link): void
}
