import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Finding } from '../figure.ts'
import { projectFile } from '../project.ts'
import { type BenchReport } from './summary.ts'

/** The ratios of the last runs that were accepted. Absolute figures belong to one machine and are not kept. */
export interface Baselines {
  readonly machine: string
  readonly node: string
  readonly date: string
  readonly ratios: Readonly<Record<string, number>>
}

type Pace = 'quick' | 'full'

/** Windows differ with the pace, so each is compared with its own. */
function paceOf({ isQuick }: BenchReport): Pace {
  return isQuick ? 'quick' : 'full'
}

const file = (): string => projectFile('bench/baselines.json')

/** Ratios say "times …" as their unit. */
function isRatio({ figure }: Finding): boolean {
  return figure.unit.startsWith('times ') && figure.value !== null
}

function readFile(): Partial<Record<Pace, Baselines>> {
  return existsSync(file())
    ? (JSON.parse(readFileSync(file(), 'utf8')) as Partial<Record<Pace, Baselines>>)
    : {}
}

/** Those of runs like this one; null when none was accepted yet. */
export function readBaselines(report: BenchReport): Baselines | null {
  return readFile()[paceOf(report)] ?? null
}

/** Keeps the conclusive ratios; those of suites that did not run stay as they were. */
export function writeBaselines(report: BenchReport): number {
  const kept = report.findings.filter(each => isRatio(each) && each.doubts.length === 0)
  const fresh = Object.fromEntries(kept.map(({ figure }) => [figure.name, figure.value!]))
  const ratios = { ...readBaselines(report)?.ratios, ...fresh }
  const sorted = Object.fromEntries(Object.entries(ratios).sort(([a], [b]) => (a < b ? -1 : 1)))
  const baselines: Baselines = {
    machine: report.machine,
    node: report.node,
    date: new Date().toISOString().slice(0, 10),
    ratios: sorted
  }
  writeFileSync(file(), `${JSON.stringify({ ...readFile(), [paceOf(report)]: baselines }, null, 2)}\n`)
  return kept.length
}

/** `+4 %`, or nothing where there is no baseline. */
export function changeText(finding: Finding, baselines: Baselines | null): string {
  const before = baselines?.ratios[finding.figure.name]
  const { value } = finding.figure
  if (before === undefined || value === null) return ''
  const change = Math.round((value / before - 1) * 100)
  return `${change >= 0 ? '+' : ''}${change} %`
}
