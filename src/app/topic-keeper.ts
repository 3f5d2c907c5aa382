import { planTopics, type TopicPlan } from '../../actors/kafka/topic-plan.ts'
import { manageTopics, type TopicReport } from '../../actors/kafka/topics.ts'
import { type Config } from '../config/schema.ts'
import { type Clock } from '../core/clock.ts'
import { asIngestError } from '../core/errors.ts'
import { type Logger } from '../core/logger.ts'
import { tuningOf } from '../domain/producer-tuning.ts'
import { type Target } from '../domain/target.ts'

const againAfterMs = 2_000
const lookEveryMs = 60_000
/** A look that began this shortly before is as good as a new one. */
const freshMs = 1_000

/** Partition counts of the topics in use: the planned ones for the embedded log, or what Kafka has. */
export class TopicKeeper {
  readonly #config: Config
  readonly #plans: readonly TopicPlan[]
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #manage: typeof manageTopics
  #partitions: Readonly<Record<string, number>>
  #onChanged: (() => void) | null = null
  #looking: Promise<void> | null = null
  #lookedMicros = Number.NEGATIVE_INFINITY
  #timer: unknown = null
  #isFailing = false
  #isClosed = false
  /** Sentences of the last look: what stays as it is is said once. */
  #said: ReadonlySet<string> = new Set()

  constructor(
    config: Config,
    targets: readonly Target[],
    logger: Logger,
    clock: Clock,
    manage: typeof manageTopics = manageTopics
  ) {
    this.#config = config
    this.#logger = logger
    this.#clock = clock
    this.#manage = manage
    const { batchBytes } = tuningOf(config.producer)
    this.#plans = planTopics(targets, { ...config.topics, batchBytes })
    this.#partitions = Object.fromEntries(this.#plans.map(({ topic, partitions }) => [topic, partitions]))
  }

  get partitions(): Readonly<Record<string, number>> {
    return this.#partitions
  }

  /**
   * Creates or verifies the topics, and does so again every minute until it is closed. While Kafka cannot be reached the
   * counts known so far are assumed, and it is tried again soon; `onChanged` is called when what Kafka has differs from
   * them. Resolves after the first look, whether it succeeded or not.
   */
  async open(onChanged: () => void): Promise<void> {
    this.#onChanged = onChanged
    await this.#lookOnce()
  }

  /** Looks at once, unless that has just been done or is being done. */
  look(): void {
    if (this.#onChanged === null) return
    if (this.#clock.nowMicros() - this.#lookedMicros < freshMs * 1000) return
    void this.#lookOnce()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#clock.clearTimeout(this.#timer)
  }

  #lookOnce(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return
    this.#clock.clearTimeout(this.#timer)
    this.#lookedMicros = this.#clock.nowMicros()
    const { kafka, topics } = this.#config
    let nextMs = lookEveryMs
    try {
      const mode = topics.manage ? 'create' : 'verify'
      const report = await this.#manage(kafka, this.#plans, mode, this.#logger)
      if (this.#isFailing) this.#logger.info('The topics are known now.')
      this.#isFailing = false
      this.#tell(report)
      this.#adopt(report.partitions)
    } catch (error) {
      const { code, message } = asIngestError(error)
      const sentence = message.replace(/\.?$/, '.')
      // Said once: it is tried every few seconds for as long as it lasts.
      if (!this.#isFailing)
        this.#logger.warn({ code }, `${sentence} The service goes on within its buffer and tries again.`)
      this.#isFailing = true
      nextMs = againAfterMs
    }
    if (!this.#isClosed) this.#timer = this.#clock.setTimeout(() => void this.#lookOnce(), nextMs)
  }

  #tell({ created, missing, mismatches, refused }: TopicReport): void {
    if (created.length > 0) this.#logger.info(`Created ${created.join(', ')}.`)
    const absent = this.#config.topics.manage
      ? []
      : missing.map(
          topic =>
            `Topic ${topic} does not exist, or this user may not see it, and topics.manage is off; create it with \`coin-stream topics apply\`.`
        )
    const sentences = [...mismatches, ...absent, ...refused]
    for (const sentence of sentences) {
      if (!this.#said.has(sentence)) this.#logger.warn({ code: 'TOPIC_UNFIT' }, sentence)
    }
    this.#said = new Set(sentences)
  }

  #adopt(found: Readonly<Record<string, number>>): void {
    const isChanged = Object.entries(found).some(([topic, count]) => this.#partitions[topic] !== count)
    this.#partitions = { ...this.#partitions, ...found }
    if (isChanged && !this.#isClosed) this.#onChanged?.()
  }
}
