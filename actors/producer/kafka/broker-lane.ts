import { type BrokerAddress, type ClusterClient } from '../../../src/bus/cluster-client.ts'
import { type ProduceConnection } from '../../../src/bus/produce-connection.ts'
import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { type Accumulator } from './accumulator.ts'
import { alertBackoffMs, backoffMs } from './backoff.ts'
import { type Batch } from './batch.ts'
import { isAccessFault, reasonOf } from './client-fault.ts'
import { type Fates } from './fates.ts'
import { type Health } from './health.ts'
import { type Partition } from './partition.ts'
import { encodeProduceRequest, type ProduceEntry } from './produce-request.ts'
import { decodeProduceResponse, type PartitionAnswer } from './produce-response.ts'
import { type ProducerIds } from './producer-ids.ts'
import { lingerBoundMs } from './tuner.ts'

const requestsInFlightMax = 5
/** A broker that hangs is told of before its requests are given up. */
const slowAfterMs = 5_000
/** Timers have a resolution of 1 ms: what is due within it goes along. */
const timerToleranceMs = 0.75

/** What all lanes share. */
export interface LaneContext {
  readonly client: ClusterClient
  readonly clientId: Uint8Array
  readonly tuning: ProducerTuning
  readonly requestTimeoutMs: number
  readonly accumulator: Accumulator
  readonly fates: Fates
  readonly ids: ProducerIds
  readonly health: Health
  refreshLeaders(): void
  /** A partition's batch is not on its way any more; its leader may be another broker by now. */
  released(partition: Partition, lane: BrokerLane): void
  isDraining(): boolean
}

interface Request {
  readonly correlationId: number
  readonly sentAtMs: number
  readonly partitions: readonly Partition[]
}

/**
 * Sends to one broker. The partitions that it leads travel together: one timer for all of them, and a request carries the
 * first batch of each that has one and none on its way. An idle broker is sent to after the shortest linger; a stream
 * goes out once per linger; a full batch does not wait.
 */
export class BrokerLane {
  readonly nodeId: number
  address: BrokerAddress
  /** Since the start. */
  requests = 0
  /** Those led by this broker, sorted by topic. */
  readonly #partitions: Partition[] = []
  readonly #context: LaneContext
  readonly #boundMs: number
  readonly #inFlight: Request[] = []
  #connection: ProduceConnection | null = null
  /** Being connected, or authenticated anew. */
  #isBusy = false
  #isClosed = false
  #failures = 0
  #notBeforeMs = 0
  #throttledUntilMs = 0
  #lastSentMs = Number.NEGATIVE_INFINITY
  #lingerMs: number
  /** Where the next request begins to collect. */
  #first = 0
  #timer: NodeJS.Timeout | null = null
  #timerAtMs = Number.POSITIVE_INFINITY
  #isWoken = false

  constructor(address: BrokerAddress, context: LaneContext) {
    this.nodeId = address.nodeId
    this.address = address
    this.#context = context
    this.#boundMs = lingerBoundMs(context.tuning)
    this.#lingerMs = this.#boundMs
  }

  add(partition: Partition): void {
    const { topic, partition: number } = partition
    const at = this.#partitions.findIndex(
      other => other.topic > topic || (other.topic === topic && other.partition > number)
    )
    this.#partitions.splice(at === -1 ? this.#partitions.length : at, 0, partition)
    this.wake()
  }

  remove(partition: Partition): void {
    this.#partitions.splice(this.#partitions.indexOf(partition), 1)
    this.#first = 0
    // A broker that leads nothing may be gone for good.
    if (this.#partitions.length === 0) this.#context.health.forget(this)
  }

  /** A first record begins to wait. Most often an earlier one of another partition has set the timer already. */
  opened({ createdMs }: Batch): void {
    const dueMs = Math.max(this.#lastSentMs + this.#lingerMs, createdMs + this.#context.tuning.lingerMinMs)
    if (dueMs - createdMs <= timerToleranceMs) this.wake()
    else this.#setTimer(dueMs, createdMs)
  }

  /** Looks for something to send once the caller is through: what comes in one go is sent in one go. */
  wake(): void {
    if (this.#isWoken || this.#isClosed) return
    this.#isWoken = true
    setImmediate(this.#onWoken)
  }

  /** Requests that were not answered in time end the connection: an answer to a later one would tell nothing of them. */
  tick(nowMs: number): void {
    const oldest = this.#inFlight[0]
    if (oldest === undefined) return
    const waitedMs = nowMs - oldest.sentAtMs
    const { requestTimeoutMs, health } = this.#context
    if (waitedMs > requestTimeoutMs) {
      this.#drop(`${this.#name} has not answered for ${requestTimeoutMs / 1000} s`)
    } else if (waitedMs > slowAfterMs) {
      health.failing(this, `${this.#name} has not answered for ${slowAfterMs / 1000} s`, nowMs, true)
    }
  }

  /** Gives up what is on its way; whether it is written is not known. */
  abandon(): void {
    const requests = this.#inFlight.splice(0)
    if (requests.length === 0) return
    this.#disconnect()
    for (const { partitions } of requests) {
      for (const partition of partitions) {
        partition.isInFlight = false
        partition.queue[0]!.mayBeWritten = true
      }
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#disconnect()
  }

  get #name(): string {
    return `the broker at ${this.address.host}:${this.address.port}`
  }

  readonly #onWoken = (): void => {
    this.#isWoken = false
    this.#pump()
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    this.#timerAtMs = Number.POSITIVE_INFINITY
    this.#pump()
  }

  #pump(): void {
    if (this.#isClosed || this.#isBusy) return
    const nowMs = performance.now()
    while (this.#inFlight.length < requestsInFlightMax) {
      const reason = this.#reasonToSend(nowMs)
      if (reason === null) return
      if (this.#connection === null) return this.#connect()
      if (this.#connection.mustAuthenticate) return this.#authenticate(this.#connection)
      if (!this.#send(this.#connection, reason, nowMs)) return
    }
  }

  /** Null when nothing is due; then the timer is set for what will be. */
  #reasonToSend(nowMs: number): FlushReason | null {
    let hasClosed = false
    let oldestMs = Number.POSITIVE_INFINITY
    let retryAtMs = Number.POSITIVE_INFINITY
    for (const partition of this.#partitions) {
      if (partition.isInFlight || partition.isEmpty) continue
      if (partition.notBeforeMs > nowMs) retryAtMs = Math.min(retryAtMs, partition.notBeforeMs)
      else {
        hasClosed ||= partition.queue.length > 0
        oldestMs = Math.min(oldestMs, partition.oldestMs)
      }
    }
    const { accumulator, tuning } = this.#context
    const idleDueMs = oldestMs + tuning.lingerMinMs
    const streamDueMs = this.#lastSentMs + this.#lingerMs
    let reason: FlushReason = streamDueMs > idleDueMs ? 'linger' : 'idle'
    let dueMs = Math.max(idleDueMs, streamDueMs)
    if (oldestMs < Number.POSITIVE_INFINITY) {
      if (this.#context.isDraining()) reason = 'drain'
      else if (accumulator.isShort) reason = 'memory'
      // Those that go along with a full batch are not full themselves.
      else if (hasClosed) reason = 'linger'
      if (hasClosed || reason === 'drain' || reason === 'memory') dueMs = nowMs
    }
    dueMs = Math.max(Math.min(dueMs, retryAtMs), this.#throttledUntilMs, this.#notBeforeMs)
    if (dueMs - nowMs <= timerToleranceMs) return reason
    this.#setTimer(dueMs, nowMs)
    return null
  }

  #setTimer(atMs: number, nowMs: number): void {
    if (this.#timer !== null) {
      if (this.#timerAtMs <= atMs) return
      clearTimeout(this.#timer)
      this.#timer = null
    }
    this.#timerAtMs = atMs
    if (atMs < Number.POSITIVE_INFINITY) this.#timer = setTimeout(this.#onTimer, Math.ceil(atMs - nowMs))
  }

  /** False when nothing could be taken. */
  #send(connection: ProduceConnection, reason: FlushReason, nowMs: number): boolean {
    const { ids, tuning, requestTimeoutMs, clientId } = this.#context
    const count = this.#partitions.length
    const taken: Partition[] = []
    let bytes = 0
    let lingerMs = this.#boundMs
    let next = this.#first
    for (let i = 0; i < count; i++) {
      const at = (this.#first + i) % count
      const partition = this.#partitions[at]!
      if (partition.isInFlight || partition.isEmpty || partition.notBeforeMs > nowMs) continue
      if (!ids.ensure(partition)) continue
      const { batch } = this.#context.accumulator.first(partition, reason)!
      if (bytes > 0 && bytes + batch.wireBytes > tuning.requestBytesMax) break
      bytes += batch.wireBytes
      next = at + 1
      taken.push(partition)
      lingerMs = Math.min(lingerMs, partition.tuner.lingerMs)
    }
    if (taken.length === 0) return false
    this.#first = next % count
    this.#lingerMs = lingerMs
    this.#lastSentMs = nowMs
    taken.sort(byTopic)
    const entries: ProduceEntry[] = taken.map(partition => this.#depart(partition, nowMs))
    const correlationId = connection.nextCorrelationId()
    this.requests++
    this.#inFlight.push({ correlationId, sentAtMs: nowMs, partitions: taken })
    // The leader gives up on its followers before we give up on it: its word is worth more than silence.
    const replicationMs = Math.floor(requestTimeoutMs * 0.75)
    connection.write(
      encodeProduceRequest(connection.produceVersion, correlationId, clientId, replicationMs, entries)
    )
    return true
  }

  #depart(partition: Partition, nowMs: number): ProduceEntry {
    const queued = partition.queue[0]!
    const { batch } = queued
    if (queued.attempts++ === 0) {
      partition.lastFlush = queued.reason
      partition.tuner.left(batch.count, batch.size, batch.createdMs, nowMs)
    }
    partition.stamp(queued)
    partition.isInFlight = true
    const { topic, topicBytes, partition: number } = partition
    return { topic, topicBytes, partition: number, wire: batch.wire }
  }

  #connect(): void {
    this.#isBusy = true
    this.#context.client.connect(this.address).then(
      connection => {
        this.#isBusy = false
        if (this.#isClosed) {
          connection.destroy()
          return
        }
        this.#connection = connection
        connection.listen({
          answered: (correlationId, bytes, start, end) => this.#answered(correlationId, bytes, start, end),
          lost: reason => this.#lost(`the connection to ${this.#name} broke: ${reason}`)
        })
        this.#pump()
      },
      (error: unknown) => {
        this.#isBusy = false
        if (!this.#isClosed) this.#failed(reasonOf(error), isAccessFault(error))
      }
    )
  }

  /** A session of SASL ends after a time that the broker sets; it must be renewed before the next request. */
  #authenticate(connection: ProduceConnection): void {
    this.#isBusy = true
    connection.authenticate().then(
      () => {
        if (this.#connection !== connection) return
        this.#isBusy = false
        this.#pump()
      },
      (error: unknown) => {
        if (this.#connection === connection) this.#drop(reasonOf(error), isAccessFault(error))
      }
    )
  }

  #answered(correlationId: number, bytes: Buffer, start: number, end: number): void {
    const at = this.#inFlight.findIndex(request => request.correlationId === correlationId)
    const version = this.#connection!.produceVersion
    const answer = at === -1 ? null : decodeProduceResponse(bytes, start, end, version)
    if (answer === null) {
      this.#drop(`${this.#name} gave an answer that cannot be read`)
      return
    }
    const nowMs = performance.now()
    const [{ partitions }] = this.#inFlight.splice(at, 1) as [Request]
    this.#failures = 0
    this.#context.health.recovered(this)
    if (answer.throttleMs > 0) this.#throttledUntilMs = nowMs + answer.throttleMs
    for (let i = 0; i < partitions.length; i++) {
      const partition = partitions[i]!
      const own = answerFor(partition, answer.partitions, i)
      partition.isInFlight = false
      if (own !== null) this.#context.fates.answered(partition, own, nowMs)
      else
        this.#context.fates.interrupted(
          partition,
          `${this.#name} left the partition out of its answer`,
          nowMs
        )
      if (partition.leader !== this.nodeId) this.#context.released(partition, this)
    }
    this.wake()
  }

  /** An idle connection may be closed by the broker at any time; the next batch opens another one. */
  #lost(reason: string): void {
    if (this.#inFlight.length > 0 || this.#isBusy) this.#drop(reason)
    else this.#disconnect()
  }

  #disconnect(): void {
    this.#connection?.destroy()
    this.#connection = null
    this.#isBusy = false
  }

  /** The connection is of no use any more: whatever is on its way may be written or not. */
  #drop(reason: string, isAccess = false): void {
    this.#disconnect()
    const requests = this.#inFlight.splice(0)
    this.#failed(reason, isAccess)
    const nowMs = performance.now()
    for (const { partitions } of requests) {
      for (const partition of partitions) {
        partition.isInFlight = false
        this.#context.fates.interrupted(partition, reason, nowMs)
        if (partition.leader !== this.nodeId) this.#context.released(partition, this)
      }
    }
  }

  #failed(reason: string, isAccess: boolean): void {
    const nowMs = performance.now()
    this.#notBeforeMs = nowMs + (isAccess ? alertBackoffMs : backoffMs(this.#failures++))
    this.#context.health.failing(this, reason, nowMs, isAccess)
    this.#context.refreshLeaders()
    this.wake()
  }
}

function byTopic(a: Partition, b: Partition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

/** Most often the answers stand in the order of the request. */
function answerFor(
  { topic, partition }: Partition,
  answers: readonly PartitionAnswer[],
  expectedAt: number
): PartitionAnswer | null {
  for (let i = 0; i < answers.length; i++) {
    const answer = answers[(expectedAt + i) % answers.length]!
    if (answer.partition === partition && answer.topic === topic) return answer
  }
  return null
}
