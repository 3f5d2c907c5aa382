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
 * One call at a time, as these clients' idempotent producers need it: flat out with 1,000 records each, at a rate one call
 * each linger with what came meanwhile.
 */
export function sendInBatches(run: ProducerRun, records: BenchRecords, sender: Sender): Flow {
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
      for (let left = owed(); left > 0; left--, sent++) {
        const key = sent % keys.length
        messages.push({ key: keys[key]!, value: values[sent % count]!, partition: key % run.partitions })
      }
      if (messages.length === 0) continue
      try {
        await sender.send(messages)
        acknowledged += messages.length
      } catch (error) {
        fault ??= causesOf(error).join(': ')
        failed += messages.length
        await pause(10)
      }
    }
  }
  const ended = loop()
  return {
    acknowledged: () => acknowledged,
    failed: () => failed,
    fault: () => fault,
    takeAckMs: () => [],
    stop: async () => {
      isStopped = true
      await ended
      await sender.close()
    }
  }
}

/** Clients wrap what the broker said several times. */
function causesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause
  return [error.message, ...(inner === undefined ? [] : causesOf(inner))]
}
