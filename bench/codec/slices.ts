/** Two ways to do the same work. */
export interface Pair {
  readonly ours: () => void
  readonly theirs: () => void
}

/** Our time against theirs, slice by slice. */
export function ratios(pair: Pair, slices: number, sliceMs: number): number[] {
  return Array.from({ length: slices }, (_, slice) => {
    // Who comes first changes, since the first leaves its garbage to the second.
    if (slice % 2 === 0) {
      const ours = microsPerRun(pair.ours, sliceMs)
      return microsPerRun(pair.theirs, sliceMs) / ours
    }
    const theirs = microsPerRun(pair.theirs, sliceMs)
    return theirs / microsPerRun(pair.ours, sliceMs)
  })
}

/** CPU time, not the clock's: a program that takes the processor away for a while says nothing of either. */
export function microsPerRun(run: () => void, sliceMs: number): number {
  const start = process.cpuUsage()
  const endMs = performance.now() + sliceMs
  let runs = 0
  do {
    run()
    runs++
  } while (performance.now() < endMs)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / runs
}
