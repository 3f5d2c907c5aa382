import { ClusterClient, type ClusterMetadata } from '../../../src/bus/cluster-client.ts'
import { type KafkaAccess } from '../../../src/bus/kafka-client.ts'
import { type Logger } from '../../../src/core/logger.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { type SinkListener } from '../sinks/record-sink.ts'
import { Accumulator } from './accumulator.ts'
import { type Batch } from './batch.ts'
import { BrokerLane } from './broker-lane.ts'
import { faultText } from './error-policy.ts'
import { Fates } from './fates.ts'
import { Health } from './health.ts'
import { type LaneContext } from './lane-context.ts'
import { type Hearing, Leaders } from './leaders.ts'
import { type Partition } from './partition.ts'
import { ProducerIds } from './producer-ids.ts'

/** How often timeouts are looked at, while anything is pending. */
const tickMs = 250

const topicMissing = 3
const leaderMissing = 5
const topicForbidden = 29

export interface SenderOptions {
  readonly access: KafkaAccess
  readonly tuning: ProducerTuning
  /** Without an answer for so long, a connection is given up and its requests are sent again. */
  readonly requestTimeoutMs: number
}

/** Brings the accumulator's batches to the leaders of their partitions, wherever these move. */
export class Sender {
  readonly accumulator: Accumulator
  readonly #deliveryTimeoutMs: number
  readonly #health: Health
  readonly #client: ClusterClient
  readonly #leaders: Leaders
  readonly #ids: ProducerIds
  readonly #fates: Fates
  readonly #context: LaneContext
  readonly #lanes = new Map<number, BrokerLane>()
  #ticker: NodeJS.Timeout | null = null
  #isDraining = false
  #isClosed = false
  #whenEmpty: (() => void) | null = null

  constructor({ access, tuning, requestTimeoutMs }: SenderOptions, listener: SinkListener, logger: Logger) {
    this.#deliveryTimeoutMs = tuning.deliveryTimeoutMs
    this.#health = new Health(access.brokers, listener)
    this.#client = new ClusterClient(access, logger)
    this.#ids = new ProducerIds(this.#client, access, this.#health, () => this.#wakeAll())
    this.#leaders = new Leaders(this.#client, this.#health, {
      topics: () => [...new Set(this.accumulator.partitions.map(({ topic }) => topic))],
      heard: metadata => this.#heard(metadata)
    })
    this.accumulator = new Accumulator(tuning, listener, {
      learned: () => this.#leaders.refresh(),
      opened: (partition, batch) => this.#opened(partition, batch),
      filled: partition => this.#laneOf(partition)?.wake(),
      emptied: () => this.#emptied()
    })
    this.#fates = new Fates(this.accumulator, this.#health, () => this.#leaders.refresh())
    this.#context = {
      client: this.#client,
      clientId: new TextEncoder().encode(access.clientId),
      tuning,
      requestTimeoutMs: Math.min(requestTimeoutMs, tuning.deliveryTimeoutMs),
      accumulator: this.accumulator,
      fates: this.#fates,
      ids: this.#ids,
      health: this.#health,
      refreshLeaders: () => this.#leaders.refresh(),
      released: partition => this.#laneOf(partition)?.wake(),
      isDraining: () => this.#isDraining
    }
  }

  /** Produce requests since the start. */
  get requests(): number {
    let requests = 0
    for (const lane of this.#lanes.values()) requests += lane.requests
    return requests
  }

  /** Resolves when Kafka has answered or failed for the first time. */
  open(): Promise<void> {
    return this.#ids.open()
  }

  /** Sends without lingering until nothing is pending, or fails at the deadline what is left. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    if (this.accumulator.pendingRecords > 0 && !this.#isClosed) {
      this.#wakeAll()
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#whenEmpty = resolve
        timer = setTimeout(resolve, deadlineMs)
      })
      clearTimeout(timer)
      this.#whenEmpty = null
    }
    this.#failLeftovers('Kafka did not acknowledge it before the deadline of the drain.')
    this.#isDraining = false
  }

  close(): void {
    if (this.#isClosed) return
    // What the listener appends to declare the loss is lost as well; it declares no second one.
    for (let round = 0; round < 2; round++)
      this.#failLeftovers('The sink was closed before Kafka acknowledged it.')
    this.#isClosed = true
    this.#stopTicking()
    this.#ids.close()
    this.#leaders.close()
    for (const lane of this.#lanes.values()) lane.close()
    this.#client.close()
  }

  #opened(partition: Partition, batch: Batch): void {
    if (this.#isClosed) return
    this.#ticker ??= setInterval(this.#tick, tickMs)
    if (partition.leader === null) this.#leaders.refresh()
    else if (this.accumulator.isShort || this.#isDraining) this.#wakeAll()
    else this.#laneOf(partition)?.opened(batch)
  }

  #emptied(): void {
    this.#health.forgetAll()
    this.#whenEmpty?.()
  }

  #laneOf({ leader }: Partition): BrokerLane | undefined {
    return leader === null ? undefined : this.#lanes.get(leader)
  }

  #wakeAll(): void {
    for (const lane of this.#lanes.values()) lane.wake()
  }

  readonly #tick = (): void => {
    const nowMs = performance.now()
    for (const lane of this.#lanes.values()) lane.tick(nowMs)
    for (const partition of this.accumulator.partitions) {
      this.#fates.expire(partition, this.#deliveryTimeoutMs, nowMs)
    }
    this.#health.tick(nowMs)
    this.#leaders.tick(nowMs)
    if (this.accumulator.pendingRecords > 0) return
    this.#stopTicking()
    this.#health.forgetAll()
  }

  #stopTicking(): void {
    if (this.#ticker !== null) clearInterval(this.#ticker)
    this.#ticker = null
  }

  /** Puts every partition on the lane of its leader. */
  #heard({ brokers, topics }: ClusterMetadata): Hearing {
    for (const address of brokers) {
      const lane = this.#lanes.get(address.nodeId)
      if (lane === undefined) this.#lanes.set(address.nodeId, new BrokerLane(address, this.#context))
      else lane.address = address
    }
    const answers = new Map(topics.map(topic => [topic.topic, topic]))
    const nowMs = performance.now()
    let hearing: Hearing = 'complete'
    for (const partition of this.accumulator.partitions) {
      const answer = answers.get(partition.topic)
      // A topic that was learned while the question was under way: it has asked for another.
      if (answer === undefined) continue
      const own = answer.partitions.find(each => each.partition === partition.partition)
      const code = answer.code !== 0 ? answer.code : (own?.code ?? topicMissing)
      // With code 9 a replica is away, with 5 the leader.
      const hasLeader = own !== undefined && own.leader >= 0 && this.#lanes.has(own.leader)
      if (hasLeader) this.#assign(partition, own.leader)
      else if (!partition.isEmpty) {
        if (code !== topicForbidden) hearing = 'incomplete'
        else if (hearing === 'complete') hearing = 'forbidden'
        const text = faultText(partition.topic, partition.partition, code === 0 ? leaderMissing : code)
        this.#health.failing(partition, text, nowMs, code === topicForbidden)
      }
    }
    return hearing
  }

  #assign(partition: Partition, leader: number): void {
    if (partition.leader === leader) return
    this.#laneOf(partition)?.remove(partition)
    partition.leader = leader
    this.#laneOf(partition)!.add(partition)
  }

  #failLeftovers(reason: string): void {
    if (this.accumulator.pendingRecords === 0) return
    // The connections go first, so that nothing is written from buffers that are used again.
    for (const lane of this.#lanes.values()) lane.abandon()
    for (const partition of this.accumulator.partitions) {
      if (partition.queue[0]?.mayBeWritten === true) partition.mustRenew = true
      partition.failures = 0
      partition.notBeforeMs = 0
    }
    this.accumulator.failAll(reason)
    this.#health.forgetAll()
  }
}
