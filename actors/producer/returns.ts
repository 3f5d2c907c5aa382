import { type MessagePort } from 'node:worker_threads'
import { type FromProducer } from '../../src/wire/session-messages.ts'
import { type ProducerConnection } from './connection.ts'

/** Buffers that wait for their way back to one connection thread; more than it keeps are of no use to it. */
const buffersMax = 32

/** What goes back to the connection threads: the credits of settled batches, and the buffers of decoded ones. */
export class Returns {
  readonly #touched = new Set<ProducerConnection>()
  readonly #buffers = new Map<MessagePort, ArrayBuffer[]>()

  settled(connection: ProducerConnection, bytes: number): void {
    connection.settledBytes += bytes
    this.#touched.add(connection)
  }

  buffer(port: MessagePort, buffer: ArrayBuffer): void {
    const buffers = this.#buffers.get(port)
    if (buffers === undefined) this.#buffers.set(port, [buffer])
    else if (buffers.length < buffersMax) buffers.push(buffer)
  }

  /** The thread behind it is gone. */
  forget(port: MessagePort): void {
    this.#buffers.delete(port)
  }

  /** Sends what came together since the last time: one message of each kind for a thread. */
  flush(): void {
    if (this.#touched.size > 0) this.#flushCredits()
    for (const [port, buffers] of this.#buffers) {
      if (buffers.length === 0) continue
      port.postMessage({ type: 'spare', buffers } satisfies FromProducer, buffers)
      this.#buffers.set(port, [])
    }
  }

  #flushCredits(): void {
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
