import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ambientLoad } from './ambient.ts'
import { codecFindings } from './codec.ts'
import { type Finding } from './figure.ts'
import { type Pace, versusKafkajs, versusNaive, versusTaskPerMessage } from './pipeline.ts'
import { type BenchReport, reportJson, reportTable } from './report.ts'

const usage = `npm run bench -- [--quick] [--json] [--only NAME]

  --quick      fewer and shorter rounds, under three minutes
  --json       one JSON document on stdout instead of the table
  --only NAME  only the suite with figures of this name, or of names that begin with it

With KAFKA_BROKERS set the pipeline is measured on that Kafka too.`

interface Suite {
  readonly figures: readonly string[]
  run(pace: Pace, ambient: number): Promise<readonly Finding[]>
}

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(/[\s,]+/).filter(each => each !== '')

const suites: readonly Suite[] = [
  {
    figures: ['codec.bytes_to_avro_vs_parse'],
    run: async (pace, ambient) => codecFindings(pace.rounds * 7, 60, ambient)
  },
  {
    figures: [
      'pipeline.vs_naive',
      'pipeline.events_per_s_vs_naive',
      'pipeline.cpu_us_per_record',
      'pipeline.records_per_s'
    ],
    run: versusNaive
  },
  { figures: ['pipeline.vs_offload_per_message'], run: versusTaskPerMessage },
  ...(brokers.length === 0
    ? []
    : [
        {
          figures: ['pipeline.vs_kafkajs_send'],
          run: (pace: Pace, ambient: number) => versusKafkajs(brokers, pace, ambient)
        }
      ])
]

process.exitCode = await main()

async function main(): Promise<number> {
  let flags: { quick: boolean; json: boolean; help: boolean; only?: string | undefined }
  try {
    flags = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        only: { type: 'string' }
      }
    }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return 2
  }
  if (flags.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const only = flags.only ?? ''
  const chosen = suites.filter(({ figures }) => figures.some(name => name.startsWith(only)))
  if (chosen.length === 0) {
    const names = suites.flatMap(({ figures }) => figures).join(', ')
    process.stderr.write(`There is no figure "${only}"; there are ${names}.\n`)
    return 2
  }
  const pace = flags.quick
    ? { rounds: 3, warmUpMs: 2_500, measureMs: 4_000 }
    : { rounds: 5, warmUpMs: 4_000, measureMs: 10_000 }
  const report = await runSuites(chosen, pace)
  process.stdout.write(`${flags.json ? reportJson(report) : reportTable(report)}\n`)
  return 0
}

async function runSuites(chosen: readonly Suite[], pace: Pace): Promise<BenchReport> {
  const processors = cpus()
  const ambient = await ambientLoad(2_000)
  const findings: Finding[] = []
  for (const suite of chosen) {
    process.stderr.write(`measuring ${suite.figures.join(', ')} …\n`)
    findings.push(...(await suite.run(pace, ambient)))
  }
  return {
    machine: `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    node: process.versions.node,
    ambientLoad: ambient,
    findings
  }
}
