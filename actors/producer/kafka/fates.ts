import { alertBackoffMs, backoffMs } from '../sinks/send-backoff.ts'
import { type Accumulator } from './accumulator.ts'
import { faultText, policyOf } from './error-policy.ts'
import { type Health } from './health.ts'
import { type Partition } from './partition.ts'
import { type PartitionAnswer } from './produce-response.ts'

const unknownFate = 'An earlier attempt may have been written, so it is not sent again.'

/**
 * Decides what becomes of a partition's first batch. As long as it may be written it stays the first, with its numbers, so
 * that the broker recognises it; it leaves only when it is written, refused, or given up. Given up with its fate open, its
 * numbers are never used again: the partition goes on under a new producer id.
 */
export class Fates {
  readonly #accumulator: Accumulator
  readonly #health: Health
  readonly #refreshLeaders: () => void

  constructor(accumulator: Accumulator, health: Health, refreshLeaders: () => void) {
    this.#accumulator = accumulator
    this.#health = health
    this.#refreshLeaders = refreshLeaders
  }

  answered(partition: Partition, answer: PartitionAnswer, nowMs: number): void {
    const queued = partition.queue[0]!
    const { action, mayBeWritten } = policyOf(answer.code)
    const said = answer.message === null ? '' : ` "${answer.message}"`
    const text = faultText(partition.topic, partition.partition, answer.code) + said
    switch (action) {
      case 'written':
        partition.acknowledged(queued, nowMs)
        this.#accumulator.settleFirst(partition, 'published')
        this.#health.forget(partition)
        this.#health.worked()
        return
      case 'refresh':
      case 'retry':
        queued.mayBeWritten ||= mayBeWritten
        this.#holdBack(partition, text, nowMs)
        if (action === 'refresh') this.#refreshLeaders()
        return
      case 'alert':
        partition.failures++
        partition.notBeforeMs = nowMs + alertBackoffMs
        this.#health.failing(partition, text, nowMs, true)
        return
      case 'renew':
        if (queued.mayBeWritten) this.#giveUp(partition, `${text}. ${unknownFate}`)
        else {
          partition.mustRenew = true
          // Once at once; a broker that refuses every new number is not asked in a loop.
          if (partition.failures > 0) this.#holdBack(partition, text, nowMs)
          else partition.failures++
        }
        return
      case 'split':
        if (queued.mayBeWritten) this.#giveUp(partition, `${text}. ${unknownFate}`)
        else if (queued.batch.count === 1) this.#refuse(partition, text)
        else this.#splitOrRefuse(partition, answer.badRows, text)
        return
      case 'reject':
        if (queued.mayBeWritten) this.#giveUp(partition, `${text}. ${unknownFate}`)
        else this.#refuse(partition, text)
        return
    }
  }

  /** The answer did not come: the batch may be written or not. */
  interrupted(partition: Partition, reason: string, nowMs: number): void {
    partition.queue[0]!.mayBeWritten = true
    this.#holdBack(partition, reason, nowMs)
  }

  /** Fails the batches that have waited longer than they may; the one on its way has its answer or its timeout first. */
  expire(partition: Partition, timeoutMs: number, nowMs: number): void {
    while (!partition.isInFlight && nowMs - partition.oldestMs > timeoutMs) {
      if (partition.queue.length === 0) this.#accumulator.closeOpen(partition, 'linger')
      const { mayBeWritten } = partition.queue[0]!
      const reason = `Kafka did not acknowledge it within ${timeoutMs / 1000} s`
      if (mayBeWritten) this.#giveUp(partition, `${reason}, but it may have been written.`)
      else this.#fail(partition, `${reason}.`)
    }
    if (partition.isEmpty) this.#health.forget(partition)
  }

  #holdBack(partition: Partition, text: string, nowMs: number): void {
    partition.notBeforeMs = nowMs + backoffMs(partition.failures++)
    this.#health.failing(partition, text, nowMs)
  }

  /** Kafka will never take it. It was not written, so its numbers are the next batch's. */
  #refuse(partition: Partition, text: string): void {
    partition.failures = 0
    partition.notBeforeMs = 0
    this.#accumulator.refuseFirst(partition, `Kafka refused it for good: ${text}.`)
  }

  /** Where the broker names the records that it refuses they alone go; else halving finds them. It took none of the others. */
  #splitOrRefuse(partition: Partition, badRows: readonly number[], text: string): void {
    const { count } = partition.queue[0]!.batch
    const rows = new Set(badRows.filter(row => row >= 0 && row < count))
    partition.failures = 0
    partition.notBeforeMs = 0
    if (rows.size === 0) this.#accumulator.splitFirst(partition)
    else this.#accumulator.refuseRows(partition, rows, `Kafka refused it for good: ${text}.`)
  }

  /** Whether it was written is not known, so nothing may carry its numbers again. */
  #giveUp(partition: Partition, reason: string): void {
    partition.mustRenew = true
    this.#fail(partition, reason)
  }

  #fail(partition: Partition, reason: string): void {
    partition.failures = 0
    partition.notBeforeMs = 0
    this.#accumulator.failFirst(partition, reason)
  }
}
