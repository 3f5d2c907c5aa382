import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { AdminServer } from '../../actors/control/admin-server.ts'
import { readableTopics } from '../../actors/control/topics.ts'
import { type ExchangePlan } from '../../actors/exchange/messages.ts'
import { ExchangeRef } from '../../actors/exchange/ref.ts'
import { defaultLogLimits } from '../../actors/log/messages.ts'
import { LogRef } from '../../actors/log/ref.ts'
import { type ProducerStats, type SinkPlan } from '../../actors/producer/messages.ts'
import { ProducerRef } from '../../actors/producer/ref.ts'
import { Supervisor } from '../../actors/supervisor/actor.ts'
import { type Child } from '../../actors/supervisor/child-spec.ts'
import { SystemClock } from '../core/clock.ts'
import { type ErrorCode, type IngestError } from '../core/errors.ts'
import { createLogger, type Logger } from '../core/logger.ts'
import { type Summary } from '../domain/summary.ts'
import { type ExchangeName } from '../domain/target.ts'
import { type Truth } from '../domain/truth.ts'
import { SharedLedger } from '../wire/shared-ledger.ts'
import { closeConnectionAccounts, closeProducerAccounts } from './accounts.ts'
import { plansFor } from './default-targets.ts'
import { type Layout, layOut } from './layout.ts'
import { Monitor } from './monitor.ts'
import { type RunningService, type ServiceOptions, type StatusSnapshot } from './service.ts'
import { type SimulationClient, startOrAttach } from './simulation-client.ts'
import { tailHandler } from './tail.ts'
import { TopicKeeper } from './topic-keeper.ts'

const stopSocketsMs = 3_000
/** Symbols of each simulated exchange that are collected when nothing is named; it lists more. */
const demoSymbols = 5
/** Each life of each connection thread numbers its connections from a range of its own. */
const connectionsPerLife = 1_000_000

/** Starts the whole service: the only place that knows every actor. */
export async function runService(options: ServiceOptions): Promise<RunningService> {
  const service = new Service(options)
  try {
    await service.start()
  } catch (error) {
    await service.abandon()
    throw error
  }
  return service
}

class Service implements RunningService {
  readonly finished: Promise<Summary>
  readonly #options: ServiceOptions
  readonly #clock = new SystemClock()
  readonly #logger: Logger
  readonly #supervisor: Supervisor
  readonly #startedMs = Date.now()
  readonly #cpuBefore = process.cpuUsage()
  readonly #exchanges = new Map<number, ExchangeRef>()
  readonly #errors: Record<string, number> = {}
  readonly #finish: (summary: Summary) => void
  readonly #fail: (error: unknown) => void
  #admin: AdminServer | null = null
  #simulation: SimulationClient | null = null
  #topics: TopicKeeper | null = null
  #log: LogRef | null = null
  #producer: ProducerRef | null = null
  #stats: ProducerStats | null = null
  /** Gaps that producers before the present one have opened and closed. */
  #gapsBefore = { opened: 0, closed: 0, open: 0 }
  #layout: Layout = { exchanges: [], targets: [], shards: 0, threads: 0, creditBytesPerConnection: 0 }
  #ledger: SharedLedger = new SharedLedger(0, 0)
  #monitor: Monitor = new Monitor(this.#ledger, [])
  #runDir = ''
  #verifySocket = ''
  #lives = 0
  #timer: NodeJS.Timeout | null = null
  #state: StatusSnapshot['state'] = 'starting'
  #stopping: Promise<Summary> | null = null
  #drainMs: number

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#drainMs = options.config.producer.drainMs
    this.#logger = createLogger(options.logLevel, 'main')
    let finish: (summary: Summary) => void = () => undefined
    let fail: (error: unknown) => void = () => undefined
    this.finished = new Promise((resolve, reject) => {
      finish = resolve
      fail = reject
    })
    this.finished.catch(() => undefined)
    this.#finish = finish
    this.#fail = fail
    this.#supervisor = new Supervisor({
      clock: this.#clock,
      logger: this.#logger,
      intensity: options.config.limits.restartsPerMinute,
      periodMs: 60_000,
      onExhausted: error => {
        this.#count(error.code)
        fail(error)
      }
    })
  }

  async start(): Promise<void> {
    const { config, simulation, plans } = this.#options
    await this.#openAdmin()
    this.#runDir = await mkdtemp(join(tmpdir(), 'coin-stream-'))
    this.#verifySocket = join(this.#runDir, 'verify.sock')
    if (simulation !== null) {
      this.#simulation = await startOrAttach(simulation)
      void this.#simulation.exited.then(error => {
        if (error !== null) this.#fail(error)
      })
    }
    const offered = this.#simulation?.venues ?? []
    const wanted =
      plans.length > 0
        ? plans
        : plansFor(new Map(offered.map(venue => [venue.exchange, venue.symbols.slice(0, demoSymbols)])))
    this.#layout = layOut(wanted, config)
    this.#ledger = new SharedLedger(this.#layout.shards, this.#layout.targets.length)
    this.#monitor = new Monitor(this.#ledger, this.#layout.targets)
    await this.#openSink()
    if (simulation?.verify === true) await this.#attachCheck()
    await this.#supervisor.start({
      id: 'producer',
      restart: 'permanent',
      shutdownMs: this.#drainMs,
      start: () => this.#startProducer()
    })
    for (let thread = 0; thread < this.#layout.threads; thread++) {
      await this.#supervisor.start({
        id: `conn-${thread}`,
        restart: 'permanent',
        shutdownMs: stopSocketsMs,
        start: () => this.#startConnections(thread)
      })
    }
    this.#state = 'running'
    const { forMs } = this.#options
    if (forMs !== null) this.#timer = setTimeout(() => void this.stop('the time is up'), forMs)
  }

  /** Ends what `start` had begun before it failed. */
  async abandon(): Promise<void> {
    await this.#close()
  }

  snapshot(): StatusSnapshot {
    const now = Date.now()
    const { config } = this.#options
    const openByTarget = this.#stats?.openByTarget ?? []
    return {
      started_at: this.#startedMs,
      state: this.#state,
      pod: config.pod,
      simulated: this.#simulation !== null,
      sink: {
        kind: config.kafka.brokers.length === 0 ? 'embedded' : 'kafka',
        available: this.#stats?.sink.isUp ?? true,
        message: this.#stats?.sink.message ?? ''
      },
      registry: 'none',
      targets: this.#layout.targets.map(placed => {
        const { exchange, request_type } = placed.plan.target
        const gaps = openByTarget.find(
          ({ target }) => target.exchange === exchange && target.request_type === request_type
        )
        return this.#monitor.target(placed, gaps?.open ?? 0, now)
      }),
      frames: this.#monitor.frames(),
      records: this.#monitor.records(),
      gaps: this.#gaps(),
      reconnects: this.#monitor.reconnects(),
      threads: this.#threads(),
      errors: { ...this.#errors, ...this.#stats?.deadByCode },
      limits: this.#stats?.limitHits ?? {}
    }
  }

  stop(reason: string): Promise<Summary> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  hurry(): void {
    this.#drainMs = 0
    for (const thread of this.#exchanges.values()) void thread.terminate()
    void this.#producer?.drain(0, 0)
  }

  /** Ends a thread as a crash would, and tells the simulation, so that the gap is not held to be overdeclared. */
  async crash(thread: string): Promise<void> {
    await this.#simulation?.fault({ kind: 'kill' })
    if (thread === 'producer') await this.#producer?.kill()
    else await this.#exchanges.get(Number(thread.replace('conn-', '')))?.kill()
  }

  async #openAdmin(): Promise<void> {
    const admin = new AdminServer(this.#options.config.admin.socket, {
      status: () => this.snapshot(),
      targets: () => this.snapshot().targets,
      topics: readableTopics,
      tail: (request, stream) => tailHandler(this.#log, request, stream)
    })
    await admin.open()
    this.#admin = admin
  }

  async #openSink(): Promise<void> {
    const { config } = this.#options
    const targets = this.#layout.targets.map(placed => placed.plan.target)
    this.#topics = new TopicKeeper(config, targets, this.#logger)
    if (config.kafka.brokers.length > 0) {
      await this.#topics.open(() => void this.#producer?.kill())
      return
    }
    await this.#supervisor.start({
      id: 'log',
      // What the log held is gone with it, so a new one would hide the loss.
      restart: 'temporary',
      shutdownMs: this.#drainMs,
      start: () => this.#startLog()
    })
  }

  async #attachCheck(): Promise<void> {
    const { brokers } = this.#options.config.kafka
    await this.#simulation?.check(
      brokers.length === 0
        ? { kind: 'embedded', socket: this.#verifySocket }
        : { kind: 'kafka', brokers, topics: Object.keys(this.#topics?.partitions ?? {}) }
    )
  }

  async #startLog(): Promise<Child> {
    const { config, simulation, logLevel } = this.#options
    const log = new LogRef(
      {
        logLevel,
        verifySocket: simulation?.verify === true ? this.#verifySocket : null,
        limits: { ...defaultLogLimits, topicBytes: config.limits.embeddedTopicBytes }
      },
      error => this.#fault(error)
    )
    await log.ready
    this.#log = log
    return { exited: log.exited, stop: deadlineMs => log.close(deadlineMs) }
  }

  async #startProducer(): Promise<Child> {
    const { config, logLevel } = this.#options
    if (this.#producer !== null) this.#buryProducer()
    const producer = new ProducerRef(
      {
        pod: config.pod,
        logLevel,
        sink: this.#sinkPlan(),
        encoding: config.serialization.data,
        partitions: this.#topics?.partitions ?? {},
        ledger: {
          memory: this.#ledger.memory,
          shards: this.#ledger.shards,
          targets: this.#ledger.targets
        },
        gapFile: config.kafka.brokers.length === 0 ? null : config.producer.gapFile,
        lingerMs: config.producer.lingerMs,
        batchBytes: config.producer.batchBytes,
        codecs: config.threads.codecs,
        exchanges: this.#layout.exchanges.map(({ exchange }) => exchange),
        limits: config.limits
      },
      {
        stats: stats => {
          if (producer === this.#producer) this.#stats = stats
        },
        fault: error => this.#fault(error)
      }
    )
    await producer.ready
    this.#producer = producer
    for (const [thread, exchange] of this.#exchanges) this.#join(thread, exchange)
    return { exited: producer.exited, stop: () => producer.terminate() }
  }

  /** Closes the books of a producer that died. */
  #buryProducer(): void {
    closeProducerAccounts(this.#ledger, this.#layout.targets)
    const { opened, closed, open } = this.#stats?.gaps ?? { opened: 0, closed: 0, open: 0 }
    const before = this.#gapsBefore
    this.#gapsBefore = {
      opened: before.opened + opened,
      closed: before.closed + closed,
      open: before.open + open
    }
    this.#stats = null
  }

  #sinkPlan(): SinkPlan {
    const { kafka, producer } = this.#options.config
    if (this.#log !== null) return { kind: 'embedded', port: this.#log.producerPort() }
    return { kind: 'kafka', ...kafka, compression: producer.compression }
  }

  async #startConnections(thread: number): Promise<Child> {
    const { config, logLevel } = this.#options
    const placed = this.#layout.exchanges.filter(exchange => exchange.thread === thread)
    if (this.#exchanges.has(thread)) {
      closeConnectionAccounts(
        this.#ledger,
        placed.flatMap(({ targets }) => targets)
      )
    }
    const { frameBytesMax, inflatedBytesMax, batchBytes, batchLingerMs } = config.limits
    const ref = new ExchangeRef(
      `conn-${thread}`,
      {
        pod: config.pod,
        logLevel,
        exchanges: placed.map(
          ({ exchange, targets }): ExchangePlan => ({
            exchange,
            endpoints: this.#endpointsOf(exchange),
            targets
          })
        ),
        ledger: {
          memory: this.#ledger.memory,
          shards: this.#ledger.shards,
          targets: this.#ledger.targets
        },
        limits: {
          frameBytesMax,
          inflatedBytesMax,
          batchBytes,
          batchLingerMs,
          creditBytesPerConnection: this.#layout.creditBytesPerConnection
        },
        firstConnection: ++this.#lives * connectionsPerLife
      },
      {
        transition: ({ from, to, connectionId, reason }) =>
          this.#logger.debug({ from, to, connection_id: connectionId, reason }, 'connection'),
        circuit: ({ exchange, state }) => this.#logger.info({ exchange, state }, `circuit ${state}`),
        confirmed: ({ target, symbol }) => this.#logger.debug({ target, symbol }, 'confirmed'),
        fault: (error, { exchange, connectionId, suppressed }) => {
          this.#count(error.code)
          this.#logger.warn(
            { code: error.code, exchange, connection_id: connectionId, suppressed },
            error.message
          )
        }
      }
    )
    await ref.ready
    this.#exchanges.set(thread, ref)
    this.#join(thread, ref)
    // A graceful end is the drain's business; what is stopped here has been drained, or never began.
    return { exited: ref.exited, stop: () => ref.terminate() }
  }

  #endpointsOf(exchange: ExchangeName): ExchangePlan['endpoints'] {
    const simulated = this.#simulation?.venues.find(venue => venue.exchange === exchange)
    return simulated ?? this.#options.endpoints?.get(exchange) ?? null
  }

  /** Joins a connection thread and the producer by a port of their own. */
  #join(thread: number, exchange: ExchangeRef): void {
    if (this.#producer === null) return
    const { port1, port2 } = new MessageChannel()
    this.#producer.connect(thread, port1)
    exchange.connect(port2)
  }

  async #stop(reason: string): Promise<Summary> {
    this.#state = 'stopping'
    this.#logger.info(`stopping: ${reason}`)
    if (this.#timer !== null) clearTimeout(this.#timer)
    try {
      const summary = await this.#drain()
      await this.#close()
      this.#finish(summary)
      return summary
    } catch (error) {
      await this.#close()
      this.#fail(error)
      throw error
    }
  }

  async #drain(): Promise<Summary> {
    const states = new Map(this.snapshot().targets.map(({ target, state }) => [target, state]))
    await this.#simulation?.freeze()
    const threads = [...this.#exchanges.values()]
    await Promise.all(threads.map(thread => thread.stop(stopSocketsMs)))
    await this.#producer?.drain(threads.length, this.#drainMs)
    const durationMs = Date.now() - this.#startedMs
    const { user, system } = process.cpuUsage(this.#cpuBefore)
    if ((this.#supervisor.restarts.get('producer') ?? 0) > 0) {
      closeProducerAccounts(this.#ledger, this.#layout.targets)
    }
    const reached = await this.#simulation?.stats()
    const truth = await this.#truth()
    return this.#summary(durationMs, user + system, truth, reached ?? null, states)
  }

  /** The check reads to the end of the sink: of the embedded log once that is closed, of Kafka as it stands. */
  async #truth(): Promise<Truth | null> {
    if (this.#simulation === null || this.#options.simulation?.verify !== true) return null
    const finished = this.#simulation.finish()
    finished.catch(() => undefined)
    await this.#supervisor.stop('log')
    return await finished
  }

  #summary(
    durationMs: number,
    cpuMicros: number,
    truth: Truth | null,
    rate: { readonly asked: number | 'max'; readonly reached: number } | null,
    /** States of the targets before the stop: what they were, not that they are stopped. */
    states: ReadonlyMap<string, string>
  ): Summary {
    const status = this.snapshot()
    const published = status.records.published
    const targets = this.#layout.targets
    return {
      duration_ms: durationMs,
      exchanges: this.#layout.exchanges.length,
      targets: targets.length,
      symbols: targets.reduce((total, { plan }) => total + plan.symbols.length, 0),
      frames: status.frames,
      records: status.records,
      gaps: status.gaps,
      events_per_s: {
        asked: rate?.asked ?? null,
        reached: Math.round(rate?.reached ?? (published * 1000) / durationMs)
      },
      reconnects: status.reconnects,
      latency_ms: this.#monitor.latency(),
      cpu_us_per_record: published === 0 ? 0 : Math.round((cpuMicros * 100) / published) / 100,
      rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
      per_target: status.targets.map(({ target, state, symbols, records, latency_ms }) => ({
        target,
        state: states.get(target) ?? state,
        symbols,
        records,
        latency_ms
      })),
      truth
    }
  }

  #gaps(): Summary['gaps'] {
    const now = this.#stats?.gaps ?? { opened: 0, closed: 0, open: 0 }
    const before = this.#gapsBefore
    return {
      opened: before.opened + now.opened,
      closed: before.closed + now.closed,
      open: before.open + now.open
    }
  }

  #threads(): StatusSnapshot['threads'] {
    const names = ['producer', ...Array.from({ length: this.#layout.threads }, (_, i) => `conn-${i}`)]
    if (this.#log !== null) names.push('log')
    return names.map(name => ({
      name,
      state: this.#state === 'stopping' ? 'stopped' : 'running',
      restarts: this.#supervisor.restarts.get(name) ?? 0
    }))
  }

  #fault(error: IngestError): void {
    this.#count(error.code)
    this.#logger.error({ code: error.code, err: error }, error.message)
  }

  #count(code: ErrorCode): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1
  }

  async #close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#supervisor.stop()
    await this.#topics?.close()
    await this.#simulation?.close()
    await this.#admin?.close()
    if (this.#runDir !== '') await rm(this.#runDir, { recursive: true, force: true })
  }
}
