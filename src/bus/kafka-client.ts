import { type ConnectionOptions } from 'node:tls'
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import { type Logger } from '../core/logger.ts'
import { registerReadingCodecs } from './kafka-codecs.ts'
import { readPemFile } from './pem-file.ts'

/** How a Kafka cluster is reached; the same for producers, consumers and the admin client. */
export interface KafkaAccess {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: boolean
  /** PEM files: whom to trust beside the system's roots, and who we are; null where not needed. */
  readonly caFile: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
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

/**
 * What TLS needs, or false without it.
 * @throws IngestError FILE_UNREADABLE
 */
export function tlsOf({ tls, caFile, certFile, keyFile }: KafkaAccess): ConnectionOptions | boolean {
  if (!tls) return false
  return {
    ...(caFile === null ? {} : { ca: readPemFile(caFile, 'kafka.caFile') }),
    ...(certFile === null ? {} : { cert: readPemFile(certFile, 'kafka.certFile') }),
    ...(keyFile === null ? {} : { key: readPemFile(keyFile, 'kafka.keyFile') })
  }
}

export function createKafkaClient(access: KafkaAccess, logger: Logger): Kafka {
  registerReadingCodecs()
  return new Kafka({
    brokers: [...access.brokers],
    clientId: access.clientId,
    ssl: tlsOf(access),
    // A copy, since kafkajs keeps its authenticator in it, and the configuration is frozen.
    ...(access.sasl === null ? {} : { sasl: { ...access.sasl } as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 10_000,
    // Each user of the client retries with its own patience: one quick second try is all it does by itself.
    retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logger.isLevelEnabled('debug') ? logLevel.WARN : logLevel.NOTHING,
    logCreator: logThrough(logger)
  })
}
