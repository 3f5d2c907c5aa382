import { type ExchangePlan } from '../../actors/exchange/messages.ts'
import { type Config } from '../config/schema.ts'
import { type Clock } from '../core/clock.ts'
import { type IngestError } from '../core/errors.ts'
import { type Logger, type LogLevel } from '../core/logger.ts'
import { type ExchangeName } from '../domain/target.ts'
import { type SharedLedger } from '../wire/shared-ledger.ts'
import { type Layout } from './layout.ts'
import { type ReplayChildEvents } from './replay-child.ts'
import { type ReplayOptions } from './service.ts'

export interface ThreadsPlan {
  readonly config: Config
  /** What writes to Kafka, when it is configured. */
  readonly sinkKind: 'kafka' | 'kafkajs-send'
  readonly logLevel: LogLevel
  readonly logger: Logger
  readonly clock: Clock
  readonly ledger: SharedLedger
  readonly layout: Layout
  /** Unix socket of the embedded log on which a checker attaches; null opens none. */
  readonly verifySocket: string | null
  /** Folder for the raw frames; null captures nothing. */
  readonly capture: string | null
  /** What is fed in the place of exchanges; null connects to them. */
  readonly replay: ReplayOptions | null
  /** By topic, of every topic that holds Avro. */
  readonly schemaIds: Readonly<Record<string, number>>
  /** Partition counts of the sink's topics, as they are when a producer starts. */
  partitions(): Readonly<Record<string, number>>
  endpointsOf(exchange: ExchangeName): ExchangePlan['endpoints']
}

export interface ThreadsEvents extends ReplayChildEvents {
  /** Something to count and to log, with as many of its kind before it that were held back; the service goes on. */
  fault(error: IngestError, facts: { readonly suppressed?: number; readonly [name: string]: unknown }): void
  /** A producer is ready: the first, or one after another that ended. */
  producerReady(): void
  /** The service cannot go on. */
  failed(error: IngestError): void
}
