import { ambientDoubts, percent, rateDoubts } from '../doubts.ts'
import { type Pace } from '../suite.ts'
import { type Reading, Runner, type RunnerOptions } from './runner.ts'

/** Contenders at one rate, measured in turns. */
export interface Phase<Name extends string> {
  readonly names: readonly Name[]
  /** Null is as fast as each of them reads. */
  readonly eventsPerS: number | null
}

export type Readings<Name extends string> = ReadonlyMap<Name, readonly Reading[]>

const floodShareMax = 0.25
const droppedShareMax = 0.001

/**
 * Runs the phases. In a full run every measurement has a process of its own; in a quick one
 * each contender starts once, gets warm once and rests while the others are measured.
 */
export async function runPhases<Name extends string>(
  lineup: Readonly<Record<Name, RunnerOptions>>,
  phases: readonly Phase<Name>[],
  pace: Pace
): Promise<Readings<Name>[]> {
  return pace.isQuick ? inSharedProcesses(lineup, phases, pace) : inFreshProcesses(lineup, phases, pace)
}

const quick = { firstWarmUpMs: 2_000, warmUpMs: 600, measureMs: 1_000, flatOutMs: 2_000 }
const full = { firstWarmUpMs: 4_000, warmUpMs: 3_000, measureMs: 8_000 }

async function inSharedProcesses<Name extends string>(
  lineup: Readonly<Record<Name, RunnerOptions>>,
  phases: readonly Phase<Name>[],
  pace: Pace
): Promise<Readings<Name>[]> {
  const runners = new Map<Name, Runner>()
  try {
    // The first makes the topics.
    for (const [name, options] of Object.entries(lineup) as [Name, RunnerOptions][])
      runners.set(name, await Runner.start(options))
    for (const [name, runner] of runners)
      await runner.warmUp(lineup[name].warmUpEventsPerS, quick.firstWarmUpMs)
    const all: Readings<Name>[] = []
    for (const phase of phases) {
      all.push(
        await interleave(phase, pace, name =>
          runners.get(name)!.measure(
            phase.eventsPerS,
            quick.warmUpMs,
            // Flat out, broker and flood push each other about: a second shows one of their moods.
            phase.eventsPerS === null ? quick.flatOutMs : quick.measureMs
          )
        )
      )
    }
    return all
  } finally {
    await Promise.all([...runners.values()].map(runner => runner.stop()))
  }
}

async function inFreshProcesses<Name extends string>(
  lineup: Readonly<Record<Name, RunnerOptions>>,
  phases: readonly Phase<Name>[],
  pace: Pace
): Promise<Readings<Name>[]> {
  const all: Readings<Name>[] = []
  for (const phase of phases) {
    all.push(
      await interleave(phase, pace, async name => {
        const runner = await Runner.start(lineup[name])
        try {
          await runner.warmUp(lineup[name].warmUpEventsPerS, full.firstWarmUpMs)
          return await runner.measure(phase.eventsPerS, full.warmUpMs, full.measureMs)
        } finally {
          await runner.stop()
        }
      })
    )
  }
  return all
}

async function interleave<Name extends string>(
  { names }: Phase<Name>,
  pace: Pace,
  measure: (name: Name) => Promise<Reading>
): Promise<Readings<Name>> {
  const readings = new Map<Name, Reading[]>(names.map(name => [name, []]))
  for (let round = 0; round < pace.rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!
      readings.get(name)!.push(await measure(name))
    }
  }
  return readings
}

/** How many times less CPU per event than the other, round by round. */
export function cpuRatios(ours: readonly Reading[], theirs: readonly Reading[]): number[] {
  return ours.map((mine, i) => theirs[i]!.cpuMicrosPerRecord / mine.cpuMicrosPerRecord)
}

/** Why a figure made of these readings should not be believed. */
export function doubtsOf(readings: readonly Reading[], ambient: number, eventsPerS: number | null): string[] {
  const flood = Math.max(...readings.map(each => each.floodShare))
  const dropped = Math.max(...readings.map(each => each.droppedShare))
  return [
    ...ambientDoubts(
      ambient,
      readings.map(each => each.ambientShare)
    ),
    ...(flood > floodShareMax
      ? [`the flood took ${percent(flood)} of the machine (at most ${percent(floodShareMax)})`]
      : []),
    ...(readings.some(each => each.recordsPerS === 0) ? ['a window passed without a record'] : []),
    ...(dropped > droppedShareMax ? [`${percent(dropped)} of the events did not become records`] : []),
    ...rateDoubts(
      eventsPerS,
      readings.map(each => each.recordsPerS)
    )
  ]
}
