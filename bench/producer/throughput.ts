import { join } from 'node:path'
import { type CompressionName } from '../../src/domain/producer-tuning.ts'
import { ambientDoubts, rateDoubts } from '../doubts.ts'
import { type Finding, finding, median, unmeasured } from '../figure.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { type Contestant, NodeContestant } from './contestant.ts'
import { compileLibrdkafka } from './librdkafka.ts'
import { measureProducer, type ProducerMeasurement } from './measure.ts'
import { startPlatformatic } from './platformatic.ts'
import { writeRecords } from './records.ts'

const others = ['kafkajs', 'platformatic', 'librdkafka'] as const
type Other = (typeof others)[number]
type Name = 'ours' | Other

/** What the producers are asked to do. */
interface Condition {
  readonly partitions: number
  readonly compression: CompressionName
  /** Null is flat out. */
  readonly recordsPerS: number | null
  readonly against: readonly Other[]
}

const lingerMs = 5
const batchBytes = 128 * 1024
const usualPartitions = 12

const everyOther: readonly Other[] = others
const flatOut = (partitions: number, compression: CompressionName, against = everyOther): Condition => ({
  partitions,
  compression,
  recordsPerS: null,
  against
})
const quickConditions: readonly Condition[] = [
  flatOut(usualPartitions, 'none'),
  flatOut(usualPartitions, 'lz4', ['kafkajs', 'librdkafka']),
  { ...flatOut(usualPartitions, 'none', ['librdkafka']), recordsPerS: 20_000 },
  { ...flatOut(usualPartitions, 'none', ['kafkajs', 'librdkafka']), recordsPerS: 50_000 }
]
const fullConditions: readonly Condition[] = [
  quickConditions[0]!,
  flatOut(usualPartitions, 'lz4'),
  ...quickConditions.slice(2),
  ...[1, 48].flatMap(partitions => [flatOut(partitions, 'none'), flatOut(partitions, 'lz4')]),
  flatOut(usualPartitions, 'gzip'),
  // kafkajs brings neither of these.
  flatOut(usualPartitions, 'snappy', ['platformatic', 'librdkafka']),
  flatOut(usualPartitions, 'zstd', ['platformatic', 'librdkafka'])
]

/** `.1p.lz4.50k`: what differs from 12 partitions without compression, flat out. */
function suffixOf({ partitions, compression, recordsPerS }: Condition): string {
  return [
    partitions === usualPartitions ? '' : `.${partitions}p`,
    compression === 'none' ? '' : `.${compression}`,
    recordsPerS === null ? '' : `.${recordsPerS / 1000}k`
  ].join('')
}

export const producerSuite: Suite = {
  name: 'producer',
  figures: [
    'producer.vs_kafkajs',
    'producer.vs_platformatic',
    'producer.vs_librdkafka',
    'producer.records_per_s_vs_librdkafka',
    'producer.cpu_us_per_record',
    'producer.records_per_s'
  ],
  needsKafka: true,
  run: compareProducers
}

/** Our producer against others: same broker, same records, equal linger, one after the other in turns. */
async function compareProducers(
  context: BenchContext
): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  const { pace, folder, kafka } = context
  const recordsFile = join(folder, 'records.bin')
  writeRecords(recordsFile)
  const field = await openField(context)
  const conditions = pace.isQuick ? quickConditions : fullConditions
  const findings: Finding[] = []
  const drawings: Drawing[] = []
  const once = async (name: Name, condition: Condition, warmUpMs: number, measureMs: number) => {
    const topic = await kafka.createTopic(condition.partitions)
    const { partitions, compression, recordsPerS } = condition
    const run = {
      brokers: kafka.brokers,
      topic,
      partitions,
      compression,
      profile: null,
      lingerMs,
      batchBytes
    }
    const rest = { recordsPerS, warmUpMs, measureMs, timesRecords: false, recordsFile }
    try {
      return await measureProducer(field.contestants.get(name)!, { ...run, ...rest }, kafka)
    } finally {
      await kafka.deleteTopics([topic])
    }
  }
  try {
    // The code of those that stay gets hot once; a compiled program is.
    for (const name of field.contestants.keys())
      if (name !== 'librdkafka') await once(name, quickConditions[0]!, pace.isQuick ? 1_200 : 4_000, 100)
    for (const condition of conditions) {
      const runs = new Map<Name, ProducerMeasurement[]>()
      const faults = new Map<Name, string>(field.faults)
      const names: readonly Name[] = ['ours', ...condition.against]
      for (let round = 0; round < pace.rounds; round++) {
        for (let turn = 0; turn < names.length; turn++) {
          const name = names[(round + turn) % names.length]!
          if (faults.has(name)) continue
          try {
            const { warmUpMs, measureMs } = windowsOf(condition, pace.isQuick)
            const measured = await once(name, condition, warmUpMs, measureMs)
            runs.set(name, [...(runs.get(name) ?? []), measured])
          } catch (error) {
            faults.set(name, error instanceof Error ? error.message : String(error))
          }
        }
      }
      findings.push(...findingsOf(condition, runs, faults, context.ambient))
      drawings.push(drawingOf(condition, runs))
    }
  } finally {
    await Promise.all([...field.contestants.values()].map(contestant => contestant.stop()))
  }
  return { findings, drawings }
}

/** At a fixed rate few records come by: code, connections and a new topic take longer to settle. */
function windowsOf({ recordsPerS }: Condition, isQuick: boolean): { warmUpMs: number; measureMs: number } {
  if (!isQuick) return { warmUpMs: 1_500, measureMs: 4_000 }
  return recordsPerS === null ? { warmUpMs: 500, measureMs: 1_000 } : { warmUpMs: 1_000, measureMs: 1_600 }
}

interface Field {
  readonly contestants: ReadonlyMap<Name, Contestant>
  /** Why one is not there. */
  readonly faults: ReadonlyMap<Name, string>
}

async function openField({ folder, kafka }: BenchContext): Promise<Field> {
  const contestants = new Map<Name, Contestant>()
  const faults = new Map<Name, string>()
  const starts: Readonly<Record<Name, () => Promise<Contestant>>> = {
    ours: () => NodeContestant.start('../contenders/producer-coin-stream.js'),
    kafkajs: () => NodeContestant.start('../contenders/producer-kafkajs.js'),
    platformatic: startPlatformatic,
    librdkafka: () => compileLibrdkafka(folder, kafka.pythonPath)
  }
  for (const [name, start] of Object.entries(starts) as [Name, () => Promise<Contestant>][]) {
    try {
      contestants.set(name, await start())
    } catch (error) {
      faults.set(name, error instanceof Error ? error.message : String(error))
    }
  }
  return { contestants, faults }
}

type Runs = ReadonlyMap<Name, readonly ProducerMeasurement[]>

function findingsOf(
  condition: Condition,
  runs: Runs,
  faults: ReadonlyMap<Name, string>,
  ambient: number
): Finding[] {
  const suffix = suffixOf(condition)
  const ours = runs.get('ours') ?? []
  const oursFault = faults.get('ours')
  const doubts = oursFault === undefined ? doubtsOf(condition, ours, ambient) : [`ours failed: ${oursFault}`]
  const findings = [
    finding(
      `producer.cpu_us_per_record${suffix}`,
      'us',
      ours.map(each => each.cpuMicrosPerRecord),
      doubts
    )
  ]
  if (condition.recordsPerS === null) {
    const rates = ours.map(each => each.recordsPerS)
    findings.push(finding(`producer.records_per_s${suffix}`, 'records/s', rates, doubts))
  }
  for (const other of condition.against) {
    const name = `producer.vs_${other}${suffix}`
    const unit = 'times less CPU per record'
    const fault = oursFault ?? faults.get(other)
    const theirs = runs.get(other) ?? []
    if (fault !== undefined || theirs.length === 0) {
      findings.push(unmeasured(name, unit, fault ?? `${other} was not measured`))
      continue
    }
    const both = [...ours, ...theirs]
    const pairDoubts = doubtsOf(condition, both, ambient)
    const ratios = (of: (mine: ProducerMeasurement, other: ProducerMeasurement) => number): number[] =>
      ours.map((mine, i) => of(mine, theirs[i]!))
    const cheaper = ratios((mine, other) => other.cpuMicrosPerRecord / mine.cpuMicrosPerRecord)
    findings.push(finding(name, unit, cheaper, pairDoubts))
    if (other === 'librdkafka' && condition.recordsPerS === null) {
      const faster = ratios((mine, other) => mine.recordsPerS / other.recordsPerS)
      findings.push(
        finding(`producer.records_per_s_vs_librdkafka${suffix}`, 'times the records/s', faster, pairDoubts)
      )
    }
  }
  return findings
}

function doubtsOf(
  { recordsPerS }: Condition,
  measured: readonly ProducerMeasurement[],
  ambient: number
): string[] {
  const failed = measured.reduce((sum, each) => sum + each.failed, 0)
  const missing = measured.reduce((sum, each) => sum + each.missing, 0)
  return [
    ...(measured.some(({ records }) => records === 0) ? ['a window passed without a record'] : []),
    ...(missing > 0 ? [`${missing} acknowledged records are not in the topic`] : []),
    ...ambientDoubts(
      ambient,
      measured.map(each => each.ambientShare)
    ),
    ...rateDoubts(
      recordsPerS,
      measured.map(each => each.recordsPerS)
    ),
    ...(failed > 0
      ? [
          `${failed} records failed (${measured.find(({ fault }) => fault !== null)?.fault ?? 'no reason told'})`
        ]
      : [])
  ]
}

function drawingOf(condition: Condition, runs: Runs): Drawing {
  const rate = condition.recordsPerS === null ? 'flat out' : `at ${condition.recordsPerS} records/s`
  return {
    kind: 'bars',
    title: `CPU per record, ${condition.partitions} partitions, ${condition.compression}, ${rate}`,
    unit: 'µs',
    bars: [...runs].map(([name, measured]) => ({
      label: name,
      value: median(measured.map(each => each.cpuMicrosPerRecord)),
      note:
        condition.recordsPerS === null
          ? `${Math.round(median(measured.map(each => each.recordsPerS)) / 1000)}k/s`
          : ''
    }))
  }
}
