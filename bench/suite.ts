import { type Finding } from './figure.ts'
import { type BenchKafka } from './kafka.ts'
import { type Drawing } from './report/drawings.ts'

/** How long and how often: rounds are interleaved, so that the machine's moods hit all contenders alike. */
export interface Pace {
  readonly isQuick: boolean
  readonly rounds: number
}

export interface BenchContext {
  readonly pace: Pace
  /** Part of the machine that was busy before the bench began, 0 to 1. */
  readonly ambient: number
  readonly kafka: BenchKafka
  /** For whatever a suite writes; gone when the bench ends. */
  readonly folder: string
}

export interface SuiteOutcome {
  readonly findings: readonly Finding[]
  /** For the report, which shows more than figures. */
  readonly drawings?: readonly Drawing[]
}

export interface Suite {
  readonly name: string
  /** What its figures are called, or begin with. */
  readonly figures: readonly string[]
  readonly needsKafka: boolean
  run(context: BenchContext): Promise<SuiteOutcome>
}
