export interface BackoffPolicy {
  readonly baseMs: number
  readonly capMs: number
  /** No delay is shorter, whatever the dice say. */
  readonly floorMs: number
}

/**
 * Full jitter: a uniform draw from zero to a bound that doubles with every failure, so that many clients that failed
 * together do not come back together.
 *
 * @param failures failures before this one; 0 draws from the base
 * @param random uniform in [0, 1)
 */
export function backoffMs(policy: BackoffPolicy, failures: number, random: () => number): number {
  // Beyond 2^30 the bound is the cap anyway, and the power stays a finite number.
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures, 30))
  return Math.max(policy.floorMs, random() * bound)
}
