/** One figure of the bench; ratios are "how many times better than the other". */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly min: number
  readonly max: number
  readonly runs: number
  /** Whether the machine was quiet enough, and the flood cheap enough, to believe it. */
  readonly conclusive: boolean
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function figure(name: string, unit: string, values: readonly number[], conclusive: boolean): Figure {
  const round = (value: number): number => Number(value.toPrecision(4))
  return {
    name,
    value: round(median(values)),
    unit,
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    runs: values.length,
    conclusive
  }
}
