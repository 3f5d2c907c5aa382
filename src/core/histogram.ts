const subBits = 4
const sub = 1 << subBits
const buckets = 40 * sub

/**
 * Counts non-negative values (here microseconds) in log-linear buckets of 1/16 relative width, without allocation.
 * Lives on plain or shared memory, so that one thread may record and another read.
 */
export class Histogram {
  static readonly length = buckets
  readonly counts: Float64Array

  constructor(counts: Float64Array = new Float64Array(buckets)) {
    this.counts = counts
  }

  record(value: number): void {
    const index = bucketOf(value)
    this.counts[index] = this.counts[index]! + 1
  }

  /** The upper bound of the bucket that holds quantile `q` (0…1); 0 when nothing was recorded. */
  quantile(q: number): number {
    let total = 0
    for (const count of this.counts) total += count
    if (total === 0) return 0
    const wanted = Math.max(1, Math.ceil(q * total))
    let seen = 0
    for (let i = 0; i < buckets; i++) {
      seen += this.counts[i]!
      if (seen >= wanted) return upperBound(i)
    }
    return upperBound(buckets - 1)
  }

  add(other: Histogram): void {
    for (let i = 0; i < buckets; i++) this.counts[i] = this.counts[i]! + other.counts[i]!
  }
}

function bucketOf(value: number): number {
  if (value < sub) return value > 0 ? value | 0 : 0
  const capped = value > 0x7fffffff ? 0x7fffffff : value | 0
  const exponent = 31 - Math.clz32(capped) - subBits
  return (exponent + 1) * sub + ((capped >> exponent) & (sub - 1))
}

function upperBound(index: number): number {
  if (index < sub) return index
  const exponent = Math.floor(index / sub) - 1
  // A product, not a shift: the bound of the last bucket needs the 32nd bit.
  return ((index % sub) + sub + 1) * 2 ** exponent - 1
}
