import { backoffMs } from '../../src/core/backoff.ts'
import { type Clock } from '../../src/core/clock.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type RestSnapshot } from '../../src/exchange-kit/adapter.ts'
import { type Link } from './link.ts'
import { type Rest } from './rest.ts'
import { type RestBudget } from './rest-budget.ts'

const timeoutMs = 10_000
/** 5,000 levels a side are about half a megabyte. */
const bodyBytesMax = 16 * 1024 * 1024
const retryPolicy = { baseMs: 1_000, capMs: 30_000, floorMs: 100 }

/**
 * Book snapshots over REST, under the exchange's weight budget. A body enters the stream of the connection that asked;
 * when that has ended, nothing more is asked for it. A second wish for the same book joins the first: whether a body still
 * fits is the producer's to judge, and it asks again when not. So there is at most one wish for each subscription of an
 * open connection, and one request on its way for each of those and of connections that ended within its time.
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
    void this.#fetch(link, subscription).then(body => {
      // Forgotten before it is put in: the producer may well ask again because of this very body.
      this.#wanted.delete(key)
      if (body !== null) link.snapshot(body, subscription)
    })
  }

  /** The body of a snapshot, however often it must be asked for; null when its connection has ended. */
  async #fetch(link: Link, subscription: number): Promise<Uint8Array | null> {
    const instrument = link.plan.instruments[subscription]
    if (instrument === undefined) return null
    const budget = this.#budget
    const isWanted = (): boolean => link.isOpen
    const url = this.#origin + this.#rules.path(instrument.native)
    for (let failures = 0; ; failures++) {
      if (!(await budget.turn(this.#rules.weight, isWanted))) return null
      const request = { url, timeoutMs, bodyBytesMax, clock: this.#clock, signal: budget.stopped }
      const answer = await this.#rest(request)
      budget.judge(answer)
      if (answer.type === 'body') return answer.bytes
      if (!link.isOpen || budget.stopped.aborted) return null
      const { symbol } = instrument
      const message = `the book snapshot of ${symbol} could not be fetched: ${answer.message}; it is tried again`
      link.snapshotFailed(subscription, message)
      this.#onFault(new IngestError('SNAPSHOT_FAILED', message), link)
      if (!(await budget.pause(backoffMs(retryPolicy, failures, this.#random), isWanted))) return null
    }
  }
}
