import { planRegions, planTopics, type TopicPlan } from '../../actors/kafka/topic-plan.ts'
import { manageTopics, type TopicMode } from '../../actors/kafka/topics.ts'
import { defaultTargets } from '../app/default-targets.ts'
import { didYouMean } from '../config/nearest.ts'
import { type Config } from '../config/schema.ts'
import { IngestError } from '../core/errors.ts'
import { createLogger } from '../core/logger.ts'
import { tuningOf } from '../domain/producer-tuning.ts'
import { type Region, regions } from '../domain/target.ts'
import { type Flag, type Parsed, type VerbSpec } from './args.ts'
import { configFlags, readConfig } from './config-flags.ts'
import { ExitCode, type Io } from './io.ts'
import { hasWork, topicsDocument, topicsText } from './topics-text.ts'
import { defineVerb, type Verb } from './verb.ts'

const flags = {
  region: {
    value: 'REGION',
    repeated: true,
    help: `All topics of this region (${regions.join(', ')}, or all) instead of those of the configured targets. May be repeated.`
  },
  json: { value: null, help: 'Print one JSON document instead of a table.' },
  ...configFlags
} as const satisfies Record<string, Flag>
type TopicsFlag = keyof typeof flags

const which =
  'The topics are those that `start` would write: of the configured targets, else of its default set. Partitions and ' +
  'replication come from topics.partitions and topics.replication.'

const planSpec = {
  verb: 'topics plan',
  operands: '',
  operandsMax: 0,
  summary: 'Show the planned topics and how those in Kafka differ.',
  description:
    'Prints every topic with its partitions, retention and cleanup policy, and whether Kafka has it: missing, ok, or ' +
    `differs, with a sentence below for each difference that says what to do. Nothing is changed. ${which}\n\n` +
    'Exit code 0 when all is as planned, 1 when something is missing or differs.',
  flags,
  examples: [
    'KAFKA_BROKERS=host:9092 SCHEMA_REGISTRY_URL=none coin-stream topics plan',
    'coin-stream topics plan --region korea --region asia --json'
  ]
} as const satisfies VerbSpec

export const topicsPlan: Verb = defineVerb<TopicsFlag>(planSpec, (args, io) =>
  runTopics(planSpec, args, io, 'verify')
)

const applySpec = {
  verb: 'topics apply',
  operands: '',
  operandsMax: 0,
  summary: 'Create the topics of the service that Kafka does not have.',
  description:
    'Creates what `topics plan` shows as missing, and prints the same table. Existing topics are left as they are, ' +
    'except that --alter sets their retention and cleanup policy. Partitions are never added: a key stays in its ' +
    `partition, and so in order, only while their number stays. ${which}\n\n` +
    'Exit code 0 when all is as planned afterwards, 1 when something still differs or the cluster refused.',
  flags: {
    alter: { value: null, help: 'Also set retention.ms and cleanup.policy of existing topics as planned.' },
    ...flags
  },
  examples: [
    'KAFKA_BROKERS=host:9092 SCHEMA_REGISTRY_URL=none coin-stream topics apply',
    'coin-stream topics apply --region all --set topics.replication=3',
    'coin-stream topics apply --alter'
  ]
} as const satisfies VerbSpec

export const topicsApply: Verb = defineVerb<TopicsFlag | 'alter'>(applySpec, (args, io) =>
  runTopics(applySpec, args, io, args.has('alter') ? 'alter' : 'create')
)

async function runTopics(
  spec: VerbSpec,
  args: Parsed<TopicsFlag>,
  io: Io,
  mode: TopicMode
): Promise<ExitCode> {
  const named = readRegions(args.texts('region'))
  const { config } = readConfig(spec, args, io)
  const { kafka, log } = config
  if (kafka.brokers.length === 0) {
    throw new IngestError(
      'USAGE',
      `coin-stream ${spec.verb}: No brokers are configured, and the log inside the process needs no topics; set KAFKA_BROKERS.`
    )
  }
  const logger = createLogger(log.level === 'debug' ? 'debug' : 'silent', 'topics')
  const report = await manageTopics(kafka, plansOf(config, named), mode, logger)
  const text = args.has('json')
    ? `${JSON.stringify(topicsDocument(kafka.brokers, report))}\n`
    : topicsText(report)
  await io.out(text)
  return hasWork(report) ? ExitCode.failed : ExitCode.done
}

function plansOf({ targets, topics, producer }: Config, named: readonly Region[]): TopicPlan[] {
  const settings = { ...topics, batchBytes: tuningOf(producer).batchBytes }
  if (named.length > 0) return planRegions(named, settings)
  const chosen = targets.length > 0 ? targets : defaultTargets()
  return planTopics(
    chosen.map(({ target }) => target),
    settings
  )
}

function readRegions(texts: readonly string[]): readonly Region[] {
  if (texts.includes('all')) return regions
  return texts.map(text => {
    const region = regions.find(each => each === text)
    if (region !== undefined) return region
    const hint = didYouMean(text, [...regions, 'all'])
    throw new IngestError(
      'USAGE',
      `There is no region ${text}${hint === '' ? `; there are ${regions.join(', ')}, and all for all of them.` : hint}`
    )
  })
}
