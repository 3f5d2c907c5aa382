import { MessageChannel } from 'node:worker_threads'
import { type ExchangeRef } from '../../actors/exchange/ref.ts'
import { defaultLogLimits } from '../../actors/log/messages.ts'
import { LogRef } from '../../actors/log/ref.ts'
import { type ProducerStats, type SinkPlan } from '../../actors/producer/messages.ts'
import { ProducerRef } from '../../actors/producer/ref.ts'
import { Supervisor } from '../../actors/supervisor/actor.ts'
import { type Child } from '../../actors/supervisor/child-spec.ts'
import { IngestError } from '../core/errors.ts'
import { tuningOf } from '../domain/producer-tuning.ts'
import { type CaptureSummary, type ReplaySummary } from '../domain/summary.ts'
import { type ExchangeName, targetName } from '../domain/target.ts'
import { ConnectionNumbers } from '../wire/connection-numbers.ts'
import { closeConnectionAccounts, closeProducerAccounts } from './accounts.ts'
import { CaptureTally } from './capture-tally.ts'
import { connectionThread } from './connection-thread.ts'
import { GapTally } from './gap-tally.ts'
import { ReplayChild } from './replay-child.ts'
import { type ReplayOptions, type ThreadStatus } from './service.ts'
import { type ThreadsEvents, type ThreadsPlan } from './threads-plan.ts'

const stopSocketsMs = 3_000

/** A thread that brings frames to the producer. */
type FrameSource = Pick<ExchangeRef, 'exited' | 'connect' | 'stop' | 'terminate' | 'kill'>

/** The worker threads under their supervisor, and the ports between them. */
export class Threads {
  readonly #plan: ThreadsPlan
  readonly #events: ThreadsEvents
  readonly #supervisor: Supervisor
  readonly #exchanges = new Map<number, FrameSource>()
  #log: LogRef | null = null
  #producer: ProducerRef | null = null
  #stats: ProducerStats | null = null
  /** Partition counts with which the newest producer was started. */
  #partitions: Readonly<Record<string, number>> = {}
  readonly #gaps = new GapTally()
  readonly #connectionNumbers = new ConnectionNumbers()
  readonly #captured = new CaptureTally()
  #replay: ReplayChild | null = null
  /** Exchanges of whose symbols none is listed; null once there is something to collect. */
  #unlisted: Set<ExchangeName> | null = new Set()
  #isStopping = false

  constructor(plan: ThreadsPlan, events: ThreadsEvents) {
    this.#plan = plan
    this.#events = events
    this.#supervisor = new Supervisor({
      clock: plan.clock,
      logger: plan.logger,
      intensity: plan.config.limits.restartsPerMinute,
      periodMs: 60_000,
      onExhausted: error => events.failed(error)
    })
  }

  /** Null when the records go to Kafka. */
  get log(): LogRef | null {
    return this.#log
  }

  /** What the producer said last; null before its first word. */
  get stats(): ProducerStats | null {
    return this.#stats
  }

  get gaps(): ProducerStats['gaps'] {
    return this.#gaps.summary(this.#stats)
  }

  /** Null when nothing is captured. */
  get captured(): CaptureSummary | null {
    return this.#plan.capture === null ? null : this.#captured.summary(this.#plan.capture)
  }

  /** Null when no capture is replayed. */
  get replayed(): ReplaySummary | null {
    return this.#replay?.summary ?? null
  }

  /** How the partition counts differ from those that the producer was started with: `trade-data.asia 12 → 24`. */
  get partitionChanges(): readonly string[] {
    const now = this.#plan.partitions()
    return Object.entries(this.#partitions)
      .filter(([topic, count]) => now[topic] !== count)
      .map(([topic, count]) => `${topic} ${count} → ${now[topic]}`)
  }

  get status(): readonly ThreadStatus[] {
    const names = ['producer', ...[...this.#exchanges.keys()].map(thread => `conn-${thread}`)]
    if (this.#log !== null) names.push('log')
    return names.map(name => ({
      name,
      state: this.#isStopping ? 'stopped' : 'running',
      restarts: this.#supervisor.restarts.get(name) ?? 0
    }))
  }

  async startLog(): Promise<void> {
    await this.#supervisor.start({
      id: 'log',
      // What the log held is gone with it, so a new one would hide the loss.
      restart: 'temporary',
      shutdownMs: this.#plan.config.producer.drainMs,
      start: () => this.#startLog()
    })
  }

  /** The producer first, so that every socket finds it. */
  async startPipeline(): Promise<void> {
    await this.#supervisor.start({
      id: 'producer',
      restart: 'permanent',
      shutdownMs: this.#plan.config.producer.drainMs,
      start: () => this.#startProducer()
    })
    if (this.#plan.replay !== null) {
      await this.#supervisor.start({
        id: 'conn-0',
        // A capture that was half replayed cannot be gone on with.
        restart: 'temporary',
        shutdownMs: stopSocketsMs,
        start: () => this.#startReplay(this.#plan.replay!)
      })
      return
    }
    for (let thread = 0; thread < this.#plan.layout.threads; thread++) {
      await this.#supervisor.start({
        id: `conn-${thread}`,
        restart: 'permanent',
        shutdownMs: stopSocketsMs,
        start: () => this.#startConnections(thread)
      })
    }
  }

  /** Closes the sockets, then lets the producer settle everything that was accepted. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isStopping = true
    const threads = [...this.#exchanges.values()]
    await Promise.all(threads.map(thread => thread.stop(stopSocketsMs)))
    await this.#producer?.drain(threads.length, deadlineMs)
    // A thread that died may have left frames between two accounts; nothing is on its way any more.
    if (this.#supervisor.restarts.size > 0) {
      closeProducerAccounts(this.#plan.ledger, this.#plan.layout.targets)
    }
  }

  /** Shortens a drain that is under way. */
  hurry(): void {
    for (const thread of this.#exchanges.values()) void thread.terminate()
    void this.#producer?.drain(0, 0)
  }

  /** Closes the embedded log: its checkers read to the end. */
  async closeLog(): Promise<void> {
    await this.#supervisor.stop('log')
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#supervisor.stop()
  }

  /** Ends a thread as a crash would. */
  async crash(name: string): Promise<void> {
    if (name === 'producer') await this.#producer?.kill()
    else await this.#exchanges.get(Number(name.replace('conn-', '')))?.kill()
  }

  async #startLog(): Promise<Child> {
    const { config, verifySocket, logLevel } = this.#plan
    const limits = { ...defaultLogLimits, topicBytes: config.limits.embeddedTopicBytes }
    const log = new LogRef({ logLevel, verifySocket, limits }, error => this.#events.fault(error, {}))
    await readyOrEnded({ ready: log.ready, terminate: () => log.kill() })
    this.#log = log
    void log.exited.then(error => {
      if (error !== null) this.#events.failed(error)
    })
    return { exited: log.exited, stop: deadlineMs => log.close(deadlineMs) }
  }

  async #startProducer(): Promise<Child> {
    const { config, logLevel, ledger, layout } = this.#plan
    if (this.#producer !== null) this.#buryProducer()
    this.#partitions = this.#plan.partitions()
    const producer = new ProducerRef(
      {
        pod: config.pod,
        logLevel,
        sink: this.#sinkPlan(),
        encoding: config.serialization.data,
        schemaIds: this.#plan.schemaIds,
        partitions: this.#partitions,
        ledger: { memory: ledger.memory, shards: ledger.shards, targets: ledger.targets },
        openGaps: this.#gaps.open,
        looksForSilence: this.#plan.replay === null,
        gapFile: config.kafka.brokers.length === 0 ? null : config.producer.gapFile,
        tuning: tuningOf(config.producer),
        codecs: config.threads.codecs,
        offload: config.threads.offload,
        exchanges: layout.exchanges.map(({ exchange }) => exchange),
        limits: config.limits
      },
      {
        stats: stats => {
          if (producer !== this.#producer) return
          this.#stats = stats
          this.#gaps.counted()
        },
        gapOpened: gap => this.#gaps.opened(gap),
        gapClosed: gapId => this.#gaps.closed(gapId),
        fault: error => this.#events.fault(error, {})
      }
    )
    await readyOrEnded(producer)
    this.#producer = producer
    for (const [thread, exchange] of this.#exchanges) this.#join(thread, exchange)
    this.#events.producerReady()
    return { exited: producer.exited, stop: () => producer.terminate() }
  }

  /** Closes the books of a producer that died. */
  #buryProducer(): void {
    closeProducerAccounts(this.#plan.ledger, this.#plan.layout.targets)
    this.#stats = null
  }

  #sinkPlan(): SinkPlan {
    const { sinkKind, config } = this.#plan
    if (this.#log !== null) return { kind: 'embedded', port: this.#log.producerPort() }
    return { kind: sinkKind, access: config.kafka }
  }

  async #startConnections(thread: number): Promise<Child> {
    if (this.#exchanges.has(thread)) {
      const { ledger, layout } = this.#plan
      const placed = layout.exchanges.filter(exchange => exchange.thread === thread)
      closeConnectionAccounts(
        ledger,
        placed.flatMap(({ targets }) => targets)
      )
    }
    this.#captured.begun(thread)
    const ref = connectionThread(this.#plan, thread, this.#connectionNumbers, {
      fault: (error, facts) => this.#events.fault(error, facts),
      published: event => this.#producer?.publishError(event),
      lookedUp: (exchange, connections) => this.#lookedUp(exchange, connections),
      captured: stats => this.#captured.told(thread, stats)
    })
    await readyOrEnded(ref)
    this.#exchanges.set(thread, ref)
    this.#join(thread, ref)
    // A graceful end is the drain's business; what is stopped here has been drained, or never began.
    return { exited: ref.exited, stop: () => ref.terminate() }
  }

  /** A run that has nothing to collect ends; one that had goes on, whatever becomes of it. */
  #lookedUp(exchange: ExchangeName, connections: number): void {
    if (connections > 0) this.#unlisted = null
    this.#unlisted?.add(exchange)
    const { exchanges, targets } = this.#plan.layout
    if (this.#unlisted?.size !== exchanges.length || this.#isStopping) return
    this.#events.failed(
      new IngestError(
        'TARGET_INVALID',
        `No exchange lists any symbol of ${targets.map(({ plan }) => targetName(plan.target)).join(', ')}: there is ` +
          'nothing to collect. `coin-stream instruments EXCHANGE` shows what it lists.'
      )
    )
  }

  async #startReplay(replay: ReplayOptions): Promise<Child> {
    const child = new ReplayChild(this.#plan, replay, this.#events)
    this.#replay = child
    const { ref } = child
    await readyOrEnded(ref)
    void ref.exited.then(error => {
      if (error !== null) this.#events.failed(error)
    })
    this.#exchanges.set(0, ref)
    this.#join(0, ref)
    return { exited: ref.exited, stop: () => ref.terminate() }
  }

  /** Joins a connection thread and the producer by a port of their own. */
  #join(thread: number, exchange: FrameSource): void {
    if (this.#producer === null) return
    const { port1, port2 } = new MessageChannel()
    this.#producer.connect(thread, port1)
    exchange.connect(port2)
  }
}

/** A thread that failed to get ready is ended: nobody would know of it any more. */
async function readyOrEnded(thread: {
  readonly ready: Promise<void>
  terminate(): Promise<void>
}): Promise<void> {
  try {
    await thread.ready
  } catch (error) {
    await thread.terminate()
    throw error
  }
}
