import { backoffMs } from '../../src/core/backoff.ts'
import { type Clock } from '../../src/core/clock.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type RestSnapshot } from '../../src/exchange-kit/adapter.ts'
import { type Link } from './link.ts'
import { type Rest, type RestAnswer } from './rest.ts'
import { type RestBudget } from './rest-budget.ts'

const timeoutMs = 10_000
/** 5,000 levels a side are about half a megabyte. */
const bodyBytesMax = 16 * 1024 * 1024
const retryPolicy = { baseMs: 1_000, capMs: 30_000, floorMs: 100 }

/**
 * Book snapshots over REST, under the exchange's weight budget. A body enters the stream of the connection that asked;
 * when that has ended meanwhile it is of no use. A second wish for the same book joins the first: whether a body still
 * fits is the producer's to judge, and it asks again when not.
 */
export class Snapshots {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #rest: Rest
  readonly #origin: string
  readonly #rules: RestSnapshot
  readonly #budget: RestBudget
  readonly #onFault: (error: IngestError, link: Link) => void
  readonly #wanted = new Set<string>()
  #isStopped = false

  constructor(options: {
    clock: Clock
    random: () => number
    rest: Rest
    origin: string
    rules: RestSnapshot
    budget: RestBudget
    onFault: (error: IngestError, link: Link) => void
  }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#rest = options.rest
    this.#origin = options.origin
    this.#rules = options.rules
    this.#budget = options.budget
    this.#onFault = options.onFault
  }

  want(link: Link, subscription: number): void {
    const key = `${link.plan.connection}/${subscription}`
    if (this.#wanted.has(key) || !link.isOpen) return
    this.#wanted.add(key)
    this.#queue(link, subscription, 0)
  }

  stop(): void {
    this.#isStopped = true
  }

  #queue(link: Link, subscription: number, failures: number): void {
    this.#budget.run(this.#rules.weight, () => void this.#fetch(link, subscription, failures))
  }

  async #fetch(link: Link, subscription: number, failures: number): Promise<void> {
    const key = `${link.plan.connection}/${subscription}`
    const instrument = link.plan.instruments[subscription]
    if (this.#isStopped || instrument === undefined || !link.isOpen) {
      this.#wanted.delete(key)
      return
    }
    const url = this.#origin + this.#rules.path(instrument.native)
    const answer = await this.#rest({ url, timeoutMs, bodyBytesMax, clock: this.#clock })
    this.#budget.judge(answer)
    if (answer.type === 'body') {
      // Forgotten before it is put in: the producer may well ask again because of this very body.
      this.#wanted.delete(key)
      link.snapshot(answer.bytes, subscription)
      return
    }
    this.#failed(link, subscription, failures, instrument.symbol, answer)
  }

  #failed(
    link: Link,
    subscription: number,
    failures: number,
    symbol: string,
    answer: RestAnswer & { readonly type: 'failed' }
  ): void {
    const message = `the book snapshot of ${symbol} could not be fetched: ${answer.message}; it is tried again`
    link.snapshotFailed(subscription, message)
    this.#onFault(new IngestError('SNAPSHOT_FAILED', message), link)
    const waitMs = backoffMs(retryPolicy, failures, this.#random)
    this.#clock.setTimeout(() => this.#queue(link, subscription, failures + 1), waitMs)
  }
}
