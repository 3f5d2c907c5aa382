import assert from 'node:assert/strict'
import { type Admin, Kafka, logLevel } from 'kafkajs'

const lookEveryMs = 200
const replicas = 3

/** Looks all the time who leads the partitions of a topic, and counts how often that changes. */
export class LeaderWatch implements AsyncDisposable {
  /** Looks at which at least one partition had another leader than at the look before. */
  elections = 0
  /** Partitions that changed their leader, all elections together. */
  moves = 0
  readonly #admin: Admin
  readonly #topic: string
  readonly #leaders = new Map<number, number>()
  /** The smallest number of replicas in sync at the last look; 0 when nobody answered. */
  #inSync = 0
  #isClosed = false
  #looking: Promise<void> = Promise.resolve()

  /** @param brokers a way to the brokers that stays open when connections of clients are cut */
  constructor(brokers: string, topic: string) {
    this.#topic = topic
    const retry = { retries: 1, initialRetryTime: 50, maxRetryTime: 200 }
    const limits = { connectionTimeout: 1_000, requestTimeout: 2_000, enforceRequestTimeout: true, retry }
    this.#admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, ...limits }).admin()
    this.#looking = this.#watch()
  }

  /** Resolves when the partition with the fewest replicas in sync has so many of them. */
  async inSync(count = replicas, withinMs = 60_000): Promise<void> {
    await this.#until(() => this.#inSync === count, `there were not ${count} replicas in sync`, withinMs)
  }

  /** Resolves when there have been so many elections. */
  async electionsReach(count: number, withinMs = 60_000): Promise<void> {
    await this.#until(() => this.elections >= count, `there were fewer than ${count} elections`, withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.#looking
    await this.#admin.disconnect().catch(() => undefined)
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#look()
      } catch {
        // Nobody answers: that is what the test does to them.
        this.#inSync = 0
        await this.#admin.connect().catch(() => undefined)
      }
      await new Promise(done => setTimeout(done, lookEveryMs))
    }
  }

  async #look(): Promise<void> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [this.#topic] })
    const partitions = topics[0]?.partitions ?? []
    let moved = 0
    for (const { partitionId, leader } of partitions) {
      if (leader < 0) continue
      const last = this.#leaders.get(partitionId)
      if (last !== undefined && last !== leader) moved++
      this.#leaders.set(partitionId, leader)
    }
    this.moves += moved
    if (moved > 0) this.elections++
    this.#inSync = partitions.length === 0 ? 0 : Math.min(...partitions.map(({ isr }) => isr.length))
  }

  async #until(holds: () => boolean, what: string, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (!holds()) {
      assert.ok(performance.now() < deadline, `${what} within ${withinMs} ms`)
      await new Promise(done => setTimeout(done, lookEveryMs / 4))
    }
  }
}
