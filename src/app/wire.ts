import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminServer } from '../../actors/control/admin-server.ts'
import { readableTopics } from '../../actors/control/topics.ts'
import { type KafkaAccess } from '../bus/kafka-client.ts'
import { type RegistryAccess } from '../bus/registry-http.ts'
import { createCaptureFolder, writeManifest } from '../capture/capture-folder.ts'
import { type Config } from '../config/schema.ts'
import { SystemClock } from '../core/clock.ts'
import { asIngestError, type ErrorCode, IngestError } from '../core/errors.ts'
import { createLogger, type Logger } from '../core/logger.ts'
import { type Summary } from '../domain/summary.ts'
import { type Truth } from '../domain/truth.ts'
import { SharedLedger } from '../wire/shared-ledger.ts'
import { plansFor } from './default-targets.ts'
import { type Layout, layOut } from './layout.ts'
import { Monitor } from './monitor.ts'
import { producerStatus } from './producer-status.ts'
import { RecordDigests } from './record-digests.ts'
import { schemaIdsFor } from './schema-preflight.ts'
import { type RunningService, type ServiceOptions, type StatusSnapshot } from './service.ts'
import { type SimulationClient, startOrAttach } from './simulation-client.ts'
import { summaryOf } from './summary.ts'
import { tailHandler } from './tail.ts'
import { Threads } from './threads.ts'
import { TopicKeeper } from './topic-keeper.ts'

const topicsWithinMs = 5_000
/** Symbols of each simulated exchange that are collected when nothing is named; it lists more. */
const demoSymbols = 5

/** Starts the whole service: the threads, what watches them, and where their records go. */
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
  readonly #startedMs = Date.now()
  readonly #cpuBefore = process.cpuUsage()
  readonly #errors: Record<string, number> = {}
  readonly #finish: (summary: Summary) => void
  readonly #reject: (error: unknown) => void
  #admin: AdminServer | null = null
  #simulation: SimulationClient | null = null
  #topics: TopicKeeper | null = null
  #digests: RecordDigests | null = null
  #threads: Threads | null = null
  #layout: Layout = { exchanges: [], targets: [], shards: 0, threads: 0, creditBytesPerConnection: 0 }
  #monitor: Monitor = new Monitor(new SharedLedger(0, 0), [])
  #runDir = ''
  #timer: NodeJS.Timeout | null = null
  #state: StatusSnapshot['state'] = 'starting'
  #stopping: Promise<Summary> | null = null
  #isRenewing = false
  #closing: Promise<void> | null = null
  #drainMs: number

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#drainMs = options.config.producer.drainMs
    this.#logger = createLogger(options.logLevel, 'main')
    let finish: (summary: Summary) => void = () => undefined
    let reject: (error: unknown) => void = () => undefined
    this.finished = new Promise((onFinished, onFailed) => {
      finish = onFinished
      reject = onFailed
    })
    this.finished.catch(() => undefined)
    this.#finish = finish
    this.#reject = reject
  }

  async start(): Promise<void> {
    const { config, simulation, plans, forMs, logLevel, capture, replay, digests } = this.#options
    if (capture !== null) await createCaptureFolder(capture)
    await this.#openAdmin()
    this.#runDir = await mkdtemp(join(tmpdir(), 'coin-stream-'))
    const verifySocket = join(this.#runDir, 'verify.sock')
    if (simulation !== null) await this.#openSimulation()
    const offered = this.#simulation?.venues ?? []
    const everything = new Map(offered.map(venue => [venue.exchange, venue.symbols.slice(0, demoSymbols)]))
    const collected = plans.length > 0 ? plans : plansFor(everything)
    const layout = layOut(collected, config)
    const ledger = new SharedLedger(layout.shards, layout.targets.length)
    this.#layout = layout
    this.#monitor = new Monitor(ledger, layout.targets, replay === null)
    const targets = layout.targets.map(placed => placed.plan.target)
    const schemaIds = await schemaIdsFor(config, targets, this.#logger)
    // A start that failed before has not used up the folder.
    if (capture !== null) {
      const started_ts = this.#clock.nowMicros()
      await writeManifest(capture, { pod: config.pod, started_ts, targets: collected })
    }
    const topics = new TopicKeeper(config, targets, this.#logger, this.#clock)
    this.#topics = topics
    const threads = new Threads(
      {
        config,
        sinkKind: this.#options.sinkKind,
        logLevel,
        logger: this.#logger,
        clock: this.#clock,
        ledger,
        layout,
        schemaIds,
        verifySocket: simulation?.verify === true || digests ? verifySocket : null,
        capture,
        replay,
        partitions: () => topics.partitions,
        endpointsOf: exchange => {
          if (this.#simulation === null) return this.#options.endpoints?.get(exchange) ?? null
          const simulated = this.#simulation.venues.find(venue => venue.exchange === exchange)
          // Never the real venue in its place.
          if (simulated === undefined) {
            throw new IngestError(
              'TARGET_INVALID',
              `The simulation has no ${exchange}; leave its targets out.`
            )
          }
          return simulated
        }
      },
      {
        fault: (error, facts) => {
          this.#count(error.code, 1 + (facts.suppressed ?? 0))
          this.#logger.warn({ code: error.code, ...facts }, error.message)
        },
        producerReady: () => {
          topics.look()
          this.#renewProducer()
        },
        remark: sentence => this.#logger.warn(sentence),
        replayFinished: () => void this.stop('the capture is at its end').catch(() => undefined),
        failed: error => this.#fail(error)
      }
    )
    this.#threads = threads
    if (config.kafka.brokers.length === 0) await threads.startLog()
    else {
      const known = topics.open(() => this.#renewProducer())
      // The check must know the topics; a service that only runs does not wait long for a Kafka that does not answer.
      const patience = simulation?.verify === true ? [] : [sleep(topicsWithinMs, undefined, { ref: false })]
      await Promise.race([known, ...patience])
    }
    if (simulation?.verify === true) await this.#attachCheck(verifySocket)
    if (digests) {
      this.#digests = new RecordDigests(verifySocket, note => this.#logger.error(note))
      await this.#digests.attach()
    }
    await threads.startPipeline()
    this.#state = 'running'
    if (forMs !== null) {
      // A stop that fails is told by `finished`.
      this.#timer = setTimeout(() => void this.stop('the time is up').catch(() => undefined), forMs)
    }
  }

  /** Ends what `start` had begun before it failed. */
  async abandon(): Promise<void> {
    await this.#close()
  }

  snapshot(): StatusSnapshot {
    const now = Date.now()
    const { config } = this.#options
    const stats = this.#threads?.stats ?? null
    const openByTarget = stats?.openByTarget ?? []
    const isEmbedded = config.kafka.brokers.length === 0
    const undelivered = stats?.undelivered ?? 0
    return {
      started_at: this.#startedMs,
      state: this.#state,
      pod: config.pod,
      simulated: this.#simulation !== null,
      replayed: this.#options.replay !== null,
      sink: {
        kind: isEmbedded ? 'embedded' : 'kafka',
        available: stats?.sink.isUp ?? true,
        message: stats?.sink.message ?? ''
      },
      registry: isEmbedded ? 'none' : config.registry.url,
      producer: isEmbedded ? null : producerStatus(config, stats),
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
      threads: this.#threads?.status ?? [],
      errors: {
        ...this.#errors,
        ...stats?.deadByCode,
        ...(undelivered > 0 ? { RECORD_UNDELIVERED: undelivered } : {})
      },
      limits: {
        ...stats?.limitHits,
        ...this.#monitor.limitHits(),
        ...this.#threads?.log?.stats.limitHits,
        ...(this.#options.capture === null
          ? {}
          : { captureBufferedBytes: this.#threads?.captured?.dropped ?? 0 })
      },
      clock_jumps: stats?.clockJumps ?? 0
    }
  }

  stop(reason: string): Promise<Summary> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  hurry(): void {
    this.#drainMs = 0
    this.#threads?.hurry()
  }

  /** Ends a thread as a crash would, and tells the simulation, so that the gap is not held to be overdeclared. */
  async crash(thread: string): Promise<void> {
    await this.#simulation?.fault({ kind: 'kill' })
    await this.#threads?.crash(thread)
  }

  /**
   * Restarts a producer that was started with other partition counts than there are now, since its keys would go on to
   * their old partitions. One that is just starting is looked at when it is ready.
   */
  #renewProducer(): void {
    const changes = this.#threads?.partitionChanges ?? []
    if (changes.length === 0 || this.#isRenewing || this.#stopping !== null) return
    this.#logger.warn(
      `The partitions have changed (${changes.join(', ')}): the producer starts again with them; what is not acknowledged yet becomes a declared gap.`
    )
    this.#isRenewing = true
    this.crash('producer').then(
      () => {
        this.#isRenewing = false
      },
      (error: unknown) => this.#fail(error)
    )
  }

  async #openAdmin(): Promise<void> {
    const admin = new AdminServer(this.#options.config.admin.socket, {
      status: () => this.snapshot(),
      targets: () => this.snapshot().targets,
      topics: readableTopics,
      tail: (request, stream) => tailHandler(this.#threads?.log ?? null, request, stream)
    })
    await admin.open()
    this.#admin = admin
  }

  async #openSimulation(): Promise<void> {
    const { simulation } = this.#options
    if (simulation === null) return
    const client = await startOrAttach(simulation)
    this.#simulation = client
    void client.exited.then(error => {
      if (error !== null) this.#fail(error)
    })
  }

  async #attachCheck(socket: string): Promise<void> {
    const { kafka, registry } = this.#options.config
    const topics = Object.keys(this.#topics?.partitions ?? {})
    await this.#simulation?.check(
      kafka.brokers.length === 0
        ? { kind: 'embedded', socket }
        : { kind: 'kafka', access: checkedKafka(kafka), topics, registry: checkedRegistry(registry) }
    )
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
      this.#fail(error)
      throw error
    }
  }

  async #drain(): Promise<Summary> {
    const states = new Map(this.snapshot().targets.map(({ target, state }) => [target, state]))
    // Markets that others may still want go on, unless the check needs them to stand still.
    if (this.#options.simulation?.attach === null || this.#options.simulation?.verify === true) {
      await this.#simulation?.freeze()
    }
    await this.#threads?.drain(this.#drainMs)
    const durationMs = Date.now() - this.#startedMs
    const { user, system } = process.cpuUsage(this.#cpuBefore)
    const reached = await this.#simulation?.stats()
    const truth = await this.#truth()
    if (this.#digests !== null) await this.#threads?.closeLog()
    const digests = (await this.#digests?.finish()) ?? null
    return summaryOf(this.snapshot(), {
      durationMs,
      cpuMicros: user + system,
      rate: reached ?? null,
      states,
      layout: this.#layout,
      latency: this.#monitor.latency(),
      undelivered: this.#threads?.stats?.undelivered ?? 0,
      truth,
      capture: this.#threads?.captured ?? null,
      replay: this.#threads?.replayed ?? null,
      digests
    })
  }

  /** The check reads to the end of the sink: of the embedded log once that is closed, of Kafka as it stands. */
  async #truth(): Promise<Truth | null> {
    if (this.#simulation === null || this.#options.simulation?.verify !== true) return null
    const finished = this.#simulation.finish()
    finished.catch(() => undefined)
    await this.#threads?.closeLog()
    return await finished
  }

  #gaps(): Summary['gaps'] {
    return this.#threads?.gaps ?? { opened: 0, closed: 0, open: 0 }
  }

  /** The service cannot go on: everything is closed, and the failure told. */
  #fail(error: unknown): void {
    const known = asIngestError(error)
    this.#count(known.code)
    const tell = (): void => this.#reject(known)
    void this.#close().then(tell, tell)
  }

  #count(code: ErrorCode, times = 1): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + times
  }

  #close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#threads?.stop()
    await this.#topics?.close()
    await this.#digests?.close()
    await this.#simulation?.close()
    await this.#admin?.close()
    if (this.#runDir !== '') await rm(this.#runDir, { recursive: true, force: true })
  }
}

/** The brokers as the process of the check may ask them, which need not run in our folder. */
function checkedKafka({ caFile, certFile, keyFile, ...access }: Config['kafka']): KafkaAccess {
  const absolute = (path: string | null): string | null => (path === null ? null : resolve(path))
  return { ...access, caFile: absolute(caFile), certFile: absolute(certFile), keyFile: absolute(keyFile) }
}

/** The registry as the process of the check may ask it, which need not run in our folder. */
function checkedRegistry(registry: Config['registry']): RegistryAccess | null {
  if (registry.url === 'none') return null
  const { url, username, password, token, caFile, timeoutMs } = registry
  return { url, username, password, token, caFile: caFile === null ? null : resolve(caFile), timeoutMs }
}
