/** What the report draws. */
export type Drawing = BarChart | LineChart | HeatMap

export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly unit: string
  readonly bars: readonly { readonly label: string; readonly value: number; readonly note: string }[]
}

export interface LineChart {
  readonly kind: 'lines'
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** Whether equal distances on the x axis are equal factors. */
  readonly isLogX: boolean
  readonly lines: readonly {
    readonly label: string
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
}

export interface HeatMap {
  readonly kind: 'heat'
  readonly title: string
  readonly unit: string
  readonly columns: readonly string[]
  readonly rows: readonly string[]
  /** By row, then column. */
  readonly values: readonly (readonly number[])[]
  /** Whether more is better: the better, the darker. */
  readonly isMoreBetter: boolean
}
