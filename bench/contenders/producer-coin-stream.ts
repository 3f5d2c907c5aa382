import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { type Route, type SinkListener } from '../../actors/producer/sinks/record-sink.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type ProducerTuning, tuningOf } from '../../src/domain/producer-tuning.ts'
import { type BenchRecords } from '../producer/records.ts'
import { type ProducerRun } from '../producer/run.ts'
import { type Flow, serveRuns } from '../producer/serve.ts'

const mib = 1024 * 1024
/** Flat out it is filled to the first and filled again below the second, as the credits of the connections do it. */
const fillBytes = 16 * mib
const refillBytes = 8 * mib
/** Appended at a time before the event loop has its turn: about what a frame batch holds. */
const chunkRecords = 1024
const tickMs = 1

serveRuns(startFlow)

function tuningFor(run: ProducerRun): ProducerTuning {
  const settings = {
    compression: run.compression,
    compressionByTopic: [],
    bufferBytes: 128 * mib,
    requestBytesMax: 4 * mib,
    deliveryTimeoutMs: 300_000
  }
  return run.profile === null
    ? tuningOf({ ...settings, profile: 'throughput', lingerMs: run.lingerMs, batchBytes: run.batchBytes })
    : tuningOf({ ...settings, profile: run.profile, lingerMs: null, batchBytes: null })
}

function epochMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

async function startFlow(run: ProducerRun, records: BenchRecords): Promise<Flow> {
  let acknowledged = 0
  let failed = 0
  let fault: string | null = null
  let ackMs = new Float64Array(run.timesRecords ? 1 << 20 : 0)
  let timed = 0
  let whenSettled: () => void = () => undefined
  const listener: SinkListener = {
    settled: (_owners, receivedMicros, count, outcome) => {
      if (outcome === 'failed') failed += count
      else acknowledged += count
      if (run.timesRecords) {
        const nowMicros = epochMicros()
        for (let i = 0; i < count && timed < ackMs.length; i++)
          ackMs[timed++] = (nowMicros - receivedMicros[i]!) / 1000
      }
      whenSettled()
    },
    undelivered: (_route, _first, _last, _count, reason) => {
      fault ??= reason
    },
    refused: () => undefined,
    availability: () => undefined
  }
  const access = {
    brokers: run.brokers,
    clientId: 'bench-coin-stream',
    tls: false,
    caFile: null,
    certFile: null,
    keyFile: null,
    sasl: null
  }
  const sink = new KafkaSink({ access, tuning: tuningFor(run) }, listener, createLogger('error', 'bench'))
  await sink.open()

  const { count, valueBytes, values, keys } = records
  const routes = keys.map(
    (keyBytes, id): Route => ({
      id,
      topic: run.topic,
      partition: id % run.partitions,
      key: keyBytes.toString(),
      keyBytes
    })
  )
  let appended = 0
  let value = 0
  let route = 0
  const append = (amount: number): void => {
    const micros = epochMicros()
    for (let i = 0; i < amount; i++) {
      const start = value * valueBytes
      sink.append(routes[route]!, values, start, start + valueBytes, micros, 0)
      if (++value === count) value = 0
      if (++route === routes.length) route = 0
    }
    appended += amount
  }
  const stopSending =
    run.recordsPerS === null ? floodFlatOut() : sendAtRate(run.recordsPerS, owed => append(owed - appended))

  function floodFlatOut(): () => void {
    let isScheduled = false
    let isStopped = false
    const fill = (): void => {
      isScheduled = false
      if (isStopped) return
      if (sink.pendingBytes < fillBytes) {
        append(chunkRecords)
        schedule()
      }
    }
    const schedule = (): void => {
      if (isScheduled) return
      isScheduled = true
      setImmediate(fill)
    }
    whenSettled = () => {
      if (sink.pendingBytes < refillBytes) schedule()
    }
    schedule()
    return () => {
      isStopped = true
    }
  }

  return {
    acknowledged: () => acknowledged,
    failed: () => failed,
    fault: () => fault,
    takeAckMs: () => {
      const taken = ackMs.subarray(0, timed)
      ackMs = new Float64Array(ackMs.length)
      timed = 0
      return taken
    },
    stop: async () => {
      stopSending()
      await sink.drain(5_000)
      await sink.close()
    }
  }
}

/** Tells each millisecond how many records there should be by now. */
function sendAtRate(recordsPerS: number, offer: (total: number) => void): () => void {
  const startMs = performance.now()
  const timer = setInterval(
    () => offer(Math.floor(((performance.now() - startMs) * recordsPerS) / 1000)),
    tickMs
  )
  return () => clearInterval(timer)
}
