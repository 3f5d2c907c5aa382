import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ambientLoad } from './ambient.ts'
import { formatsSuite } from './codec/formats.ts'
import { transcodeSuite } from './codec/transcode.ts'
import { venuesSuite } from './codec/venues.ts'
import { type Finding } from './figure.ts'
import { BenchKafka } from './kafka.ts'
import { soakSuite } from './pipeline/soak.ts'
import { symbolsSuite } from './pipeline/symbols.ts'
import { embeddedSuite, pipelineSuite } from './pipeline/versus.ts'
import { latencySuite } from './producer/latency.ts'
import { sweepSuite } from './producer/sweep.ts'
import { producerSuite } from './producer/throughput.ts'
import { readBaselines, writeBaselines } from './report/baselines.ts'
import { type Drawing } from './report/drawings.ts'
import { writeReport } from './report/html.ts'
import { type BenchReport, reportJson } from './report/summary.ts'
import { reportTable } from './report/table.ts'
import { type Pace, type Suite } from './suite.ts'

const suites: readonly Suite[] = [
  transcodeSuite,
  formatsSuite,
  venuesSuite,
  producerSuite,
  latencySuite,
  sweepSuite,
  pipelineSuite,
  symbolsSuite,
  embeddedSuite,
  soakSuite
]

const usage = `npm run bench -- [--quick] [--json] [--only NAME] [--report] [--update-baselines]

  --quick             fewer and shorter rounds, under three minutes; without the soak
  --json              one JSON document on stdout instead of the table
  --only NAME         only the suite of this name (${suites.map(({ name }) => name).join(', ')}),
                      or those with figures whose names begin so
  --report            writes a page with plots into bench/reports/ and names it
  --update-baselines  keeps the conclusive ratios of this run in bench/baselines.json

Kafka is the one in KAFKA_BROKERS, else one that is started for the bench (scripts/services.mjs).`

type Flags = ReturnType<typeof readFlags>

process.exitCode = await main()

async function main(): Promise<number> {
  let flags: Flags
  try {
    flags = readFlags()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return 2
  }
  if (flags.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const chosen = choose(flags)
  if (chosen.length === 0) {
    const names = suites.flatMap(({ name, figures }) => [name, ...figures]).join(', ')
    process.stderr.write(`There is no suite and no figure "${flags.only ?? ''}"; there are ${names}.\n`)
    return 2
  }
  const report = await runSuites(chosen, { isQuick: flags.quick, rounds: flags.quick ? 3 : 5 })
  const baselines = readBaselines(report)
  process.stdout.write(`${flags.json ? reportJson(report) : reportTable(report, baselines)}\n`)
  if (flags.report) process.stderr.write(`report: ${writeReport(report, baselines, new Date())}\n`)
  if (flags['update-baselines']) process.stderr.write(`baselines: ${writeBaselines(report)} ratios kept\n`)
  if (flags.json) for (const note of [...report.skipped, ...report.failed]) process.stderr.write(`${note}\n`)
  return report.failed.length > 0 ? 1 : 0
}

function readFlags() {
  return parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      'update-baselines': { type: 'boolean', default: false },
      only: { type: 'string' }
    }
  }).values
}

function choose({ only, quick }: Flags): Suite[] {
  if (only === undefined) {
    // The soak takes five minutes, symbols and the heat map need long windows, and a quick look is not for the embedded log.
    const long: readonly Suite[] = [soakSuite, symbolsSuite, sweepSuite, embeddedSuite]
    return suites.filter(suite => !quick || !long.includes(suite))
  }
  const named = suites.filter(({ name }) => name === only)
  return named.length > 0
    ? named
    : suites.filter(({ figures }) =>
        figures.some(name => name.startsWith(only) || only.startsWith(`${name}.`))
      )
}

async function runSuites(wanted: readonly Suite[], pace: Pace): Promise<BenchReport> {
  const startMs = performance.now()
  const processors = cpus()
  const ambient = await ambientLoad(pace.isQuick ? 1_000 : 3_000)
  const folder = mkdtempSync(join(tmpdir(), 'coin-stream-bench-'))
  const kafka = wanted.some(suite => suite.needsKafka) ? await BenchKafka.open() : ''
  const hasNone = typeof kafka === 'string' && wanted.includes(pipelineSuite)
  const chosen = new Set(hasNone ? [...wanted, embeddedSuite] : wanted)
  const findings: Finding[] = []
  const drawings: Drawing[] = []
  const skipped: string[] = []
  const failed: string[] = []
  try {
    for (const suite of chosen) {
      if (suite.needsKafka && typeof kafka === 'string') {
        skipped.push(
          `The suite ${suite.name} was skipped, since there is no Kafka: name one in KAFKA_BROKERS, or see to what starting one needs (${kafka}).`
        )
        continue
      }
      const suiteMs = performance.now()
      process.stderr.write(`measuring ${suite.name} …`)
      const context = { pace, ambient, folder, kafka: kafka as BenchKafka }
      try {
        const outcome = await suite.run(context)
        findings.push(...outcome.findings)
        drawings.push(...(outcome.drawings ?? []))
      } catch (error) {
        // What the others measured is not lost with it.
        failed.push(
          `The suite ${suite.name} failed: ${error instanceof Error ? error.message : String(error)}.`
        )
      }
      process.stderr.write(` ${Math.round((performance.now() - suiteMs) / 1000)} s\n`)
    }
  } finally {
    if (typeof kafka !== 'string') await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    machine: `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    node: process.versions.node,
    ambientLoad: ambient,
    isQuick: pace.isQuick,
    tookMs: performance.now() - startMs,
    findings,
    drawings,
    skipped,
    failed
  }
}
