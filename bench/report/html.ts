import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { projectFile } from '../project.ts'
import { type Baselines, changeText } from './baselines.ts'
import { type BenchReport, doubtTexts, headline, spreadText, valueText } from './summary.ts'
import { escaped, svgOf } from './svg.ts'
import { meetsTarget, targetText } from './targets.ts'

const style = `body{font:14px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid #eee}
td.n{text-align:right;font-variant-numeric:tabular-nums}.met{color:#176f2c}.missed{color:#b3261e}
.doubt td{color:#888}figure{display:inline-block;margin:1rem 2rem 1rem 0;vertical-align:top}
figcaption{font-weight:600;margin-bottom:.3rem}`

/** Writes the report, one file without any other; answers its path. */
export function writeReport(report: BenchReport, baselines: Baselines | null, at: Date): string {
  const stamp = at.toISOString().slice(0, 19).replaceAll(':', '')
  const file = projectFile(`bench/reports/${stamp}.html`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, htmlOf(report, baselines, at))
  return file
}

function htmlOf(report: BenchReport, baselines: Baselines | null, at: Date): string {
  const rows = report.findings.map(each => {
    const met = meetsTarget(each)
    const targetClass = met === null ? '' : met ? 'met' : 'missed'
    const cells = [
      `<td>${escaped(each.figure.name)}</td>`,
      `<td class="n">${valueText(each)}</td>`,
      `<td>${escaped(each.figure.unit)}</td>`,
      `<td>${spreadText(each)}</td>`,
      `<td class="${targetClass}">${targetText(each)}</td>`,
      `<td class="n">${changeText(each, baselines)}</td>`
    ]
    return `<tr${each.doubts.length > 0 ? ' class="doubt"' : ''}>${cells.join('')}</tr>`
  })
  const notes = [...doubtTexts(report.findings), ...report.skipped, ...report.failed]
  const against =
    baselines === null
      ? 'There is no baseline yet.'
      : `Baseline: full run of ${baselines.date} on ${baselines.machine}, Node ${baselines.node}.`
  const figures = report.drawings.map(
    drawing => `<figure><figcaption>${escaped(drawing.title)}</figcaption>${svgOf(drawing)}</figure>`
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>coin-stream bench</title>
<link rel="icon" href="data:,"><style>${style}</style></head><body>
<h1>coin-stream bench</h1>
<p>${escaped(headline(report))}; ${at.toISOString()}. ${escaped(against)}
Ratios say how many times better coin-stream is than the other; grey figures are inconclusive.</p>
${figures.join('\n')}
<h2>Figures</h2>
<table><tr><th>figure</th><th>median</th><th>unit</th><th>min–max</th><th>target</th><th>against baseline</th></tr>
${rows.join('\n')}
</table>
${notes.length === 0 ? '' : `<h2>Notes</h2><ul>${notes.map(note => `<li>${escaped(withoutPaths(note))}</li>`).join('')}</ul>`}
</body></html>
`
}

/** What programs complain of names files of this machine, which are nobody else's concern. */
function withoutPaths(text: string): string {
  return [projectFile(''), homedir(), tmpdir()].reduce((left, path) => left.replaceAll(path, '…/'), text)
}
