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

/** A figure and, when it is not conclusive, the sentences that say why. */
export interface Finding {
  readonly figure: Figure
  readonly doubts: readonly string[]
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function finding(
  name: string,
  unit: string,
  values: readonly number[],
  doubts: readonly string[]
): Finding {
  const round = (value: number): number => Number(value.toPrecision(4))
  const figure = {
    name,
    value: round(median(values)),
    unit,
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    runs: values.length,
    conclusive: doubts.length === 0
  }
  return { figure, doubts }
}
