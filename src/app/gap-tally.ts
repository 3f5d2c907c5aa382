import { type ProducerStats } from '../../actors/producer/messages.ts'
import { type Gap } from '../domain/gap.ts'

/** The gaps that all lives of the producer have opened, from what they tell. */
export class GapTally {
  #opened = 0
  /** How many of them the last statistics know of. */
  #counted = 0
  readonly #open = new Map<string, Gap>()

  /** Those of whose end the sink is not known to have heard: when the producer dies they are its successor's. */
  get open(): readonly Gap[] {
    return [...this.#open.values()]
  }

  opened(gap: Gap): void {
    this.#opened++
    this.#open.set(gap.gap_id, gap)
  }

  closed(gapId: string): void {
    this.#open.delete(gapId)
  }

  /** Statistics have come, which know of everything that was opened so far. */
  counted(): void {
    this.#counted = this.#opened
  }

  /** @param stats the last that the producer told; null when it is new and has told none */
  summary(stats: ProducerStats | null): ProducerStats['gaps'] {
    // Statistics come once a second; what was opened since is taken for open.
    const since = this.#opened - this.#counted
    const open = stats === null ? this.#open.size : stats.gaps.open + since
    return { opened: this.#opened, closed: this.#opened - open, open }
  }
}
