import { type ChannelCheck } from './channel-check.ts'
import { type GapEdges } from './gap-list.ts'

/** What became of a channel's events. */
export interface CoverageCounts {
  readonly sent: number
  readonly delivered: number
  readonly superseded: number
  readonly missing: number
  readonly declaredMissing: number
}

/** One run of positions whose events are missing, first and last. */
export interface MissingRun {
  readonly first: number
  readonly last: number
}

/**
 * The account of one channel's events at one moment: which were delivered, which a snapshot supersedes, which lie in a
 * declared gap. Made for an evaluation and thrown away after it. Events are counted by their position on the wire, which
 * differs from their ordinal only where two were swapped on request; a position's ordinal is found as an ordinal's
 * position is.
 */
export class Coverage {
  readonly channel: ChannelCheck
  readonly #sent: number
  /** Highest position among the first n deliveries, at n. */
  readonly #highestBefore: Int32Array
  /** Lowest position that may still come at or behind the n-th delivery, at n. */
  readonly #lowestFrom: Int32Array
  /** Events not delivered among the first n, at n. */
  readonly #lostBefore: Int32Array
  /** +1 where a declared range begins, -1 behind its end. */
  readonly #declared: Int32Array

  /** @param sent number of events that are due; later ones are on their way */
  constructor(channel: ChannelCheck, sent: number) {
    this.channel = channel
    this.#sent = sent
    const { delivered, ledger } = channel
    const count = delivered.count
    // What a snapshot covers are ordinals.
    const positionOf = (index: number): number =>
      delivered.isSnapshot(index) ? delivered.ordinal(index) : ledger.wirePosition(delivered.ordinal(index))
    this.#highestBefore = new Int32Array(count + 1)
    this.#lowestFrom = new Int32Array(count + 1)
    this.#highestBefore[0] = -1
    for (let i = 0; i < count; i++) {
      this.#highestBefore[i + 1] = Math.max(this.#highestBefore[i]!, positionOf(i))
    }
    this.#lowestFrom[count] = sent
    for (let i = count - 1; i >= 0; i--) {
      // What a snapshot covers is superseded; its first event behind it is the next one.
      const lowest = positionOf(i) + (delivered.isSnapshot(i) ? 1 : 0)
      this.#lowestFrom[i] = Math.min(this.#lowestFrom[i + 1]!, lowest)
    }
    this.#lostBefore = new Int32Array(sent + 1)
    for (let position = 0; position < sent; position++) {
      const isLost = !channel.isDelivered(ledger.wirePosition(position))
      this.#lostBefore[position + 1] = this.#lostBefore[position]! + (isLost ? 1 : 0)
    }
    this.#declared = new Int32Array(sent + 1)
  }

  /**
   * Declares what lies strictly between the last event before a gap and the first after it.
   * @param endMax bound where nothing was delivered after the gap
   * @returns whether an event of the range was lost
   */
  declare(edges: GapEdges, endMax: number): boolean {
    const first = this.#highestBefore[edges.before + 1]! + 1
    const hasAfter = edges.after < this.channel.delivered.count
    const end = Math.min(hasAfter ? this.#lowestFrom[edges.after]! : endMax, this.#sent)
    if (end <= first) return false
    this.#declared[first] = this.#declared[first]! + 1
    this.#declared[end] = this.#declared[end]! - 1
    return this.#lostBefore[end]! > this.#lostBefore[first]!
  }

  /** Counts every event once; `missing` is told each run that no gap declares. */
  count(missing: (run: MissingRun) => void): CoverageCounts {
    const { channel } = this
    const covered = channel.ledger.isDeltaBook ? channel.coveredThrough : -1
    let [delivered, superseded, missingCount, declaredMissing, depth, runStart] = [0, 0, 0, 0, 0, -1]
    for (let position = 0; position < this.#sent; position++) {
      depth += this.#declared[position]!
      const ordinal = channel.ledger.wirePosition(position)
      let isMissing = false
      if (channel.isDelivered(ordinal)) delivered++
      else if (ordinal <= covered) superseded++
      else if (depth > 0) declaredMissing++
      else {
        missingCount++
        isMissing = true
      }
      if (isMissing && runStart < 0) runStart = position
      else if (!isMissing && runStart >= 0) {
        missing({ first: runStart, last: position - 1 })
        runStart = -1
      }
    }
    if (runStart >= 0) missing({ first: runStart, last: this.#sent - 1 })
    return { sent: this.#sent, delivered, superseded, missing: missingCount, declaredMissing }
  }
}
