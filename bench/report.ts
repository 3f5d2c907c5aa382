import { type Finding } from './figure.ts'

export interface BenchReport {
  readonly machine: string
  readonly node: string
  /** Part of the machine that was busy before the bench began, 0 to 1. */
  readonly ambientLoad: number
  readonly findings: readonly Finding[]
}

/** The document for machines. */
export function reportJson({ machine, node, ambientLoad, findings }: BenchReport): string {
  const figures = findings.map(({ figure }) => figure)
  return JSON.stringify({ machine, node, ambient_load: Number(ambientLoad.toFixed(3)), figures })
}

/** The table for people; ratios say how many times better the service is than the other. */
export function reportTable({ machine, node, ambientLoad, findings }: BenchReport): string {
  const rows = findings.map(({ figure, doubts }) => [
    figure.name,
    String(figure.value),
    figure.unit,
    `${figure.min}–${figure.max}`,
    doubts.length === 0 ? '' : 'inconclusive'
  ])
  const header = ['figure', 'median', 'unit', 'min–max', '']
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 1 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  const reasons = findings
    .filter(({ doubts }) => doubts.length > 0)
    .map(({ figure, doubts }) => `${figure.name} is inconclusive: ${doubts.join('; ')}.`)
  const head = `${machine}, Node ${node}, ${(ambientLoad * 100).toFixed(0)} % busy before the bench`
  return [head, '', line(header), ...rows.map(line), ...(reasons.length > 0 ? ['', ...reasons] : [])].join(
    '\n'
  )
}
