import { type Finding } from '../figure.ts'
import { type Drawing } from './drawings.ts'

export interface BenchReport {
  readonly machine: string
  readonly node: string
  /** Part of the machine that was busy before the bench began, 0 to 1. */
  readonly ambientLoad: number
  readonly isQuick: boolean
  readonly tookMs: number
  readonly findings: readonly Finding[]
  readonly drawings: readonly Drawing[]
  /** Suites that did not run, and why, in sentences. */
  readonly skipped: readonly string[]
  readonly failed: readonly string[]
}

/** The document for machines. */
export function reportJson({ machine, node, ambientLoad, findings }: BenchReport): string {
  const figures = findings.map(({ figure }) => figure)
  return JSON.stringify({ machine, node, ambient_load: Number(ambientLoad.toFixed(3)), figures })
}

export function headline({ machine, node, ambientLoad, isQuick, tookMs }: BenchReport): string {
  const busy = `${(ambientLoad * 100).toFixed(0)} % busy before the bench`
  return `${machine}, Node ${node}, ${busy}, ${isQuick ? 'quick' : 'full'} run of ${Math.round(tookMs / 1000)} s`
}

export function valueText({ figure }: Finding): string {
  return figure.value === null ? '–' : String(figure.value)
}

export function spreadText({ figure }: Finding): string {
  return figure.runs < 2 || figure.min === null ? '' : `${figure.min}–${figure.max}`
}

export function doubtTexts(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ doubts }) => doubts.length > 0)
    .map(({ figure, doubts }) => `${figure.name} is inconclusive: ${doubts.join('; ')}.`)
}
