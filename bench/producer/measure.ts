import { busyShare, cores, markCpu } from '../ambient.ts'
import { type BenchKafka } from '../kafka.ts'
import { type Contestant } from './contestant.ts'
import { type ProducerReading, type ProducerRun } from './run.ts'

/** A reading with what the machine did meanwhile. */
export interface ProducerMeasurement extends ProducerReading {
  /** Part of the machine that neither the producer nor the broker took; null when the broker's part is not known. */
  readonly ambientShare: number | null
  readonly cpuMicrosPerRecord: number
  readonly recordsPerS: number
  /** Acknowledged records that the topic does not hold. */
  readonly missing: number
}

export async function measureProducer(
  contestant: Contestant,
  run: ProducerRun,
  kafka: BenchKafka
): Promise<ProducerMeasurement> {
  const mark = () => ({ cpu: markCpu(), brokerMicros: kafka.brokerCpuMicros(), ownMicros: ownMicros() })
  let from = mark()
  let to = mark()
  let timer: NodeJS.Timeout | undefined
  const reading = await contestant.run(run, () => {
    from = mark()
    timer = setTimeout(() => {
      to = mark()
    }, run.measureMs)
  })
  clearTimeout(timer)
  if (to.cpu.atMs < from.cpu.atMs) to = mark()
  const written = await kafka.recordsIn(run.topic)
  const machineMicros = (to.cpu.atMs - from.cpu.atMs) * 1000 * cores
  const known =
    from.brokerMicros === null || to.brokerMicros === null
      ? null
      : to.brokerMicros - from.brokerMicros + to.ownMicros - from.ownMicros + reading.cpuMicros
  return {
    ...reading,
    cpuMicrosPerRecord: reading.cpuMicros / Math.max(1, reading.records),
    recordsPerS: (reading.records * 1000) / reading.elapsedMs,
    missing: Math.max(0, reading.acknowledged - written),
    ambientShare: known === null ? null : Math.max(0, busyShare(from.cpu, to.cpu) - known / machineMicros)
  }
}

function ownMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
