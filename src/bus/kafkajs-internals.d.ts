/**
 * What cluster-client.ts uses of kafkajs 2.2.4 beyond its public interface. Only that file imports these modules, and it
 * refuses any other version.
 */
declare module 'kafkajs/src/network/connection.js' {
  import { type Socket } from 'node:net'

  class Connection {
    readonly socket?: Socket
    connectionStatus: 'connected' | 'disconnecting' | 'disconnected'
    readonly requestQueue: {
      readonly pending: readonly unknown[]
      scheduleCheckPendingRequests(): void
      scheduleRequestTimeoutCheck(): void
      destroy(): void
    }
    isAuthenticated(): boolean
    authenticate(): Promise<void>
    processData(data: Buffer): void
  }
  export = Connection
}

declare module 'kafkajs/src/cluster/connectionPoolBuilder.js' {
  import { type Socket } from 'node:net'
  import { type ConnectionOptions } from 'node:tls'
  import type Connection from 'kafkajs/src/network/connection.js'

  namespace connectionPoolBuilder {
    interface Logger {
      namespace(name: string): Logger
      error(message: string, extra?: object): void
      warn(message: string, extra?: object): void
      info(message: string, extra?: object): void
      debug(message: string, extra?: object): void
    }
    interface ProtocolCall {
      readonly request: unknown
      readonly response: {
        decode(payload: Buffer): Promise<unknown>
        parse(decoded: unknown): Promise<unknown>
      }
    }
    interface ConnectionPool {
      readonly pool: readonly Connection[]
      getConnection(index?: number): Promise<Connection>
      send(call: ProtocolCall): Promise<unknown>
    }
    interface Options {
      readonly brokers: readonly string[]
      readonly clientId: string
      readonly ssl: ConnectionOptions | boolean
      readonly sasl: object | null
      readonly connectionTimeout: number
      readonly requestTimeout: number
      readonly enforceRequestTimeout: boolean
      readonly logger: Logger
      readonly socketFactory: (options: {
        readonly host: string
        readonly port: number
        readonly ssl: ConnectionOptions | boolean
        readonly onConnect: () => void
      }) => Socket
    }
    interface Builder {
      build(destination: { readonly host: string; readonly port: number }): Promise<ConnectionPool>
    }
  }
  function connectionPoolBuilder(options: connectionPoolBuilder.Options): connectionPoolBuilder.Builder
  export = connectionPoolBuilder
}

declare module 'kafkajs/src/broker/index.js' {
  import {
    type ConnectionPool,
    type Logger,
    type ProtocolCall
  } from 'kafkajs/src/cluster/connectionPoolBuilder.js'

  class Broker {
    readonly versions: Readonly<
      Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>
    > | null
    constructor(options: {
      readonly connectionPool: ConnectionPool
      readonly logger: Logger
      readonly allowAutoTopicCreation: boolean
    })
    isConnected(): boolean
    connect(): Promise<void>
    initProducerId(options: {
      readonly transactionalId: null
      readonly transactionTimeout: number
    }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
    lookupRequest(apiKey: number, versions: unknown): (options: object) => ProtocolCall
  }
  export = Broker
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  const protocol: { readonly requests: { readonly Metadata: unknown } }
  export = protocol
}
