import { inspect } from 'node:util'
import { type BenchRecords } from './records.ts'
import { type ProducerRun } from './run.ts'
import { type Flow, pause } from './serve.ts'

/** A record as clients with a `send()` take it. */
export interface BenchMessage {
  readonly key: Buffer
  readonly value: Buffer
  readonly partition: number
}

const recordsPerSend = 1_000

export interface Sender {
  /** Resolves when all of them are acknowledged. */
  send(messages: readonly BenchMessage[]): Promise<void>
  close(): Promise<void>
}

/**
 * Flat out: `lanes` calls at once with 1,000 records each. At a rate: one call each linger with what came meanwhile; what
 * came while a call was on its way goes with the next, or with one beside it where the client allows more than one.
 */
export function sendInBatches(run: ProducerRun, records: BenchRecords, lanes: number, sender: Sender): Flow {
  const { count, valueBytes, keys } = records
  const values = Array.from({ length: count }, (_, i) =>
    records.values.subarray(i * valueBytes, (i + 1) * valueBytes)
  )
  let acknowledged = 0
  let failed = 0
  let fault: string | null = null
  let sent = 0
  let isStopped = false
  const startMs = performance.now()
  const owed = (): number =>
    run.recordsPerS === null
      ? recordsPerSend
      : Math.floor(((performance.now() - startMs) * run.recordsPerS) / 1000) - sent
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      if (run.recordsPerS !== null) await pause(run.lingerMs)
      const messages: BenchMessage[] = []
      // Every call begins with the same key: @platformatic/kafka gets its sequence numbers wrong (out of order) when two
      // calls carry different numbers of records for a partition.
      for (let i = 0, left = owed(); left > 0; i++, left--, sent++) {
        const key = i % keys.length
        messages.push({ key: keys[key]!, value: values[sent % count]!, partition: key % run.partitions })
      }
      if (messages.length === 0) continue
      try {
        await sender.send(messages)
        acknowledged += messages.length
      } catch (error) {
        fault ??= inspect(error)
        failed += messages.length
        await pause(10)
      }
    }
  }
  const loops = Array.from({ length: run.recordsPerS === null ? lanes : 1 }, loop)
  return {
    acknowledged: () => acknowledged,
    failed: () => failed,
    fault: () => fault,
    takeAckMs: () => [],
    stop: async () => {
      isStopped = true
      await Promise.all(loops)
      await sender.close()
    }
  }
}
