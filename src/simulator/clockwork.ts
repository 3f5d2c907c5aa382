import { type Channel } from './channel.ts'
import { type ChannelSet, type Run } from './channel-set.ts'
import { type Connection, type WireFaults } from './connection.ts'
import { type FaultPlan } from './faults.ts'
import { type Ledger } from './ledger.ts'
import { Pace } from './pace.ts'
import { Random } from './random.ts'
import { type VenueServer } from './venue-server.ts'
import { WireTroubles } from './wire-troubles.ts'

const tickMs = 10
/** A process that was held up does not make up for more than this. */
const catchUpMs = 100
/** One tick works this long at most, so that the check in the same thread gets its turn. */
const tickBudgetMs = 8
const budgetLookEvery = 32
/** Making markets and their first subscribers' snapshots takes time that says nothing of the highest steady rate. */
const settledMs = 1000
const freezePollMs = 5
const freezeDeadlineMs = 30_000
const windowSeconds = 10

export interface ClockworkOptions {
  readonly rate: number | 'max'
  readonly lagMs: () => number
  readonly faults: FaultPlan
  readonly ledger: Ledger
  readonly wire: WireFaults & { corruptRate: number }
  readonly seed: number
}

interface Mark {
  readonly atMs: number
  readonly made: number
}

/**
 * Lets time pass for all markets: every ten milliseconds it makes the events that are due, spread evenly over the
 * channels that somebody has had confirmed, and gives each connection one write.
 */
export class Clockwork implements Run {
  isFrozen = false
  readonly #options: ClockworkOptions
  readonly #random: Random
  readonly #pace: Pace
  readonly #active: Channel[] = []
  readonly #activeSets: ChannelSet[] = []
  readonly #dirty: Connection[] = []
  #servers: readonly VenueServer[] = []
  #troubles: WireTroubles | null = null
  #timer: NodeJS.Timeout | null = null
  #lastTickMs = 0
  #owed = 0
  #nowMs = 0
  #firstMs = 0
  #activatedMs = 0
  #frozenMs = 0
  #made = 0
  /** Events made up to the beginning of each of the last seconds. */
  readonly #marks: Mark[] = []
  /** One second after the first confirmation: subscriptions still come in before, and the code is cold. */
  #warm: Mark | null = null

  constructor(options: ClockworkOptions) {
    this.#options = options
    this.#random = new Random(options.seed, 'clockwork')
    this.#pace = new Pace(options.rate)
  }

  readonly markDirty = (connection: Connection): void => {
    this.#dirty.push(connection)
  }

  start(servers: readonly VenueServer[]): void {
    this.#servers = servers
    const { faults, seed } = this.#options
    this.#troubles = new WireTroubles(faults, () => servers.flatMap(server => [...server.connections]), seed)
    this.#lastTickMs = performance.now()
    this.#timer = setTimeout(() => this.#tick(), tickMs)
  }

  activate(set: ChannelSet, channel: Channel): void {
    channel.confirm(Date.now())
    this.#active.push(channel)
    if (!this.#activeSets.includes(set)) this.#activeSets.push(set)
    this.#activatedMs = performance.now()
    if (this.#firstMs === 0) this.#firstMs = this.#activatedMs
  }

  get reached(): number {
    if (this.#firstMs === 0) return 0
    const now = this.#frozenMs > 0 ? this.#frozenMs : performance.now()
    const from = (this.#options.rate === 'max' ? this.#marks[0] : this.#warm) ?? {
      atMs: this.#firstMs,
      made: 0
    }
    return now > from.atMs ? Math.round(((this.#made - from.made) * 1000) / (now - from.atMs)) : 0
  }

  stop(): void {
    this.isFrozen = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#troubles?.stop()
  }

  async freeze(): Promise<void> {
    if (this.#frozenMs === 0) this.#frozenMs = performance.now()
    this.stop()
    // What is still to be sent is sent as it is: the run's faults are over.
    this.#options.wire.corruptRate = 0
    for (const channel of this.#active) channel.release()
    const deadline = performance.now() + freezeDeadlineMs
    for (;;) {
      let waiting = 0
      for (const connection of this.#connections()) {
        connection.flush()
        waiting += connection.bytesWaiting
      }
      if (waiting === 0 || performance.now() > deadline) return
      await new Promise(resolve => setTimeout(resolve, freezePollMs))
    }
  }

  #connections(): Connection[] {
    return this.#servers.flatMap(server => [...server.connections])
  }

  #tick(): void {
    const startedMs = performance.now()
    const elapsedMs = startedMs - this.#lastTickMs
    this.#lastTickMs = startedMs
    this.#advanceWallClock()
    this.#makeDue()
    this.#makeFloods(startedMs)
    if (this.#active.length > 0) {
      const perMs = this.#pace.rate / 1000
      this.#owed = Math.min(this.#owed + perMs * elapsedMs, perMs * catchUpMs + 1)
      this.#makeOwed(startedMs)
    }
    this.#flush()
    this.#mark(startedMs)
    this.#adapt(startedMs)
    this.#troubles?.tick(startedMs)
    const spentMs = performance.now() - startedMs
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, tickMs - spentMs))
  }

  /** Event times never run backwards, even when the wall clock does. */
  #advanceWallClock(): void {
    this.#nowMs = Math.max(this.#nowMs, Date.now())
  }

  #makeOwed(startedMs: number): void {
    const count = Math.floor(this.#owed)
    let made = 0
    while (made < count) {
      this.#active[this.#random.below(this.#active.length)]!.make(this.#nowMs)
      made++
      if (made % budgetLookEvery === 0 && performance.now() - startedMs > tickBudgetMs) break
    }
    this.#owed -= made
    this.#made += made
  }

  /** A trade shows in its market's ticker and book within a while, however low the rate is. */
  #makeDue(): void {
    for (const { market, channels } of this.#activeSets) {
      if (market.tickerDueMs > 0 && market.tickerDueMs <= this.#nowMs) this.#makeIfActive(channels.ticker)
      if (market.bookDueMs > 0 && market.bookDueMs <= this.#nowMs) this.#makeIfActive(channels.orderbook)
    }
  }

  #makeIfActive(channel: Channel): void {
    if (!channel.ledger.isConfirmed) return
    channel.make(this.#nowMs)
    this.#made++
    this.#owed--
  }

  #makeFloods(startedMs: number): void {
    for (const flood of this.#troubles?.floodsDue(startedMs) ?? []) {
      const channel = this.#active.find(
        ({ ledger }) =>
          ledger.exchange === flood.exchange &&
          ledger.requestType === flood.requestType &&
          ledger.symbol === flood.symbol
      )
      if (channel === undefined) continue
      channel.logFlood()
      for (let n = 0; n < flood.events; n++) channel.make(this.#nowMs)
      this.#made += flood.events
    }
  }

  #flush(): void {
    for (const connection of this.#dirty) connection.flush()
    this.#dirty.length = 0
  }

  #mark(startedMs: number): void {
    const last = this.#marks.at(-1)
    if (this.#firstMs === 0 || (last !== undefined && startedMs - last.atMs < 1000)) return
    const mark = { atMs: startedMs, made: this.#made }
    this.#marks.push(mark)
    if (this.#warm === null && startedMs - this.#firstMs > 1000) this.#warm = mark
    if (this.#marks.length > windowSeconds) this.#marks.shift()
  }

  #adapt(startedMs: number): void {
    if (this.#active.length === 0 || startedMs < this.#activatedMs + settledMs) return
    let bytesWaiting = 0
    for (const server of this.#servers) {
      for (const connection of server.connections) {
        if (!connection.isStalled) bytesWaiting += connection.bytesWaiting
      }
    }
    this.#pace.adapt(startedMs, { bytesWaiting, lagMs: this.#options.lagMs(), made: this.#made })
  }
}
