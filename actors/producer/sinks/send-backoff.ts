const backoffMinMs = 100
const backoffMaxMs = 1_000
/** For what only an operator can mend. */
export const alertBackoffMs = 5_000

/** Milliseconds before the next attempt: 100, doubled up to 1,000, ±20 %. `failures` is how many came before this one. */
export function backoffMs(failures: number): number {
  const base = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures, 10))
  return base * (0.8 + 0.4 * Math.random())
}
