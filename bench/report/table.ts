import { type Baselines, changeText } from './baselines.ts'
import { type BenchReport, doubtTexts, headline, spreadText, valueText } from './summary.ts'
import { targetText } from './targets.ts'

/** The table for people; ratios say how many times better the service is than the other. */
export function reportTable(report: BenchReport, baselines: Baselines | null): string {
  const rows = report.findings.map(each => [
    each.figure.name,
    valueText(each),
    each.figure.unit,
    spreadText(each),
    targetText(each),
    changeText(each, baselines),
    each.doubts.length === 0 ? '' : 'inconclusive'
  ])
  const header = ['figure', 'median', 'unit', 'min–max', 'target', 'baseline', '']
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 1 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  const notes = [...doubtTexts(report.findings), ...report.skipped, ...report.failed]
  return [
    headline(report),
    '',
    line(header),
    ...rows.map(line),
    ...(notes.length > 0 ? ['', ...notes] : [])
  ].join('\n')
}
