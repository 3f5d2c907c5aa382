import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { ExchangeHost } from '../../../actors/exchange/host.ts'
import { type ExchangePlan } from '../../../actors/exchange/messages.ts'
import { type Rest } from '../../../actors/exchange/rest.ts'
import { type Dial } from '../../../actors/exchange/socket.ts'
import { Codec } from '../../../actors/producer/codec.ts'
import { ProducerSession } from '../../../actors/producer/session.ts'
import { type SinkListener } from '../../../actors/producer/sinks/record-sink.ts'
import { type SystemClock } from '../../core/clock.ts'
import { fromWire, type IngestError } from '../../core/errors.ts'
import { createLogger } from '../../core/logger.ts'
import { localSchemaIds, subjectsOf } from '../../domain/avro-subjects.ts'
import { tuningOf } from '../../domain/producer-tuning.ts'
import { type Target } from '../../domain/target.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { ConnectionNumbers } from '../../wire/connection-numbers.ts'
import { type SharedLedger } from '../../wire/shared-ledger.ts'
import { type Layout } from '../layout.ts'
import { checkConfig } from './check-config.ts'
import { type BatchObserver, observedCodec } from './observed-codec.ts'
import { type TallyEvents, TallySink } from './tally-sink.ts'

const looksEveryMs = 1_000
const ticksEveryMs = 20
const socketsWithinMs = 3_000
const drainWithinMs = 3_000

export interface PipelineObserver extends TallyEvents {
  /** The producer's port, before the producer listens on it. */
  port(port: MessagePort): void
  readonly batch: BatchObserver
  /** @param suppressed faults of its code that were counted before it and not told */
  fault(error: IngestError, target: Target | null, suppressed: number): void
}

export interface PipelineOptions {
  readonly plan: ExchangePlan
  readonly adapter: ExchangeAdapter
  readonly layout: Layout
  readonly ledger: SharedLedger
  readonly clock: SystemClock
  readonly dial: Dial
  readonly rest: Rest
  readonly observer: PipelineObserver
}

/** Connection host and producer of the service in one thread, from the venue's sockets to a sink that only counts. */
export class CheckedPipeline {
  readonly #host: ExchangeHost
  readonly #session: ProducerSession
  readonly #sink: TallySink
  readonly #far: MessagePort
  readonly #near: MessagePort
  readonly #timers: NodeJS.Timeout[] = []
  readonly #stopped: Promise<void>

  constructor({ plan, adapter, layout, ledger, clock, dial, rest, observer }: PipelineOptions) {
    const { pod, limits, threads } = checkConfig
    const shared = { memory: ledger.memory, shards: ledger.shards, targets: ledger.targets }
    const schemaIds = localSchemaIds(subjectsOf(plan.targets.map(each => each.plan.target)))
    const logger = createLogger('silent', 'live-check')
    const { port1, port2 } = new MessageChannel()
    this.#near = port1
    this.#far = port2
    const listener: SinkListener = {
      settled: (...facts) => this.#session.settled(...facts),
      undelivered: (...facts) => this.#session.undelivered(...facts),
      refused: (...facts) => this.#session.refused(...facts),
      availability: () => undefined
    }
    this.#sink = new TallySink(listener, observer)
    this.#session = new ProducerSession({
      plan: {
        pod,
        logLevel: 'silent',
        // Never reached: the sink is given.
        sink: { kind: 'embedded', port: port1 },
        encoding: 'avro',
        schemaIds,
        partitions: {},
        ledger: shared,
        gapFile: null,
        looksForSilence: true,
        openGaps: [],
        tuning: tuningOf(checkConfig.producer),
        codecs: 0,
        offload: threads.offload,
        exchanges: [plan.exchange],
        limits
      },
      clock,
      logger,
      ledger,
      // Not warmed up: that would hold up the sockets of the exchanges that are being checked already.
      codec: observedCodec(new Codec('avro', schemaIds, null, null, []), observer.batch),
      sink: this.#sink,
      adapterOf: () => adapter,
      onGapOpened: () => undefined,
      onGapClosed: () => undefined
    })
    observer.port(port1)
    let onStopped: () => void = () => undefined
    this.#stopped = new Promise(resolve => {
      onStopped = resolve
    })
    this.#host = new ExchangeHost(
      {
        pod,
        logLevel: 'silent',
        exchanges: [plan],
        ledger: shared,
        limits: { ...limits, creditBytesPerConnection: layout.creditBytesPerConnection },
        listings: null,
        capture: null,
        connectionNumbers: new ConnectionNumbers().memory
      },
      { clock, random: () => Math.random(), dial, rest, adapterOf: () => adapter },
      report => {
        if (report.type === 'stopped') onStopped()
        if (report.type === 'fault') observer.fault(fromWire(report.error), report.target, report.suppressed)
      }
    )
  }

  start(): void {
    this.#session.attach(0, this.#near)
    this.#timers.push(
      setInterval(() => {
        this.#session.checkFreshness()
        this.#session.checkPressure()
      }, looksEveryMs),
      setInterval(() => this.#session.tick(), ticksEveryMs)
    )
    this.#host.receive({ type: 'producer', port: this.#far })
  }

  /** Closes the sockets by their closing handshakes and settles what came until then. */
  async stop(): Promise<void> {
    this.#host.receive({ type: 'stop', deadlineMs: socketsWithinMs })
    await this.#stopped
    await this.#session.drain(1, drainWithinMs)
    for (const timer of this.#timers) clearInterval(timer)
    await this.#sink.close()
    this.#far.close()
  }
}
