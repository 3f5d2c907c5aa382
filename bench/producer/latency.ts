import { join } from 'node:path'
import { type ProducerProfile, producerProfiles, profileBounds } from '../../src/domain/producer-tuning.ts'
import { ambientDoubts, rateDoubts } from '../doubts.ts'
import { type Finding, finding, median, quantile } from '../figure.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { NodeContestant } from './contestant.ts'
import { measureProducer, type ProducerMeasurement } from './measure.ts'
import { writeRecords } from './records.ts'
import { roundTrips } from './round-trip.ts'

const partitions = 12
const rates = [1_000, 20_000, 100_000]
const boundRate = 20_000
const boundProfile: ProducerProfile = 'latency'
const bounds = profileBounds[boundProfile]

export const latencySuite: Suite = {
  name: 'latency',
  figures: ['producer.p99_over_round_trip', 'producer.round_trip_ms_p99', 'producer.ack_ms'],
  needsKafka: true,
  run: measureLatency
}

interface Lot {
  readonly profile: ProducerProfile
  readonly rate: number
  readonly measured: ProducerMeasurement[]
}

/** From append to acknowledgement, as the service does it: its profiles, its linger, lz4. */
async function measureLatency(context: BenchContext): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  const { pace, kafka, folder, ambient } = context
  const recordsFile = join(folder, 'records.bin')
  writeRecords(recordsFile)
  const ours = await NodeContestant.start('../contenders/producer-coin-stream.js')
  const lots: Lot[] = producerProfiles.flatMap(profile =>
    rates.map(rate => ({ profile, rate, measured: [] }))
  )
  const tripP99s: number[] = []
  const excesses: number[] = []
  const [warmUpMs, measureMs, tripMs] = pace.isQuick ? [800, 1_500, 400] : [2_000, 8_000, 2_000]
  const run = async ({ profile, rate }: Lot, warm: number, measure: number): Promise<ProducerMeasurement> => {
    const topic = await kafka.createTopic(partitions)
    const { lingerMs, batchBytes } = profileBounds[profile]
    const plan = { brokers: kafka.brokers, topic, partitions, profile, lingerMs, batchBytes, recordsFile }
    const rest = { recordsPerS: rate, warmUpMs: warm, measureMs: measure, timesRecords: true }
    const measured = await measureProducer(ours, { ...plan, ...rest, compression: 'lz4' as const }, kafka)
    await kafka.deleteTopics([topic])
    return measured
  }
  try {
    // The broker's code gets hot as well as ours.
    await run({ profile: 'latency', rate: 100_000, measured: [] }, pace.isQuick ? 2_000 : 8_000, 100)
    for (let round = 0; round < pace.rounds; round++) {
      for (const lot of lots) {
        const isBound = lot.rate === boundRate && lot.profile === boundProfile
        // The figure with a target gets all its rounds; the others make a picture.
        if (pace.isQuick && round > 0 && !isBound) continue
        const tripP99 = isBound ? await roundTripP99(context, tripMs) : 0
        const isShort = pace.isQuick && !isBound
        const measured = await run(lot, isShort ? 600 : warmUpMs, isShort ? 1_000 : measureMs)
        lot.measured.push(measured)
        if (!isBound) continue
        tripP99s.push(tripP99)
        excesses.push((measured.ackMs!.p99 - bounds.lingerMs) / tripP99)
      }
    }
  } finally {
    await ours.stop()
  }
  const doubtsOf = ({ rate, measured }: Lot): string[] => [
    ...ambientDoubts(
      ambient,
      measured.map(each => each.ambientShare)
    ),
    ...rateDoubts(
      rate,
      measured.map(each => each.recordsPerS)
    )
  ]
  const bound = lots.find(({ rate, profile }) => rate === boundRate && profile === boundProfile)!
  const findings = [
    finding(
      'producer.p99_over_round_trip',
      `round trips (p99 each) beyond the linger of ${bounds.lingerMs} ms`,
      excesses,
      doubtsOf(bound)
    ),
    finding('producer.round_trip_ms_p99', 'ms', tripP99s, ambientDoubts(ambient, [])),
    ...lots.flatMap(lot =>
      (['p50', 'p99', 'p999'] as const).map(quantileName =>
        finding(
          `producer.ack_ms_${quantileName}.${lot.profile}.${lot.rate / 1000}k`,
          'ms',
          lot.measured.map(each => each.ackMs![quantileName]),
          doubtsOf(lot)
        )
      )
    )
  ]
  return { findings, drawings: producerProfiles.map(profile => drawingOf(profile, lots)) }
}

async function roundTripP99({ kafka }: BenchContext, forMs: number): Promise<number> {
  const topic = await kafka.createTopic(1)
  // The first ones find a new topic; they are thrown away.
  await roundTrips(kafka.brokers[0]!, topic, forMs / 4)
  const trips = await roundTrips(kafka.brokers[0]!, topic, forMs)
  await kafka.deleteTopics([topic])
  return quantile(trips, 0.99)
}

function drawingOf(profile: ProducerProfile, lots: readonly Lot[]): Drawing {
  const own = lots.filter(lot => lot.profile === profile)
  return {
    kind: 'lines',
    title: `Append to acknowledgement, profile ${profile}`,
    xLabel: 'records/s',
    yLabel: 'ms',
    isLogX: true,
    lines: (['p50', 'p99', 'p999'] as const).map(name => ({
      label: name,
      points: own.map(({ rate, measured }) => [rate, median(measured.map(each => each.ackMs![name]))])
    }))
  }
}
