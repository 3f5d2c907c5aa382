export interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
}

/** Rows of text under a line of titles, cut to the width of each column, with `gap` between columns. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  gap = '  '
): string[] {
  const line = (cells: readonly string[]) =>
    columns
      .map(({ width, align }, i) => {
        const text = cut(cells[i] ?? '', width)
        return align === 'left' ? text.padEnd(width) : text.padStart(width)
      })
      .join(gap)
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

/** At most `width` characters; what is cut off shows as an ellipsis. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
