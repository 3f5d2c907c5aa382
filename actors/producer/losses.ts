import { type Logger } from '../../src/core/logger.ts'
import { type Target } from '../../src/domain/target.ts'
import { type DeadLetters } from './dead-letters.ts'
import { type Gaps } from './gaps.ts'
import { type Route } from './sinks/record-sink.ts'
import { type Tracks } from './tracks.ts'

/** What was lost of one topic since it was told last. */
export interface TopicLoss {
  readonly topic: string
  records: number
  /** Of the first loss; the others seldom have another. */
  readonly reason: string
  readonly keys: Set<string>
  /** The target whose records they are; null for control records and where several lost some. */
  target: Target | null
  readonly isData: boolean
}

export interface LossesOptions {
  readonly tracks: Tracks
  readonly gaps: Gaps
  readonly deadLetters: DeadLetters
  readonly logger: Logger
  readonly nowMicros: () => number
  /** A topic whose records are kept elsewhere when they are not delivered; null for none. */
  readonly keptTopic: string | null
  /** Told with each line of the log. */
  readonly told: (loss: TopicLoss) => void
}

const toldEveryMicros = 1_000_000
const deadLetterTopic = 'ws.dlq'

/**
 * Declares what the sink gave up: each symbol's loss as a gap in the range of its times, a refused record as a dead
 * letter, and for people a line a topic, at most once a second, with all that came together in it.
 */
export class Losses {
  readonly #options: LossesOptions
  readonly #losses = new Map<string, TopicLoss>()
  #toldMicros = Number.NEGATIVE_INFINITY
  #isTelling = false
  /** Records that were not delivered. */
  records = 0

  constructor(options: LossesOptions) {
    this.#options = options
  }

  /** Kafka will never take this record: it is kept as a dead letter, unless it is one. */
  refused(route: Route, value: Uint8Array, receivedMicros: number, reason: string): void {
    if (route.topic === deadLetterTopic) return
    this.#options.deadLetters.record(route, value, receivedMicros, reason, this.#options.nowMicros())
  }

  undelivered(route: Route, firstMicros: number, lastMicros: number, count: number, reason: string): void {
    const { tracks, gaps, keptTopic } = this.#options
    if (route.topic === keptTopic) return
    this.records += count
    const track = tracks.byRoute(route)
    this.#note(route, count, reason, track?.target ?? null)
    if (track === undefined) return
    const { target, symbol, lastConnectionId: connectionId } = track
    const gap = gaps.begin(target, symbol, {
      reason: 'undelivered',
      connectionId,
      openedMicros: firstMicros - 1,
      lastFrameSeq: null,
      lastSequence: null,
      missed: count,
      shed: null
    })
    const end = { connectionId, receivedMicros: lastMicros + 1, frameSeq: null, sequence: null }
    gaps.end(target, symbol, gap, end)
  }

  /** Tells what has not been told; called about once a second, and at the end. */
  tell(): void {
    this.#isTelling = false
    if (this.#losses.size === 0) return
    this.#toldMicros = this.#options.nowMicros()
    const losses = [...this.#losses.values()]
    this.#losses.clear()
    for (const loss of losses) {
      const { topic, records, keys, reason } = loss
      this.#options.logger.error(
        { code: 'RECORD_UNDELIVERED', topic, records, keys: keys.size, example: [...keys][0] },
        reason
      )
      this.#options.told(loss)
    }
  }

  #note(route: Route, count: number, reason: string, target: Target | null): void {
    const known = this.#losses.get(route.topic)
    if (known === undefined) {
      const keys = new Set([route.key])
      const { topic } = route
      this.#losses.set(topic, { topic, records: count, reason, keys, target, isData: target !== null })
    } else {
      known.records += count
      known.keys.add(route.key)
      if (known.target !== target) known.target = null
    }
    if (this.#isTelling || this.#options.nowMicros() - this.#toldMicros < toldEveryMicros) return
    // The sink tells one route after the other: the line is written when it is done.
    this.#isTelling = true
    queueMicrotask(() => this.tell())
  }
}
