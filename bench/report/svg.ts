import { type BarChart, type Drawing, type HeatMap, type LineChart } from './drawings.ts'

const colours = ['#1f6feb', '#d1642a', '#3a8f4d', '#8250df', '#946200']
const text = 'font-family="system-ui,sans-serif" font-size="12"'

export function escaped(plain: string): string {
  return plain
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A drawing as inline SVG: no script, no font and no file beside it. */
export function svgOf(drawing: Drawing): string {
  switch (drawing.kind) {
    case 'bars':
      return barsOf(drawing)
    case 'lines':
      return linesOf(drawing)
    case 'heat':
      return heatOf(drawing)
  }
}

function svg(width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img">${parts.join('')}</svg>`
}

function label(x: number, y: number, plain: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${text} text-anchor="${anchor}">${escaped(plain)}</text>`
}

/** Three digits are all that a bench knows. */
function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toPrecision(3)}M`
  if (Math.abs(value) >= 1e4) return `${Math.round(value / 1e3)}k`
  return String(Number(value.toPrecision(3)))
}

function barsOf({ bars, unit }: BarChart): string {
  const [left, width, height] = [210, 300, 22]
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const parts = bars.flatMap(({ label: name, value, note }, i) => {
    const y = i * height
    const long = (value / most) * width
    const said = `${short(value)} ${unit}${note === '' ? '' : ` (${note})`}`
    return [
      label(left - 8, y + 15, name, 'end'),
      `<rect x="${left}" y="${y + 3}" width="${long.toFixed(1)}" height="${height - 6}" fill="${colours[i === 0 ? 0 : 1]}"/>`,
      label(left + long + 6, y + 15, said)
    ]
  })
  return svg(left + width + 130, bars.length * height + 4, parts)
}

function linesOf({ lines, xLabel, yLabel, isLogX }: LineChart): string {
  const [left, top, width, height] = [56, 12, 380, 180]
  const points = lines.flatMap(line => line.points)
  const across = (x: number): number => (isLogX ? Math.log10(x) : x)
  const xs = points.map(([x]) => across(x))
  const [from, to] = [Math.min(...xs), Math.max(...xs)]
  const most = Math.max(...points.map(([, y]) => y), Number.MIN_VALUE)
  const px = (x: number): number => left + (to === from ? 0.5 : (across(x) - from) / (to - from)) * width
  const py = (y: number): number => top + height - (y / most) * height
  const ticks = [...new Set(points.map(([x]) => x))]
  const shown = ticks.length <= 8 ? ticks : [ticks[0]!, ticks[ticks.length >> 1]!, ticks.at(-1)!]
  const parts = [
    `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="#999"/>`,
    label(left - 6, top + 8, short(most), 'end'),
    label(left - 6, top + height, '0', 'end'),
    label(left - 6, top + height / 2, yLabel, 'end'),
    label(left + width / 2, top + height + 34, xLabel, 'middle'),
    ...shown.map(x => label(px(x), top + height + 16, short(x), 'middle')),
    ...lines.flatMap((line, i) => {
      const colour = colours[i % colours.length]!
      const path = line.points.map(
        ([x, y], n) => `${n === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`
      )
      return [
        `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        `<rect x="${left + width + 12}" y="${top + i * 18}" width="10" height="10" fill="${colour}"/>`,
        label(left + width + 28, top + i * 18 + 9, line.label)
      ]
    })
  ]
  return svg(left + width + 120, top + height + 40, parts)
}

function heatOf({ columns, rows, values, unit, isMoreBetter }: HeatMap): string {
  const [left, top, width, height] = [64, 22, 84, 30]
  const all = values.flat()
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const parts = [
    ...columns.map((name, i) => label(left + i * width + width / 2, 14, name, 'middle')),
    ...rows.flatMap((name, r) => [
      label(left - 6, top + r * height + 20, name, 'end'),
      ...values[r]!.flatMap((value, c) => {
        const share = most === least ? 0.5 : (value - least) / (most - least)
        const light = 92 - (isMoreBetter ? share : 1 - share) * 45
        const place = `x="${left + c * width}" y="${top + r * height}" width="${width - 2}" height="${height - 2}"`
        return [
          `<rect ${place} fill="hsl(212 70% ${light.toFixed(0)}%)"/>`,
          label(left + c * width + width / 2, top + r * height + 19, short(value), 'middle')
        ]
      })
    ]),
    label(left, top + rows.length * height + 16, unit)
  ]
  return svg(left + columns.length * width + 8, top + rows.length * height + 24, parts)
}
