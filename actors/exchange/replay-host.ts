import { type MessagePort } from 'node:worker_threads'
import { CaptureSource } from '../../src/capture/capture-source.ts'
import { type ThreadStream } from '../../src/capture/thread-stream.ts'
import { type Clock } from '../../src/core/clock.ts'
import { asIngestError, IngestError, toWire } from '../../src/core/errors.ts'
import { type ExchangeName } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { type FromProducer } from '../../src/wire/session-messages.ts'
import { SharedLedger } from '../../src/wire/shared-ledger.ts'
import { Batcher, type ProducerPort } from './batcher.ts'
import { FaultReporter } from './fault-reporter.ts'
import { ReplayClock } from './replay-clock.ts'
import { ReplayFlow } from './replay-flow.ts'
import { ReplayLinks } from './replay-links.ts'
import {
  type ReplayOrder,
  type ReplayReport,
  type ReplayStats,
  type ReplayThreadPlan
} from './replay-messages.ts'

/** The window of the links themselves: the feeder waits before theirs could ever be used up, so that nothing is shed. */
const unlimitedBytes = 2 ** 50
/** The port, timers and orders get their turn after this long. */
const turnMs = 4
const entriesBetweenLooks = 64
const progressEveryMs = 1_000
/** At original speed an entry that is due this soon is not waited for. */
const earlyMs = 1
const waitMsMax = 1_000

/** What came before the time from which is replayed goes here: it only builds up how things stand. */
const nowhere: ProducerPort = { postMessage: () => undefined }

/**
 * A capture in the place of a connection thread. The links, and the way from them to the producer, are those of a running
 * service; the sockets are not, and what the producer asks of the exchanges (a snapshot, a new subscription) was asked
 * when the capture was made, and is answered in it.
 */
export class ReplayHost {
  readonly #plan: ReplayThreadPlan
  readonly #clock: Clock
  readonly #report: (report: ReplayReport) => void
  readonly #captureClock = new ReplayClock()
  readonly #batcher: Batcher
  readonly #flow: ReplayFlow
  readonly #links: ReplayLinks
  #port: MessagePort | null = null
  #running: Promise<void> | null = null
  #isCounting: boolean
  #isStopping = false
  #firstMicros = 0
  #lastMicros = 0
  /** By how much the capture's time lies behind ours, at original speed. */
  #behindMicros: number | null = null
  #progressMicros = 0

  constructor(
    plan: ReplayThreadPlan,
    seams: { readonly clock: Clock; adapterOf(exchange: ExchangeName): ExchangeAdapter },
    report: (report: ReplayReport) => void
  ) {
    const { clock } = seams
    this.#plan = plan
    this.#clock = clock
    this.#report = report
    this.#isCounting = plan.fromMicros === null
    this.#batcher = new Batcher({
      // Real time: when a batch goes changes nothing of what is in it.
      clock,
      batchBytes: plan.limits.batchBytes,
      lingerMs: plan.limits.batchLingerMs,
      creditBytes: unlimitedBytes,
      poolBytes: 0
    })
    this.#flow = new ReplayFlow(clock, plan.windowBytes, bytes =>
      this.#remark(`Nothing was settled for a while; up to ${bytes} bytes of frames are now under way.`)
    )
    this.#links = new ReplayLinks({
      targets: plan.targets,
      limits: plan.limits,
      clock: this.#captureClock,
      batcher: this.#batcher,
      faults: new FaultReporter(clock, fault => {
        if (fault.type === 'fault') report(fault)
      }),
      ledger: new SharedLedger(plan.ledger.shards, plan.ledger.targets, plan.ledger.memory),
      adapterOf: exchange => seams.adapterOf(exchange)
    })
  }

  receive(order: ReplayOrder): void {
    switch (order.type) {
      case 'producer':
        this.#attach(order.port)
        break
      case 'stop':
        this.#isStopping = true
        this.#flow.wake()
        void Promise.resolve(this.#running).then(() => this.#report({ type: 'stopped' }))
        break
    }
  }

  get #stats(): ReplayStats {
    const { connections, frames, missing } = this.#links
    return { connections, frames, missing, firstMicros: this.#firstMicros, lastMicros: this.#lastMicros }
  }

  #attach(port: MessagePort): void {
    this.#port?.close()
    this.#port = port
    port.on('message', (message: FromProducer) => {
      if (message.type !== 'settled') return
      for (const { connection, bytes, frameSeq } of message.entries) {
        this.#batcher.settled(connection, bytes, frameSeq)
        this.#flow.settled(bytes)
      }
    })
    if (this.#isCounting) this.#batcher.attach(this.#flow.counted(port))
    else this.#batcher.attach(nowhere)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    const { threads, fromMicros } = this.#plan
    let source: CaptureSource | null = null
    try {
      source = await CaptureSource.open(threads, fromMicros, sentence => this.#remark(sentence))
      await this.#feed(source)
      if (!this.#isCounting) this.#beginCounting()
      this.#links.endAll()
      this.#batcher.drain()
      await this.#flow.settledAll(() => this.#isStopping)
      this.#report({ type: 'finished', stats: this.#stats })
    } catch (error) {
      this.#report({ type: 'failed', error: toWire(asIngestError(error)) })
    } finally {
      await source?.close()
    }
  }

  async #feed(source: CaptureSource): Promise<void> {
    const { toMicros } = this.#plan
    let turnEndsMs = performance.now() + turnMs
    for (let taken = 1; !this.#isStopping; taken++) {
      const stream = source.earliest()
      if (stream === null || (toMicros !== null && stream.headMicros > toMicros)) return
      if (this.#aheadMs(stream.headMicros) >= earlyMs) await this.#untilDue(stream.headMicros)
      while (!this.#flow.hasRoom && !this.#isStopping) await this.#flow.room()
      if (this.#isStopping) return
      this.#take(stream)
      if (!stream.next()) await source.load(stream)
      if (taken % entriesBetweenLooks !== 0 || performance.now() < turnEndsMs) continue
      await new Promise(resolve => setImmediate(resolve))
      this.#reportProgress()
      turnEndsMs = performance.now() + turnMs
    }
  }

  #take({ headMicros, cursor, path }: ThreadStream): void {
    const { fromMicros } = this.#plan
    if (!this.#isCounting && headMicros >= fromMicros!) this.#beginCounting()
    if (this.#isCounting) {
      if (this.#firstMicros === 0) this.#firstMicros = headMicros
      this.#lastMicros = headMicros
    }
    try {
      this.#links.take(cursor!)
    } catch (error) {
      const known = asIngestError(error)
      if (known.code !== 'FILE_UNREADABLE') throw known
      throw new IngestError('FILE_UNREADABLE', `${path}: ${known.message}.`)
    }
  }

  /** From here on the producer hears of everything; of each connection that stands it learns first how it stands. */
  #beginCounting(): void {
    this.#links.handOver()
    this.#links.beginCounting()
    this.#isCounting = true
    this.#batcher.attach(this.#flow.counted(this.#port!))
  }

  /** How long until an entry is due: at original speed entries keep the distances that they had. */
  #aheadMs(micros: number): number {
    if (this.#plan.speed === 'max' || !this.#isCounting) return 0
    const now = this.#clock.nowMicros()
    this.#behindMicros ??= now - micros
    return (micros + this.#behindMicros - now) / 1000
  }

  async #untilDue(micros: number): Promise<void> {
    for (;;) {
      const aheadMs = this.#aheadMs(micros)
      if (aheadMs < earlyMs || this.#isStopping) return
      await this.#flow.pause(Math.min(aheadMs, waitMsMax))
      this.#reportProgress()
    }
  }

  #reportProgress(): void {
    const now = this.#clock.nowMicros()
    if (now - this.#progressMicros < progressEveryMs * 1000) return
    this.#progressMicros = now
    this.#report({ type: 'progress', stats: this.#stats })
  }

  #remark(sentence: string): void {
    this.#report({ type: 'remark', sentence })
  }
}
