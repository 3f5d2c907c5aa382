/** One figure of the bench; ratios are "how many times better than the other". */
export interface Figure {
  readonly name: string
  /** Null when it could not be measured at all. */
  readonly value: number | null
  readonly unit: string
  readonly min: number | null
  readonly max: number | null
  readonly runs: number
  /** Whether the machine was quiet enough, and all sides did what was asked, to believe it. */
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

/** Of a sample in any order; 0 for an empty one. */
export function quantile(values: Float64Array | readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export function finding(
  name: string,
  unit: string,
  values: readonly number[],
  doubts: readonly string[]
): Finding {
  const round = (value: number): number | null =>
    Number.isFinite(value) ? Number(value.toPrecision(4)) : null
  const figure = {
    name,
    value: values.length === 0 ? null : round(median(values)),
    unit,
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    runs: values.length,
    conclusive: doubts.length === 0 && values.length > 0
  }
  return { figure, doubts }
}

/** A figure that could not be measured, and why. */
export function unmeasured(name: string, unit: string, reason: string): Finding {
  return finding(name, unit, [], [reason])
}
