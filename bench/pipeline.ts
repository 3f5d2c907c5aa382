import { type ContenderPlan } from './contenders/messages.ts'
import { type Finding, finding, median } from './figure.ts'
import { floodSymbols } from './flood/frames.ts'
import { type Contender, measure, type Reading } from './measure.ts'

/** How long each contender runs, and how often: rounds are interleaved, so that the machine's moods hit all alike. */
export interface Pace {
  readonly rounds: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** A rate that a task per message sustains on two slow cores beside the flood. */
const messageRate = 8_000
/** A rate that kafkajs `send()` sustains from one thread. */
const kafkaRate = 8_000
/** At a fixed rate code gets hot more slowly than at full speed. */
const fixedRateWarmUps = 2.5
const lingerMs = 50
const batchBytes = 128 * 1024
const ambientShareMax = 0.15
const floodShareMax = 0.25
const droppedShareMax = 0.001
/** Of a fixed rate; a contender that stays behind it was not measured at it. */
const reachedShareMin = 0.95

interface Pair {
  readonly ours: Reading
  readonly theirs: Reading
}

const cpuPerEvent = ({ ours, theirs }: Pair): number => theirs.cpuMicrosPerRecord / ours.cpuMicrosPerRecord

/** The service against the naive program, both as fast as they can. */
export async function versusNaive(pace: Pace, ambient: number): Promise<Finding[]> {
  const pairs = await pairsOf('naive', { kind: 'embedded' }, null, pace)
  const doubts = doubtsOf(pairs, ambient, null)
  const [ours, oursDoubts] = [pairs.map(pair => pair.ours), doubtsOf(pairs, ambient, null, 'ours')]
  return [
    finding('pipeline.vs_naive', 'times less CPU per event', pairs.map(cpuPerEvent), doubts),
    finding(
      'pipeline.events_per_s_vs_naive',
      'times the events/s',
      pairs.map(pair => pair.ours.recordsPerS / pair.theirs.recordsPerS),
      doubts
    ),
    finding(
      'pipeline.cpu_us_per_record',
      'us',
      ours.map(each => each.cpuMicrosPerRecord),
      oursDoubts
    ),
    finding(
      'pipeline.records_per_s',
      'records/s',
      ours.map(each => each.recordsPerS),
      oursDoubts
    )
  ]
}

/** The service against a task per message, both at a rate that the latter sustains. */
export async function versusTaskPerMessage(pace: Pace, ambient: number): Promise<Finding[]> {
  const pairs = await pairsOf('per-message', { kind: 'embedded' }, messageRate, pace)
  const doubts = doubtsOf(pairs, ambient, messageRate)
  return [
    finding('pipeline.vs_offload_per_message', 'times less CPU per event', pairs.map(cpuPerEvent), doubts)
  ]
}

/** The service against the naive program on a real Kafka, where kafkajs `send()` dominates both. */
export async function versusKafkajs(
  brokers: readonly string[],
  pace: Pace,
  ambient: number
): Promise<Finding[]> {
  const pairs = await pairsOf('naive', { kind: 'kafka', brokers }, kafkaRate, pace)
  // The broker is one of the other programs here, so only what ran before the bench counts.
  const quiet = pairs.map(({ ours, theirs }) => ({
    ours: { ...ours, ambientShare: 0 },
    theirs: { ...theirs, ambientShare: 0 }
  }))
  const doubts = doubtsOf(quiet, ambient, kafkaRate)
  return [finding('pipeline.vs_kafkajs_send', 'times less CPU per event', pairs.map(cpuPerEvent), doubts)]
}

async function pairsOf(
  other: Exclude<Contender, 'coin-stream'>,
  sink: ContenderPlan['sink'],
  eventsPerS: number | null,
  pace: Pace
): Promise<Pair[]> {
  const { measureMs } = pace
  const warmUpMs = pace.warmUpMs * (eventsPerS === null ? 1 : fixedRateWarmUps)
  const plan = { sink, lingerMs, batchBytes, symbols: floodSymbols }
  const one = (contender: Contender): Promise<Reading> =>
    measure({ contender, plan, eventsPerS, warmUpMs, measureMs })
  const pairs: Pair[] = []
  for (let round = 0; round < pace.rounds; round++) {
    // Ours goes first the first time: on Kafka it creates the topics.
    if (round % 2 === 0) {
      const ours = await one('coin-stream')
      pairs.push({ ours, theirs: await one(other) })
    } else {
      const theirs = await one(other)
      pairs.push({ ours: await one('coin-stream'), theirs })
    }
  }
  return pairs
}

/** Why a figure made of these readings should not be believed. */
function doubtsOf(
  pairs: readonly Pair[],
  ambient: number,
  eventsPerS: number | null,
  of: 'both' | 'ours' = 'both'
): string[] {
  const readings = pairs.flatMap(({ ours, theirs }) => (of === 'ours' ? [ours] : [ours, theirs]))
  const doubts: string[] = []
  const percent = (share: number): string => `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`
  const busy = Math.max(ambient, median(readings.map(each => each.ambientShare)))
  if (busy > ambientShareMax) {
    doubts.push(`other programs took ${percent(busy)} of the machine (at most ${percent(ambientShareMax)})`)
  }
  const flood = Math.max(...readings.map(each => each.floodShare))
  if (flood > floodShareMax) {
    doubts.push(`the flood took ${percent(flood)} of the machine (at most ${percent(floodShareMax)})`)
  }
  const dropped = Math.max(...readings.map(each => each.droppedShare))
  if (dropped > droppedShareMax) doubts.push(`${percent(dropped)} of the events did not become records`)
  const slowest = Math.min(...readings.map(each => each.recordsPerS))
  if (eventsPerS !== null && slowest < eventsPerS * reachedShareMin) {
    doubts.push(`a contender reached only ${Math.round(slowest)} of ${eventsPerS} events/s`)
  }
  return doubts
}
