import { type MessagePort } from 'node:worker_threads'
import { type Clock } from '../../src/core/clock.ts'
import { asIngestError, toWire } from '../../src/core/errors.ts'
import { type ExchangeName } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { ConnectionNumbers } from '../../src/wire/connection-numbers.ts'
import { type FromProducer } from '../../src/wire/session-messages.ts'
import { SharedLedger } from '../../src/wire/shared-ledger.ts'
import { Batcher } from './batcher.ts'
import { ThreadCapture } from './capture.ts'
import { ExchangeActor, type ExchangeEnvironment } from './exchange.ts'
import { FaultReporter } from './fault-reporter.ts'
import { type Link } from './link.ts'
import { ListingCache } from './listing-cache.ts'
import { type ExchangeOrder, type ExchangeReport, type ExchangeThreadPlan } from './messages.ts'
import { type Rest } from './rest.ts'
import { type Dial } from './socket.ts'

const tickMs = 1_000
/** A capture has this long to be closed, however long the sockets took. */
const captureMsMin = 500

export interface ExchangeSeams {
  readonly clock: Clock
  readonly random: () => number
  readonly dial: Dial
  readonly rest: Rest
  adapterOf(exchange: ExchangeName): ExchangeAdapter
}

interface Connected {
  readonly link: Link
  readonly exchange: ExchangeActor
}

/** All exchanges of one connection thread, their way to the producer, and the one tick they share. */
export class ExchangeHost {
  readonly #plan: ExchangeThreadPlan
  readonly #clock: Clock
  readonly #report: (report: ExchangeReport) => void
  readonly #ledger: SharedLedger
  readonly #batcher: Batcher
  readonly #faults: FaultReporter
  readonly #capture: ThreadCapture | null
  readonly #exchanges: readonly ExchangeActor[]
  readonly #links = new Map<number, Connected>()
  #port: MessagePort | null = null
  #tickTimer: unknown = null
  #isStarted = false
  #isStopping = false

  constructor(plan: ExchangeThreadPlan, seams: ExchangeSeams, report: (report: ExchangeReport) => void) {
    const { clock, random, dial, rest } = seams
    this.#plan = plan
    this.#clock = clock
    this.#report = report
    this.#ledger = new SharedLedger(plan.ledger.shards, plan.ledger.targets, plan.ledger.memory)
    const numbers = new ConnectionNumbers(plan.connectionNumbers)
    const { creditBytesPerConnection } = plan.limits
    const shards = plan.exchanges
      .flatMap(({ targets }) => targets)
      .reduce((sum, target) => sum + target.shards, 0)
    const ownBytes = Math.floor(creditBytesPerConnection / 2)
    this.#batcher = new Batcher({
      clock,
      batchBytes: plan.limits.batchBytes,
      lingerMs: plan.limits.batchLingerMs,
      creditBytes: ownBytes,
      poolBytes: (creditBytesPerConnection - ownBytes) * shards
    })
    this.#faults = new FaultReporter(clock, report)
    this.#capture =
      plan.capture === null
        ? null
        : new ThreadCapture(plan.capture, clock, error =>
            report({ type: 'captureStopped', error: toWire(error) })
          )
    const environment: ExchangeEnvironment = {
      pod: plan.pod,
      limits: plan.limits,
      clock,
      random,
      dial,
      rest,
      listings: plan.listings === null ? null : new ListingCache(plan.listings),
      batcher: this.#batcher,
      faults: this.#faults,
      capture: this.#capture,
      ledger: this.#ledger,
      report,
      nextConnection: () => numbers.next(),
      linkStarted: (link, exchange) => this.#links.set(link.plan.connection, { link, exchange }),
      linkEnded: link => this.#links.delete(link.plan.connection)
    }
    this.#exchanges = plan.exchanges.map(
      exchange => new ExchangeActor(exchange, seams.adapterOf(exchange.exchange), environment)
    )
  }

  receive(order: ExchangeOrder): void {
    switch (order.type) {
      case 'producer':
        this.#attach(order.port)
        break
      case 'stop':
        void this.#stop(order.deadlineMs)
        break
    }
  }

  #attach(port: MessagePort): void {
    const old = this.#port
    this.#port = port
    this.#batcher.detach()
    if (old !== null) {
      old.close()
      this.#writeOff()
    }
    port.on('message', (message: FromProducer) => this.#fromProducer(message))
    port.on('close', () => {
      // Until a new producer comes, frames wait here instead of going nowhere.
      if (this.#port === port) this.#batcher.detach()
    })
    this.#batcher.attach(port)
    if (this.#isStarted) return
    this.#isStarted = true
    this.#tick()
    for (const exchange of this.#exchanges) {
      exchange.start().catch((error: unknown) => this.#faults.fault(exchange.name, asIngestError(error)))
    }
  }

  /**
   * Closes the accounts of frames that went to a producer which is no more. Nobody else writes to these accounts now:
   * the old producer is dead, and the new one gets nothing of a shard before this.
   */
  #writeOff(): void {
    for (const { targets } of this.#plan.exchanges) {
      for (const { firstShard, shards } of targets) {
        for (let shard = firstShard; shard < firstShard + shards; shard++) {
          this.#ledger.frames(shard).writeOffHandedOver()
        }
      }
    }
  }

  #fromProducer(message: FromProducer): void {
    switch (message.type) {
      case 'settled':
        for (const { connection, bytes, frameSeq } of message.entries) {
          this.#batcher.settled(connection, bytes, frameSeq)
        }
        break
      case 'resnapshot': {
        const connected = this.#links.get(message.connection)
        connected?.exchange.resnapshot(connected.link, message.subscription, message.requests)
        break
      }
      case 'resubscribe':
        this.#links.get(message.connection)?.link.subscriptions.resubscribe([message.subscription])
        break
    }
  }

  #tick(): void {
    if (this.#isStopping) return
    const now = this.#clock.nowMicros()
    for (const exchange of this.#exchanges) exchange.tick(now)
    this.#reportCapture()
    this.#tickTimer = this.#clock.setTimeout(() => this.#tick(), tickMs)
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    if (this.#tickTimer !== null) this.#clock.clearTimeout(this.#tickTimer)
    const endMicros = this.#clock.nowMicros() + deadlineMs * 1000
    const closed = Promise.all(this.#exchanges.map(exchange => exchange.stop()))
    let timer: unknown = null
    const late = new Promise<void>(resolve => {
      timer = this.#clock.setTimeout(resolve, deadlineMs)
    })
    await Promise.race([closed, late])
    this.#clock.clearTimeout(timer)
    this.#batcher.drain()
    const leftMs = (endMicros - this.#clock.nowMicros()) / 1000
    await this.#capture?.close(Math.max(captureMsMin, leftMs))
    this.#reportCapture()
    this.#report({ type: 'stopped' })
  }

  #reportCapture(): void {
    if (this.#capture !== null) this.#report({ type: 'captured', stats: this.#capture.stats })
  }
}
