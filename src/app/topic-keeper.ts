import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { type Config } from '../config/schema.ts'
import { asIngestError } from '../core/errors.ts'
import { type Logger } from '../core/logger.ts'
import { connectSuccessTopic, controlTopics, dataTopic, defaultPartitions } from '../domain/routing.ts'
import { type Target } from '../domain/target.ts'

const againAfterMs = 2_000

/** Partition counts of the topics in use: the defaults of the embedded log, or what Kafka has. */
export class TopicKeeper {
  readonly #config: Config
  readonly #targets: readonly Target[]
  readonly #logger: Logger
  #partitions: Readonly<Record<string, number>>
  #timer: NodeJS.Timeout | null = null
  #isFailing = false
  #isClosed = false

  constructor(config: Config, targets: readonly Target[], logger: Logger) {
    this.#config = config
    this.#targets = targets
    this.#logger = logger
    const connects = targets.map(({ region }) => connectSuccessTopic(region))
    const topics = [...targets.map(dataTopic), ...connects, ...Object.keys(controlTopics)]
    this.#partitions = Object.fromEntries(topics.map(topic => [topic, defaultPartitions(topic)]))
  }

  get partitions(): Readonly<Record<string, number>> {
    return this.#partitions
  }

  /**
   * Creates or verifies the topics. While Kafka cannot be reached the planned counts are assumed, and it is tried again;
   * `onChanged` is called when what Kafka has differs from what was assumed.
   */
  async open(onChanged: () => void): Promise<void> {
    const { kafka, topics } = this.#config
    try {
      const plans = planTopics(this.#targets)
      const report = await manageTopics(kafka, plans, topics.manage ? 'create' : 'verify', this.#logger)
      for (const mismatch of report.mismatches) this.#logger.warn(mismatch)
      for (const topic of report.missing) {
        this.#logger.warn(
          `Topic ${topic} does not exist, and topics.manage is off: create it with \`kafka-topics\`.`
        )
      }
      if (this.#isFailing) this.#logger.info('The topics are known now.')
      this.#isFailing = false
      this.#adopt(report.partitions, onChanged)
    } catch (error) {
      const { code, message } = asIngestError(error)
      const sentence = message.replace(/\.?$/, '.')
      // Said once: it is tried every few seconds for as long as it lasts.
      if (!this.#isFailing)
        this.#logger.warn({ code }, `${sentence} The service goes on within its buffer and tries again.`)
      this.#isFailing = true
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.open(onChanged), againAfterMs)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #adopt(found: Readonly<Record<string, number>>, onChanged: () => void): void {
    const isChanged = Object.entries(found).some(([topic, count]) => this.#partitions[topic] !== count)
    this.#partitions = { ...this.#partitions, ...found }
    if (isChanged) onChanged()
  }
}
