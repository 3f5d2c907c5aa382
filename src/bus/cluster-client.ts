import { createRequire } from 'node:module'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import Broker from 'kafkajs/src/broker/index.js'
import connectionPoolBuilder, {
  type Builder,
  type ConnectionPool,
  type Logger as PoolLogger,
  type ProtocolCall
} from 'kafkajs/src/cluster/connectionPoolBuilder.js'
import type Connection from 'kafkajs/src/network/connection.js'
import protocol from 'kafkajs/src/protocol/requests/index.js'
import { IngestError } from '../core/errors.ts'
import { type Logger } from '../core/logger.ts'
import { type KafkaAccess, tlsOf } from './kafka-client.ts'
import { ProduceConnection } from './produce-connection.ts'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface PartitionLeader {
  readonly partition: number
  /** Error code of the partition; 0 is none. */
  readonly code: number
  /** Node id, -1 when there is none. */
  readonly leader: number
}

export interface TopicLeaders {
  readonly topic: string
  /** Error code of the topic; 0 is none, and 3 that it does not exist. */
  readonly code: number
  readonly partitions: readonly PartitionLeader[]
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[]
  readonly topics: readonly TopicLeaders[]
}

export interface ProducerId {
  readonly id: bigint
  readonly epoch: number
}

const kafkajsVersion = '2.2.4'
const produceKey = 0
const metadataKey = 3
const connectionTimeoutMs = 5_000
/** For all that kafkajs asks: a broker that hangs must not hold up the search for one that does not. */
const questionTimeoutMs = 5_000
/** From the first version whose batches carry producer ids to the last whose encoding is not the flexible one. */
const produceVersionMin = 3
const produceVersionMax = 8

interface RawMetadata {
  readonly brokers: readonly BrokerAddress[]
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number
      readonly partitionId: number
      readonly leader: number
    }[]
  }[]
}

/**
 * What a producer needs of a cluster: who leads what, producer ids, and one open connection to a broker. Connecting, TLS,
 * SASL and these requests are kafkajs's, through parts that it does not publish; so its version is fixed, and this is the only
 * file that imports them. Every method fails with an error whose message says why, and may be called again; waiting
 * between attempts is the caller's.
 */
export class ClusterClient {
  readonly #builder: Builder
  readonly #logger: PoolLogger
  readonly #hasSasl: boolean
  readonly #bootstrap: readonly { readonly host: string; readonly port: number }[]
  #known: readonly BrokerAddress[] = []
  #control: { readonly broker: Broker; readonly pool: ConnectionPool } | null = null
  #whenControl: Promise<Broker> | null = null
  #nextCandidate = 0
  readonly #pools = new Set<ConnectionPool>()
  #isClosed = false

  /** @throws IngestError FILE_UNREADABLE, or CONFIG_INVALID when another kafkajs is installed than this file was written for */
  constructor(access: KafkaAccess, logger: Logger) {
    assertVersion()
    this.#logger = quietLogger(logger)
    this.#hasSasl = access.sasl !== null
    this.#bootstrap = access.brokers.map(addressOf)
    this.#builder = connectionPoolBuilder({
      brokers: access.brokers,
      clientId: access.clientId,
      ssl: tlsOf(access),
      // A copy, since kafkajs keeps its authenticator in it.
      sasl: access.sasl === null ? null : { ...access.sasl },
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: questionTimeoutMs,
      enforceRequestTimeout: true,
      logger: this.#logger,
      socketFactory: openSocket
    })
  }

  /** The leaders of these topics, with a code for each that has none. At least one topic: none would ask for all there are. */
  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const raw = (await this.#ask(async (broker, pool) => {
      const { request, response } = broker.lookupRequest(
        metadataKey,
        protocol.requests.Metadata
      )({ topics, allowAutoTopicCreation: false })
      // Its parser would throw the first topic's error and drop the answer.
      const call: ProtocolCall = {
        request,
        response: { decode: payload => response.decode(payload), parse: async decoded => decoded }
      }
      return await pool.send(call)
    })) as RawMetadata
    this.#known = raw.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))
    return {
      brokers: this.#known,
      topics: raw.topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => ({
        topic,
        code: topicErrorCode,
        partitions: partitionMetadata.map(({ partitionId, partitionErrorCode, leader }) => ({
          partition: partitionId,
          code: partitionErrorCode,
          leader
        }))
      }))
    }
  }

  /** A producer id that nobody has used. The broker's error code, if any, is the error's `code`. */
  async producerId(): Promise<ProducerId> {
    const answer = await this.#ask(broker =>
      broker.initProducerId({ transactionalId: null, transactionTimeout: 0 })
    )
    return { id: BigInt(answer.producerId), epoch: answer.producerEpoch }
  }

  /** A connection of its own to a broker, authenticated. */
  async connect({ host, port }: BrokerAddress): Promise<ProduceConnection> {
    const { broker, pool } = await this.#open(host, port)
    const connection = pool.pool[0]!
    const { socket } = connection
    const offered = broker.versions?.[produceKey]
    if (socket === undefined || offered === undefined || offered.minVersion > produceVersionMax) {
      this.#destroy(pool)
      throw new IngestError(
        'SINK_UNAVAILABLE',
        `the broker at ${host}:${port} offers no version of Produce that this producer knows`
      )
    }
    // From here on the sender watches its own requests, and an idle connection needs no timers.
    connection.requestQueue.destroy()
    socket.once('close', () => this.#destroy(pool))
    const version = Math.max(produceVersionMin, Math.min(produceVersionMax, offered.maxVersion))
    return new ProduceConnection(this.#handOver(connection, socket), version)
  }

  close(): void {
    this.#isClosed = true
    this.#control = null
    for (const pool of this.#pools) this.#destroy(pool)
  }

  #handOver(connection: Connection, socket: Socket): ConstructorParameters<typeof ProduceConnection>[0] {
    return {
      socket,
      isAuthenticated: () => !this.#hasSasl || connection.isAuthenticated(),
      authenticate: async () => {
        connection.requestQueue.scheduleRequestTimeoutCheck()
        try {
          await connection.authenticate()
        } finally {
          connection.requestQueue.destroy()
        }
      },
      takeFrame: frame => connection.processData(frame)
    }
  }

  /** Asks over the control connection; one that fails at it is given up. */
  async #ask<T>(question: (broker: Broker, pool: ConnectionPool) => Promise<T>): Promise<T> {
    const broker = await this.#controlBroker()
    const { pool } = this.#control!
    try {
      return await question(broker, pool)
    } catch (error) {
      // A broker that answers with an error is well.
      if (typeof protocolCodeOf(error) !== 'number') {
        if (this.#control?.pool === pool) this.#control = null
        this.#destroy(pool)
      }
      throw error
    }
  }

  async #controlBroker(): Promise<Broker> {
    if (this.#control?.broker.isConnected() === true) return this.#control.broker
    this.#whenControl ??= this.#connectControl().finally(() => {
      this.#whenControl = null
    })
    return await this.#whenControl
  }

  async #connectControl(): Promise<Broker> {
    if (this.#control !== null) this.#destroy(this.#control.pool)
    this.#control = null
    const candidates = [...this.#known, ...this.#bootstrap]
    const { host, port } = candidates[this.#nextCandidate++ % candidates.length]!
    const opened = await this.#open(host, port)
    this.#control = opened
    return opened.broker
  }

  async #open(host: string, port: number): Promise<{ broker: Broker; pool: ConnectionPool }> {
    const pool = await this.#builder.build({ host, port })
    if (this.#isClosed) throw new IngestError('SINK_UNAVAILABLE', 'the client is closed')
    this.#pools.add(pool)
    for (const { requestQueue } of pool.pool) mendPolling(requestQueue)
    const broker = new Broker({ connectionPool: pool, logger: this.#logger, allowAutoTopicCreation: false })
    try {
      await broker.connect()
      return { broker, pool }
    } catch (error) {
      this.#destroy(pool)
      throw error
    }
  }

  /** kafkajs's own disconnect waits for what is on its way. */
  #destroy(pool: ConnectionPool): void {
    this.#pools.delete(pool)
    for (const connection of pool.pool) {
      connection.requestQueue.destroy()
      const { socket } = connection
      if (socket === undefined || socket.destroyed) continue
      // The error ends what kafkajs awaits on this socket.
      socket.destroy(new IngestError('SINK_UNAVAILABLE', 'the connection was given up'))
    }
  }
}

/** The protocol's error number in an error of kafkajs, which wraps errors in errors; null when no broker said it. */
export function protocolCodeOf(error: unknown): number | null {
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'number') return code
    at = at.cause
  }
  return null
}

function assertVersion(): void {
  const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }
  if (version === kafkajsVersion) return
  throw new IngestError(
    'CONFIG_INVALID',
    `The Kafka producer is built on parts of kafkajs ${kafkajsVersion} that may differ in ${version}, which is installed. ` +
      `Install exactly ${kafkajsVersion}.`
  )
}

/** Requests are small and whole: Nagle's algorithm would only hold them back. */
function openSocket({
  host,
  port,
  ssl,
  onConnect
}: Parameters<connectionPoolBuilder.Options['socketFactory']>[0]): Socket {
  const socket =
    ssl === false
      ? connectTcp({ host, port }, onConnect)
      : connectTls(
          { host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...(ssl === true ? {} : ssl) },
          onConnect
        )
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
  return socket
}

/** After its first answer a request queue would look for waiting requests each millisecond, for ever. */
function mendPolling(queue: Connection['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue)
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule()
  }
}

/** `host:port`, where the host may be an IPv6 address in brackets. */
function addressOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** kafkajs says each failed attempt in several lines; whoever uses the client tells an outage once, in its own words. */
function quietLogger(logger: Logger): PoolLogger {
  const say = (message: string, extra?: object): void => logger.debug({ kafkajs: extra }, message)
  const quiet: PoolLogger = {
    namespace: () => quiet,
    error: say,
    warn: say,
    info: say,
    debug: () => undefined
  }
  return quiet
}
