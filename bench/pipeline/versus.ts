import { type ContenderPlan } from '../contenders/messages.ts'
import { type Finding, finding, median } from '../figure.ts'
import { floodSymbols } from '../flood/frames.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite } from '../suite.ts'
import { cpuRatios, doubtsOf, type Phase, type Readings, runPhases } from './rounds.ts'
import { type Program, type Reading, type RunnerOptions } from './runner.ts'

type Name = 'ours' | 'kafkajs-send' | 'naive' | 'per-message'

/** A rate that all sustain from one thread on two slow cores beside flood and broker. */
const fixedRate = 20_000
/** A rate that a task per message sustains. */
const messageRate = 8_000
const lingerMs = 50
const batchBytes = 128 * 1024
const allTypes = ['ticker', 'trade', 'orderbook'] as const

const unit = 'times less CPU per event'

function planOf(sink: ContenderPlan['sink']): Omit<ContenderPlan, 'origin'> {
  return { sink, lingerMs, batchBytes, compression: 'none', symbols: floodSymbols, requestTypes: allTypes }
}

export const pipelineSuite: Suite = {
  name: 'pipeline',
  figures: [
    'pipeline.vs_kafkajs_send',
    'pipeline.vs_naive',
    'pipeline.vs_offload_per_message',
    'pipeline.events_per_s_vs_naive',
    'pipeline.cpu_us_per_record',
    'pipeline.records_per_s'
  ],
  needsKafka: true,
  run: versusOnKafka
}

/** From the socket to the broker's acknowledgement: ours, ours with kafkajs `send()` at its end, and simpler programs. */
async function versusOnKafka(context: BenchContext): Promise<{ findings: Finding[]; drawings: Drawing[] }> {
  const { kafka, pace, ambient } = context
  await kafka.deleteDataTopics()
  const { brokers } = kafka
  const with_ = (program: Program, sink: ContenderPlan['sink']): RunnerOptions => ({
    program,
    plan: planOf(sink),
    kafka,
    warmUpEventsPerS: program === 'per-message' ? messageRate : null
  })
  const lineup: Readonly<Record<Name, RunnerOptions>> = {
    ours: with_('coin-stream', { kind: 'kafka', brokers }),
    'kafkajs-send': with_('coin-stream', { kind: 'kafkajs-send', brokers }),
    naive: with_('naive', { kind: 'kafkajs-send', brokers }),
    'per-message': with_('per-message', { kind: 'kafkajs-send', brokers })
  }
  const phases: readonly Phase<Name>[] = [
    { names: ['ours', 'kafkajs-send', 'naive'], eventsPerS: fixedRate },
    { names: ['ours', 'naive', ...(pace.isQuick ? [] : ['kafkajs-send' as const])], eventsPerS: null },
    { names: ['ours', 'per-message'], eventsPerS: messageRate }
  ]
  const [fixed, flatOut, slow] = (await runPhases(lineup, phases, pace)) as [
    Readings<Name>,
    Readings<Name>,
    Readings<Name>
  ]
  const compare = (name: string, readings: Readings<Name>, other: Name, rate: number | null): Finding => {
    const [ours, theirs] = [readings.get('ours')!, readings.get(other)!]
    return finding(name, unit, cpuRatios(ours, theirs), doubtsOf([...ours, ...theirs], ambient, rate))
  }
  const findings = [
    compare('pipeline.vs_kafkajs_send', fixed, 'kafkajs-send', fixedRate),
    compare('pipeline.vs_naive', flatOut, 'naive', null),
    compare('pipeline.vs_naive.20k', fixed, 'naive', fixedRate),
    compare('pipeline.vs_offload_per_message', slow, 'per-message', messageRate),
    ...(flatOut.has('kafkajs-send')
      ? [compare('pipeline.vs_kafkajs_send.flat_out', flatOut, 'kafkajs-send', null)]
      : []),
    ...flatOutFindings('', flatOut.get('ours')!, flatOut.get('naive')!, ambient),
    finding(
      'pipeline.cpu_us_per_record.20k',
      'us',
      fixed.get('ours')!.map(each => each.cpuMicrosPerRecord),
      doubtsOf(fixed.get('ours')!, ambient, fixedRate)
    )
  ]
  return {
    findings,
    drawings: [
      barsOf(`Pipeline, CPU per event at ${fixedRate} events/s`, fixed),
      barsOf('Pipeline, CPU per event at the highest steady rate', flatOut),
      barsOf(`Pipeline, CPU per event at ${messageRate} events/s`, slow)
    ]
  }
}

export const embeddedSuite: Suite = {
  name: 'embedded',
  figures: [
    'pipeline.vs_naive.embedded',
    'pipeline.events_per_s_vs_naive.embedded',
    'pipeline.vs_offload_per_message.embedded',
    'pipeline.cpu_us_per_record.embedded',
    'pipeline.records_per_s.embedded'
  ],
  needsKafka: false,
  run: versusEmbedded
}

/** The same into the log inside the process, where the broker's client costs nothing to either. */
async function versusEmbedded({ pace, ambient }: BenchContext): Promise<{ findings: Finding[] }> {
  const of = (program: Program): RunnerOptions => ({
    program,
    plan: planOf({ kind: 'embedded' }),
    kafka: null,
    warmUpEventsPerS: program === 'per-message' ? messageRate : null
  })
  const lineup = { ours: of('coin-stream'), naive: of('naive'), 'per-message': of('per-message') }
  const phases: readonly Phase<keyof typeof lineup>[] = [
    { names: ['ours', 'naive'], eventsPerS: null },
    { names: ['ours', 'per-message'], eventsPerS: messageRate }
  ]
  const [flatOut, slow] = await runPhases(lineup, phases, pace)
  const [ours, naive] = [flatOut!.get('ours')!, flatOut!.get('naive')!]
  const [slowOurs, perMessage] = [slow!.get('ours')!, slow!.get('per-message')!]
  return {
    findings: [
      finding(
        'pipeline.vs_naive.embedded',
        unit,
        cpuRatios(ours, naive),
        doubtsOf([...ours, ...naive], ambient, null)
      ),
      ...flatOutFindings('.embedded', ours, naive, ambient),
      finding(
        'pipeline.vs_offload_per_message.embedded',
        unit,
        cpuRatios(slowOurs, perMessage),
        doubtsOf([...slowOurs, ...perMessage], ambient, messageRate)
      )
    ]
  }
}

function flatOutFindings(
  suffix: string,
  ours: readonly Reading[],
  naive: readonly Reading[],
  ambient: number
): Finding[] {
  const doubts = doubtsOf(ours, ambient, null)
  return [
    finding(
      `pipeline.events_per_s_vs_naive${suffix}`,
      'times the events/s',
      ours.map((mine, i) => mine.recordsPerS / naive[i]!.recordsPerS),
      doubtsOf([...ours, ...naive], ambient, null)
    ),
    finding(
      `pipeline.cpu_us_per_record${suffix}`,
      'us',
      ours.map(each => each.cpuMicrosPerRecord),
      doubts
    ),
    finding(
      `pipeline.records_per_s${suffix}`,
      'records/s',
      ours.map(each => each.recordsPerS),
      doubts
    )
  ]
}

function barsOf(title: string, readings: Readings<Name>): Drawing {
  return {
    kind: 'bars',
    title,
    unit: 'µs',
    bars: [...readings].map(([label, each]) => ({
      label,
      value: median(each.map(({ cpuMicrosPerRecord }) => cpuMicrosPerRecord)),
      note: `${Math.round(median(each.map(({ recordsPerS }) => recordsPerS)) / 1000)}k/s`
    }))
  }
}
