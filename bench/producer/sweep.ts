import { join } from 'node:path'
import { ambientDoubts } from '../doubts.ts'
import { type Finding, finding, median } from '../figure.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { NodeContestant } from './contestant.ts'
import { measureProducer, type ProducerMeasurement } from './measure.ts'
import { writeRecords } from './records.ts'

const partitions = 12
const kib = 1024
const latencyRate = 50_000
const fullGrid = { lingers: [0, 1, 5, 20, 50], batches: [16, 32, 64, 128, 256] }
const quickGrid = { lingers: [1, 5, 50], batches: [16, 128] }

export const sweepSuite: Suite = {
  name: 'sweep',
  figures: ['sweep.records_per_s', 'sweep.ack_ms_p99'],
  needsKafka: true,
  run: sweep
}

/** Linger against batch size: records/s flat out, and the p99 from append to acknowledgement at 50,000/s; lz4. */
async function sweep(context: BenchContext): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  const { pace, kafka, folder, ambient } = context
  const recordsFile = join(folder, 'records.bin')
  writeRecords(recordsFile)
  const ours = await NodeContestant.start('../contenders/producer-coin-stream.js')
  const { lingers, batches } = pace.isQuick ? quickGrid : fullGrid
  const [warmUpMs, measureMs] = pace.isQuick ? [150, 400] : [1_000, 2_000]
  const run = async (
    linger: number,
    batch: number,
    recordsPerS: number | null,
    warm = warmUpMs
  ): Promise<ProducerMeasurement> => {
    const topic = await kafka.createTopic(partitions)
    const plan = { brokers: kafka.brokers, topic, partitions, profile: null, recordsFile }
    const tuning = { lingerMs: linger, batchBytes: batch * kib, compression: 'lz4' as const }
    const rest = { recordsPerS, warmUpMs: warm, measureMs, timesRecords: recordsPerS !== null }
    const measured = await measureProducer(ours, { ...plan, ...tuning, ...rest }, kafka)
    await kafka.deleteTopics([topic])
    return measured
  }
  const findings: Finding[] = []
  const rates: number[][] = []
  const p99s: number[][] = []
  const rounds = pace.isQuick ? 1 : pace.rounds
  try {
    await run(5, 128, null, 1_000)
    for (const linger of lingers) {
      const rateRow: number[] = []
      const p99Row: number[] = []
      for (const batch of batches) {
        const flatOut: ProducerMeasurement[] = []
        const paced: ProducerMeasurement[] = []
        for (let round = 0; round < rounds; round++) {
          flatOut.push(await run(linger, batch, null))
          paced.push(await run(linger, batch, latencyRate))
        }
        const reached = flatOut.map(each => each.recordsPerS)
        const acks = paced.map(each => each.ackMs!.p99)
        const doubts = ambientDoubts(
          ambient,
          [...flatOut, ...paced].map(each => each.ambientShare)
        )
        const cell = `${linger}ms.${batch}kib`
        findings.push(
          finding(`sweep.records_per_s.${cell}`, 'records/s', reached, doubts),
          finding(`sweep.ack_ms_p99.${cell}`, 'ms', acks, doubts)
        )
        rateRow.push(median(reached))
        p99Row.push(median(acks))
      }
      rates.push(rateRow)
      p99s.push(p99Row)
    }
  } finally {
    await ours.stop()
  }
  const axes = {
    kind: 'heat' as const,
    columns: batches.map(batch => `${batch} KiB`),
    rows: lingers.map(linger => `${linger} ms`)
  }
  return {
    findings,
    drawings: [
      { ...axes, title: 'Records/s flat out (lz4)', unit: 'records/s', values: rates, isMoreBetter: true },
      {
        ...axes,
        title: `p99 from append to acknowledgement at ${latencyRate} records/s (lz4)`,
        unit: 'ms',
        values: p99s,
        isMoreBetter: false
      }
    ]
  }
}
