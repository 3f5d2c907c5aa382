import { randomUUID } from 'node:crypto'
import { type Consumer, type EachBatchPayload, type Kafka } from 'kafkajs'
import { groupCoordinated } from '../bus/group-coordinator.ts'
import { createKafkaClient, type KafkaAccess } from '../bus/kafka-client.ts'
import { explainKafkaFault } from '../bus/kafka-fault.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { createLogger } from '../core/logger.ts'
import { type RecordReader, type RecordTaker, type ValuePreparer } from './record-source.ts'

/** A broker that is gone must not keep us: the client would try to say goodbye for ever. */
const closeWithinMs = 3000
const endsWithinMs = 30_000
const askAgainMs = 250
/** Partitions that are added while we read are looked for this often. */
const metadataMaxAgeMs = 5_000
/** The client gives up after some seconds, so that it can end; while the reader is open it is started again each time. */
const retry = { initialRetryTime: 200, maxRetryTime: 2000, retries: 5 }

/** How far one partition was read: the next offset that is wanted. */
interface PartitionPosition {
  next: bigint
  end: bigint
  /** A position to which we went back once because the client had jumped over it. */
  wentBackTo: bigint
}

/**
 * Reads topics back from Kafka: from the offsets that were their ends when it attached to those that are when it finishes.
 * The positions are its own. A consumer group is only the vehicle: whatever it delivers from before a position is passed
 * over, so that neither a late seek nor a rebalance can lose or repeat a record.
 */
export class KafkaReader implements RecordReader {
  readonly #kafka: Kafka
  readonly #access: KafkaAccess
  readonly #topics: readonly string[]
  readonly #take: RecordTaker
  readonly #note: (sentence: string) => void
  readonly #prepare: ValuePreparer
  readonly #positions = new Map<string, PartitionPosition[]>()
  readonly #groupId = `coin-stream-check-${randomUUID()}`
  #consumer: Consumer | null = null
  /** What interrupted the reading last; empty when it has read on since. */
  #trouble = ''
  #onProgress: (() => void) | null = null

  constructor(
    access: KafkaAccess,
    topics: readonly string[],
    take: RecordTaker,
    note: (sentence: string) => void,
    prepare: ValuePreparer = () => null
  ) {
    this.#access = { ...access, clientId: `${access.clientId}-check` }
    this.#kafka = createKafkaClient(this.#access, createLogger('silent', 'check'))
    this.#topics = topics
    this.#take = take
    this.#note = note
    this.#prepare = prepare
  }

  async attach(): Promise<void> {
    await this.#ends((topic, partition, end) => {
      Object.assign(this.#positionOf(topic, partition), { next: end, end })
    })
    await this.#coordinated()
    const consumer = this.#kafka.consumer({
      groupId: this.#groupId,
      maxWaitTimeInMs: 250,
      // Short: after an outage the group waits that long for the member that we were before.
      sessionTimeout: 8000,
      rebalanceTimeout: 8000,
      heartbeatInterval: 2000,
      maxBytesPerPartition: 4 * 1024 * 1024,
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      retry: { ...retry, restartOnFailure: async () => this.#consumer !== null }
    })
    this.#consumer = consumer
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#topics], fromBeginning: true })
    consumer.on(consumer.events.GROUP_JOIN, () => this.#seek(consumer))
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.#trouble = payload.error.message
      this.#note(`reading back from Kafka was interrupted: ${payload.error.message}`)
    })
    // A batch that is left half-way must not count as read.
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: payload => this.#batch(payload)
    })
  }

  async finish(deadlineMs: number): Promise<void> {
    await this.#ends((topic, partition, end) => {
      this.#positionOf(topic, partition).end = end
    })
    let timer: NodeJS.Timeout | undefined
    const outcome = await new Promise<'done' | 'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), deadlineMs)
      this.#onProgress = () => {
        if (this.#isAtEnd()) resolve('done')
      }
      this.#onProgress()
    })
    clearTimeout(timer)
    this.#onProgress = null
    if (outcome === 'late') {
      const why = this.#trouble === '' ? '' : ` (last trouble: ${this.#trouble.replace(/\.$/, '')})`
      const left = this.#left()
      throw new IngestError(
        'SINK_UNAVAILABLE',
        `Kafka could not be read to its end within ${deadlineMs} ms: ${left} records are left${why}.`
      )
    }
  }

  async close(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = null
    if (consumer === null) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, closeWithinMs)
    })
    await Promise.race([this.#leave(consumer), late])
    clearTimeout(timer)
  }

  async #leave(consumer: Consumer): Promise<void> {
    const admin = this.#kafka.admin({ retry: { retries: 1 } })
    try {
      await consumer.disconnect()
      await admin.connect()
      await admin.deleteGroups([this.#groupId])
    } catch (error) {
      // The group has no commits; a broker forgets it by itself.
      this.#note(`the check's consumer group could not be deleted: ${asIngestError(error).message}`)
    } finally {
      await admin.disconnect()
    }
  }

  /**
   * Asks for the end of every partition. Just after a topic was made, or a broker came back, leaders are not known yet;
   * kafkajs does not try that again by itself.
   */
  async #ends(each: (topic: string, partition: number, end: bigint) => void): Promise<void> {
    const deadlineMs = performance.now() + endsWithinMs
    for (;;) {
      try {
        await this.#askEnds(each)
        return
      } catch (error) {
        if (performance.now() > deadlineMs) {
          const message = `The topics to check cannot be read: ${await explainKafkaFault(error, this.#access)}.`
          throw new IngestError('SINK_UNAVAILABLE', message, { cause: error })
        }
      }
      await new Promise(resolve => setTimeout(resolve, askAgainMs))
    }
  }

  async #askEnds(each: (topic: string, partition: number, end: bigint) => void): Promise<void> {
    const admin = this.#kafka.admin({ retry: { initialRetryTime: 200, maxRetryTime: 1000, retries: 3 } })
    try {
      await admin.connect()
      for (const topic of this.#topics) {
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
          each(topic, partition, BigInt(high))
        }
      }
    } finally {
      await admin.disconnect()
    }
  }

  async #coordinated(): Promise<void> {
    const admin = this.#kafka.admin({ retry })
    try {
      await admin.connect()
      const [topic] = this.#topics
      if (topic !== undefined) await groupCoordinated(admin, this.#groupId, topic, endsWithinMs)
    } catch (error) {
      const message = `The topics to check cannot be read: ${await explainKafkaFault(error, this.#access)}.`
      throw new IngestError('SINK_UNAVAILABLE', message, { cause: error })
    } finally {
      await admin.disconnect()
    }
  }

  /** Spares the group the reading of what lies before the positions. */
  #seek(consumer: Consumer): void {
    for (const [topic, positions] of this.#positions) {
      positions.forEach(({ next }, partition) => consumer.seek({ topic, partition, offset: next.toString() }))
    }
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch
    const position = this.#positionOf(topic, partition)
    this.#trouble = ''
    for (const { offset, key, value } of messages) {
      if (!payload.isRunning() || payload.isStale()) return
      const number = BigInt(offset)
      if (number > position.next && position.wentBackTo !== position.next) {
        // Offsets have no holes here: nobody compacts these topics or writes to them in transactions.
        this.#note(
          `reading back from Kafka jumped from ${position.next} to ${offset} of ${topic}/${partition}`
        )
        position.wentBackTo = position.next
        this.#consumer?.seek({ topic, partition, offset: position.next.toString() })
        return
      }
      if (number >= position.next) {
        if (value !== null) {
          const prepared = this.#prepare(value)
          if (prepared !== null) await prepared
          this.#take(topic, key?.toString() ?? '', value, 0, value.length)
        }
        position.next = number + 1n
      }
      payload.resolveOffset(offset)
    }
    await payload.heartbeat()
    this.#onProgress?.()
  }

  /** A partition that was added after we attached is read from its beginning. */
  #positionOf(topic: string, partition: number): PartitionPosition {
    const positions = this.#positions.get(topic) ?? []
    this.#positions.set(topic, positions)
    return (positions[partition] ??= { next: 0n, end: 0n, wentBackTo: -1n })
  }

  #isAtEnd(): boolean {
    return this.#left() === 0n
  }

  /** Offsets up to the ends that were asked for last. */
  #left(): bigint {
    let left = 0n
    for (const positions of this.#positions.values()) {
      for (const { next, end } of positions) if (next < end) left += end - next
    }
    return left
  }
}
