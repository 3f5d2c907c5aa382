import { median } from './figure.ts'

const ambientShareMax = 0.15
/** Of a fixed rate; a contender that stays behind it was not measured at it. */
const reachedShareMin = 0.95

export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`

/** Other programs before the bench and, where it is known, during it. */
export function ambientDoubts(before: number, during: readonly (number | null)[]): string[] {
  const known = during.filter(share => share !== null)
  const busy = Math.max(before, known.length === 0 ? 0 : median(known))
  return busy > ambientShareMax
    ? [`other programs took ${percent(busy)} of the machine (at most ${percent(ambientShareMax)})`]
    : []
}

export function rateDoubts(asked: number | null, reached: readonly number[]): string[] {
  const slowest = Math.min(...reached)
  return asked !== null && slowest < asked * reachedShareMin
    ? [`a contender reached only ${Math.round(slowest)} of ${asked} records/s`]
    : []
}
