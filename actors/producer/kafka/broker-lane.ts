import { type BrokerAddress } from '../../../src/bus/cluster-client.ts'
import { type ProduceConnection } from '../../../src/bus/produce-connection.ts'
import { type FlushReason } from '../../../src/domain/partition-activity.ts'
import { alertBackoffMs, backoffMs } from '../sinks/send-backoff.ts'
import { type Batch } from './batch.ts'
import { isAccessFault, reasonOf } from './client-fault.ts'
import { byName, collect } from './collect.ts'
import { InFlight } from './in-flight.ts'
import { type LaneContext } from './lane-context.ts'
import { paceOf, timerToleranceMs } from './pacing.ts'
import { type Partition } from './partition.ts'
import { encodeProduceRequest, type ProduceEntry } from './produce-request.ts'
import { answerFor, decodeProduceResponse } from './produce-response.ts'
import { lingerBoundMs } from './tuner.ts'

const requestsInFlightMax = 5
/** A broker that hangs is told of before its requests are given up. */
const slowAfterMs = 5_000

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
  readonly #inFlight = new InFlight()
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
    this.#partitions.push(partition)
    this.#partitions.sort(byName)
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
    const waitedMs = nowMs - this.#inFlight.oldestMs
    const { requestTimeoutMs, health } = this.#context
    if (waitedMs > requestTimeoutMs) {
      this.#drop(`${this.#name} has not answered for ${requestTimeoutMs / 1000} s`)
    } else if (waitedMs > slowAfterMs) {
      health.failing(this, `${this.#name} has not answered for ${slowAfterMs / 1000} s`, nowMs, true)
    }
  }

  /** Gives up what is on its way; whether it is written is not known. */
  abandon(): void {
    if (this.#inFlight.count === 0) return
    this.#disconnect()
    for (const partition of this.#inFlight.takeAll()) partition.queue[0]!.mayBeWritten = true
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
    while (this.#inFlight.count < requestsInFlightMax) {
      const reason = this.#reasonToSend(nowMs)
      if (reason === null) return
      if (this.#connection === null) return this.#connect()
      if (this.#connection.mustAuthenticate) return this.#authenticate(this.#connection)
      if (!this.#send(this.#connection, reason, nowMs)) return
    }
  }

  /** Null when nothing is due; then the timer is set for what will be. */
  #reasonToSend(nowMs: number): FlushReason | null {
    const { accumulator, tuning, isDraining } = this.#context
    const state = {
      lastSentMs: this.#lastSentMs,
      lingerMs: this.#lingerMs,
      lingerMinMs: tuning.lingerMinMs,
      isDraining: isDraining(),
      isShort: accumulator.isShort
    }
    const { dueMs, reason } = paceOf(this.#partitions, state, nowMs)
    const atMs = Math.max(dueMs, this.#throttledUntilMs, this.#notBeforeMs)
    if (atMs - nowMs <= timerToleranceMs) return reason
    this.#setTimer(atMs, nowMs)
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
    const { ids, tuning, requestTimeoutMs, clientId, accumulator } = this.#context
    const { partitions, next } = collect(
      this.#partitions,
      this.#first,
      reason,
      tuning.requestBytesMax,
      accumulator,
      ids,
      nowMs
    )
    if (partitions.length === 0) return false
    this.#first = next
    this.#lastSentMs = nowMs
    let lingerMs = this.#boundMs
    for (const { tuner } of partitions) lingerMs = Math.min(lingerMs, tuner.lingerMs)
    this.#lingerMs = lingerMs
    const entries = partitions.map(partition => this.#depart(partition, nowMs))
    const correlationId = connection.nextCorrelationId()
    this.requests++
    this.#inFlight.add(correlationId, partitions, nowMs)
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
    partition.lingerMs = this.#lingerMs
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
    const version = this.#connection!.produceVersion
    const answer = decodeProduceResponse(bytes, start, end, version)
    const partitions = answer === null ? null : this.#inFlight.take(correlationId)
    if (answer === null || partitions === null) {
      this.#drop(`${this.#name} gave an answer that cannot be read`)
      return
    }
    const nowMs = performance.now()
    const { fates, health } = this.#context
    this.#failures = 0
    health.recovered(this)
    if (answer.throttleMs > 0) this.#throttledUntilMs = nowMs + answer.throttleMs
    for (let i = 0; i < partitions.length; i++) {
      const partition = partitions[i]!
      const own = answerFor(partition, answer, i)
      if (own !== null) fates.answered(partition, own, nowMs)
      else fates.interrupted(partition, `${this.#name} left it out of its answer`, nowMs)
      if (partition.leader !== this.nodeId) this.#context.released(partition)
    }
    this.wake()
  }

  /** An idle connection may be closed by the broker at any time; the next batch opens another one. */
  #lost(reason: string): void {
    if (this.#inFlight.count > 0 || this.#isBusy) this.#drop(reason)
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
    const partitions = this.#inFlight.takeAll()
    this.#failed(reason, isAccess)
    const nowMs = performance.now()
    for (const partition of partitions) {
      this.#context.fates.interrupted(partition, reason, nowMs)
      if (partition.leader !== this.nodeId) this.#context.released(partition)
    }
  }

  #failed(reason: string, isAccess: boolean): void {
    const nowMs = performance.now()
    this.#notBeforeMs = nowMs + (isAccess ? alertBackoffMs : backoffMs(this.#failures++))
    // A broker that leads nothing any more holds nothing up.
    if (this.#partitions.length > 0) this.#context.health.failing(this, reason, nowMs, isAccess)
    this.#context.refreshLeaders()
    this.wake()
  }
}
