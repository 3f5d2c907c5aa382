import { type MessagePort } from 'node:worker_threads'
import { type FromProducer } from '../../src/wire/session-messages.ts'
import { type ProducerConnection } from './connection.ts'

/** Credits of settled batches on their way back to the connection threads: one message for a thread and tick. */
export class CreditReturns {
  readonly #touched = new Set<ProducerConnection>()

  settled(connection: ProducerConnection, bytes: number): void {
    connection.settledBytes += bytes
    this.#touched.add(connection)
  }

  /** Tells the connection threads which bytes are settled since the last time. */
  flush(): void {
    if (this.#touched.size === 0) return
    const byPort = new Map<MessagePort, { connection: number; bytes: number; frameSeq: number }[]>()
    for (const connection of this.#touched) {
      const entries = byPort.get(connection.port) ?? []
      byPort.set(connection.port, entries)
      entries.push({
        connection: connection.context.connection,
        bytes: connection.settledBytes,
        frameSeq: connection.settledFrameSeq
      })
      connection.settledBytes = 0
    }
    this.#touched.clear()
    for (const [port, entries] of byPort)
      port.postMessage({ type: 'settled', entries } satisfies FromProducer)
  }
}
