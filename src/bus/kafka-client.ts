import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import { type Logger } from '../core/logger.ts'

/** How a Kafka cluster is reached; the same for producers, consumers and the admin client. */
export interface KafkaAccess {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: boolean
  /** `mechanism` is plain, scram-sha-256 or scram-sha-512. */
  readonly sasl: {
    readonly mechanism: string
    readonly username: string
    readonly password: string
  } | null
}

/**
 * The client logs every failed attempt at error level, many lines for one lost broker. Whoever uses it reports an outage
 * once and in its own words, so these lines are for those who debug.
 */
function logThrough(logger: Logger): NonNullable<KafkaConfig['logCreator']> {
  return () => entry => {
    const { namespace, log } = entry
    const { broker, clientId, error, retryCount } = log as Readonly<Record<string, unknown>>
    logger.debug({ kafkajs: namespace, broker, clientId, error, retryCount }, log.message)
  }
}

export function createKafkaClient(access: KafkaAccess, logger: Logger): Kafka {
  return new Kafka({
    brokers: [...access.brokers],
    clientId: access.clientId,
    ssl: access.tls,
    ...(access.sasl === null ? {} : { sasl: access.sasl as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 10_000,
    // Each user of the client retries with its own patience: one quick second try is all it does by itself.
    retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logger.isLevelEnabled('debug') ? logLevel.WARN : logLevel.NOTHING,
    logCreator: logThrough(logger)
  })
}
