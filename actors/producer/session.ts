import { type MessagePort } from 'node:worker_threads'
import { type Clock } from '../../src/core/clock.ts'
import { errorTable } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { type ErrorEvent } from '../../src/domain/error-event.ts'
import { type Gap, type GapReason } from '../../src/domain/gap.ts'
import { connectSuccessTopic } from '../../src/domain/routing.ts'
import { type Target, targetKey } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { type SharedLedger } from '../../src/wire/shared-ledger.ts'
import { Accounts, controlOwner } from './accounts.ts'
import { BackPressure } from './back-pressure.ts'
import { BatchPerformance, performanceTopic } from './batch-performance.ts'
import { encodeConnectSuccess } from './connect-success.ts'
import { ConnectionLife } from './connection-life.ts'
import { Connections } from './connections.ts'
import { Continuity } from './continuity.ts'
import { ControlRecords } from './control-records.ts'
import { CreditReturns } from './credit-returns.ts'
import { DeadLetters } from './dead-letters.ts'
import { Decoding, type FrameCodec, type Work } from './decoding.ts'
import { isProvenSilent } from './freshness.ts'
import { GapFile } from './gap-file.ts'
import { GapOutbox } from './gap-outbox.ts'
import { Gaps } from './gaps.ts'
import { Intake } from './intake.ts'
import { Losses, type TopicLoss } from './losses.ts'
import { type ProducerPlan, type ProducerStats } from './messages.ts'
import { Routes } from './routes.ts'
import { type Outcome, type RecordSink, type Route } from './sinks/record-sink.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { Tracks } from './tracks.ts'

/** How long gaps about undelivered records may take after a drain whose deadline has passed. */
const lastGapsMs = 500
const gapTopic = 'ws.gap.events'
/** Batches with the codec pool for each of its workers: one in work, the next on its way, and their answers. */
const pooledPerCodec = 4

/**
 * The producer's work between the ports and the sink: codec, order, continuity, accounts. The thread around it only
 * starts and stops it.
 */
export class ProducerSession {
  readonly #plan: ProducerPlan
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #ledger: SharedLedger
  readonly #codec: FrameCodec
  readonly #sink: RecordSink
  readonly #connections: Connections
  readonly #decoding: Decoding
  readonly #accounts: Accounts
  readonly #gaps: Gaps
  readonly #outbox: GapOutbox
  readonly #continuity: Continuity
  readonly #deadLetters: DeadLetters
  readonly #intake: Intake
  readonly #life: ConnectionLife
  readonly #routes: Routes
  readonly #tracks: Tracks
  readonly #pressure: BackPressure
  readonly #losses: Losses
  readonly #performance: BatchPerformance
  readonly #onGapOpened: (gap: Gap) => void
  readonly #credits = new CreditReturns()
  readonly #control: ControlRecords
  readonly #gapsByReason: Partial<Record<GapReason, number>> = {}
  sinkIsUp = true
  sinkMessage = ''

  constructor(options: {
    plan: ProducerPlan
    clock: Clock
    logger: Logger
    ledger: SharedLedger
    codec: FrameCodec
    sink: RecordSink
    adapterOf: (target: Target) => ExchangeAdapter
    onGapOpened: (gap: Gap) => void
    /** Told once the sink has the end of a gap. */
    onGapClosed: (gapId: string) => void
  }) {
    this.#onGapOpened = options.onGapOpened
    this.#plan = options.plan
    this.#clock = options.clock
    this.#logger = options.logger
    this.#ledger = options.ledger
    this.#codec = options.codec
    this.#sink = options.sink
    this.#routes = new Routes(options.plan.partitions)
    const { pod, tuning, limits } = options.plan
    const roomBytes = tuning.bufferBytes + limits.controlReserveBytes
    this.#control = new ControlRecords(this.#routes, this.#sink, this.#clock, roomBytes)
    this.#accounts = new Accounts((connection, bytes) => this.#credits.settled(connection, bytes))
    const { gapFile } = options.plan
    this.#outbox = new GapOutbox(
      gapFile === null ? null : new GapFile(gapFile, this.#logger),
      (key, value, owner) => this.#control.publish(gapTopic, key, value, owner),
      options.onGapClosed
    )
    this.#gaps = new Gaps(options.plan.pod, this.#clock.nowMicros(), gap => this.#publishGap(gap))
    this.#deadLetters = new DeadLetters(
      pod,
      limits.deadLettersPerSecond,
      () => this.#control.hasRoom,
      (key, value, headers) => this.#control.publish('ws.dlq', key, value, controlOwner, headers)
    )
    this.#pressure = new BackPressure(
      pod,
      { creditBytes: limits.creditBytes, bufferBytes: tuning.bufferBytes },
      event => this.#control.report('ws.backpressure.events', event.producer, event)
    )
    this.#performance = new BatchPerformance(pod, (key, event) =>
      this.#control.report(performanceTopic, key, event)
    )
    this.#tracks = new Tracks(this.#routes, limits, options.adapterOf)
    this.#losses = new Losses({
      tracks: this.#tracks,
      gaps: this.#gaps,
      deadLetters: this.#deadLetters,
      logger: this.#logger,
      nowMicros: () => this.#clock.nowMicros(),
      // Not lost: the outbox keeps them in its file for the next start, and says so.
      keptTopic: gapFile === null ? null : gapTopic,
      told: loss => this.#publishLoss(loss)
    })
    this.#continuity = new Continuity(
      this.#gaps,
      {
        publish: (route, bytes, start, end, receivedMicros, owner) =>
          this.#sink.append(route, bytes, start, end, receivedMicros, owner),
        drop: (owner, outcome) => this.#accounts.settle(owner, outcome, 1),
        requestSnapshot: (track, requests) => this.#connections.resnapshot(track, requests),
        requestResubscribe: track => this.#connections.resubscribe(track),
        reportBroken: (track, message) => this.#reportBroken(track, message)
      },
      limits,
      this.#logger
    )
    this.#intake = new Intake(this.#accounts, this.#gaps, this.#continuity, this.#deadLetters)
    this.#life = new ConnectionLife(
      this.#gaps,
      this.#continuity,
      this.#intake,
      {
        confirmed: (track, atMicros) => this.#announce(track, atMicros),
        ended: connection => this.#connections.ended(connection)
      },
      this.#logger
    )
    this.#decoding = new Decoding({
      codec: options.codec,
      inlineBytesMax: limits.inlineBytesMax,
      pooledMax: Math.max(1, options.plan.codecs * pooledPerCodec),
      isSinkFull: () => this.#sink.isFull,
      handOn: work => this.#handle(work),
      logger: this.#logger
    })
    this.#connections = new Connections(this.#ledger, this.#tracks, this.#decoding, this.#clock)
  }

  /** Publishes the gaps that an earlier process could not, and goes on with those of a producer that died in this one. */
  restoreGaps(): void {
    this.#outbox.restore()
    const now = this.#clock.nowMicros()
    for (const gap of this.#plan.openGaps) {
      this.#gaps.adopt(gap, gap.symbol === null ? null : this.#tracks.of(gap.target, gap.symbol), now)
    }
  }

  /** Errors are for people: they wait no longer than dead letters do when the sink is away. */
  publishError(event: ErrorEvent): void {
    const key = event.target === null ? event.actor : targetKey(event.target)
    this.#control.report('ws.error', key, event)
  }

  /** Takes the port of a connection thread. */
  attach(thread: number, port: MessagePort): void {
    this.#connections.attach(thread, port)
  }

  /** Settles everything that the connection threads have handed over, within the deadline. */
  async drain(threads: number, deadlineMs: number): Promise<void> {
    const endMicros = this.#clock.nowMicros() + deadlineMs * 1000
    const deadline = new Promise<'late'>(resolve => {
      const timer = setTimeout(() => resolve('late'), deadlineMs)
      timer.unref()
    })
    await Promise.race([this.#connections.drained(threads), deadline])
    await Promise.race([this.#decoding.idle(), deadline])
    // What is not decoded by now will not be, and is declared.
    this.#decoding.abandon()
    for (const track of this.#tracks.all()) this.#continuity.ended(track)
    const undelivered = this.#losses.records
    await this.#sink.drain(Math.max(0, (endMicros - this.#clock.nowMicros()) / 1000))
    const isWhole = this.#losses.records === undelivered
    const reports = isWhole && this.sinkIsUp ? this.#reportLast() : 0
    // What could not be delivered has become gaps, which are still to be sent; so are the last reports.
    if (!isWhole || reports > 0) await this.#sink.drain(lastGapsMs)
    this.#losses.tell()
    this.#outbox.close()
    this.#credits.flush()
  }

  /** Once a second: looks for snapshots that are owed, and for channels that are silent although their symbol trades. */
  checkFreshness(): void {
    const now = this.#clock.nowMicros()
    for (const track of this.#tracks.all()) {
      this.#continuity.tick(track, now)
      if (!isProvenSilent(track)) continue
      this.#continuity.healed(track, now)
      if (track.lastReceivedMicros > 0) this.#gaps.open(track, 'stale', now, {})
      this.#logger.warn(
        { code: 'SOCKET_STALE', exchange: track.target.exchange, symbol: track.symbol },
        `${track.target.request_type} is silent although the symbol trades; it is subscribed anew`
      )
      this.#connections.resubscribe(track)
    }
  }

  /** Once a second: says for people what was lost, and when the sink holds the exchanges up. */
  checkPressure(): void {
    this.#losses.tell()
    let [paused, shed] = [0, 0]
    for (let shard = 0; shard < this.#ledger.shards; shard++) {
      const account = this.#ledger.frames(shard)
      paused += account.get('paused')
      shed += account.get('shed')
    }
    this.#pressure.look({
      unsettledBytes: this.#accounts.openBytes + this.#decoding.undecodedBytes,
      bufferedBytes: this.#sink.bufferedBytes,
      heldUp: this.#decoding.heldUp,
      paused,
      shed,
      nowMicros: this.#clock.nowMicros()
    })
  }

  /** Every ten seconds: what the batches of each partition were like. */
  reportBatches(): void {
    const activities = this.#sink.activity(true)
    if (activities.length === 0) return
    const keys = this.#tracks.keysByPartition()
    const keyOf = (topic: string, partition: number): string => {
      const name = `${topic}/${partition}`
      return keys.get(name) ?? name
    }
    this.#performance.report(activities, keyOf, this.#clock.nowMicros())
  }

  /** Every few milliseconds: goes on with what waits for the sink, and gives credits back. */
  tick(): void {
    this.#decoding.resume()
    this.#credits.flush()
  }

  /** The sink's report: records of these batches met their fate. Neighbours are mostly of one batch, so it goes by runs. */
  settled(owners: Int32Array, receivedMicros: Float64Array, count: number, outcome: Outcome): void {
    const now = this.#clock.nowMicros()
    const isPublished = outcome === 'published'
    for (let from = 0, to = 0; from < count; from = to) {
      const owner = owners[from]!
      do to++
      while (to < count && owners[to] === owner)
      if (owner < 0) {
        if (GapOutbox.owns(owner)) this.#outbox.settled(owner, isPublished)
        continue
      }
      if (isPublished) {
        const latency = this.#accounts.latencyOf(owner)
        for (let i = from; i < to; i++) latency.record(now - receivedMicros[i]!)
      }
      this.#accounts.settle(owner, outcome, to - from)
    }
    this.#decoding.resume()
  }

  /** Records that the sink gave up on: their loss is declared as a gap of its own, in the range of their times. */
  undelivered(route: Route, firstMicros: number, lastMicros: number, count: number, reason: string): void {
    this.#losses.undelivered(route, firstMicros, lastMicros, count, reason)
  }

  /** A record that Kafka refused for good. */
  refused(route: Route, value: Uint8Array, receivedMicros: number, reason: string): void {
    this.#losses.refused(route, value, receivedMicros, reason)
  }

  /** @param clockJumps counted by the clock of the thread */
  stats(clockJumps = 0): ProducerStats {
    const targets = new Set<Target>()
    for (const track of this.#tracks.all()) targets.add(track.target)
    return {
      gaps: this.#gaps.counts,
      openByTarget: [...targets].map(target => ({ target, open: this.#gaps.openOf(target) })),
      gapsByReason: this.#gapsByReason,
      sink: {
        isUp: this.sinkIsUp,
        message: this.sinkMessage,
        pendingRecords: this.#sink.pendingRecords,
        pendingBytes: this.#sink.pendingBytes,
        bufferedBytes: this.#sink.bufferedBytes,
        requests: this.#sink.requests
      },
      clockJumps,
      undecodedBytes: this.#decoding.undecodedBytes,
      partitionActivity: this.#sink.activity(false),
      deadLetters: { published: this.#deadLetters.published, suppressed: this.#deadLetters.suppressed },
      deadByCode: this.#intake.deadByCode,
      offloaded: this.#codec.offloaded,
      inlined: this.#codec.inlined,
      undelivered: this.#losses.records,
      limitHits: {
        creditBytes: this.#life.shedFrames,
        bufferBytes: this.#decoding.heldUp,
        ...this.#continuity.limitHits,
        deadLettersPerSecond: this.#deadLetters.suppressed
      }
    }
  }

  #handle({ connection, item }: Work): void {
    switch (item.type) {
      case 'batch':
        this.#intake.decoded(connection, item.frames, item.records)
        break
      case 'undecodable':
        this.#intake.undecodable(connection, item.frames)
        break
      case 'abandoned':
        this.#intake.abandoned(connection, item.frames)
        break
      case 'notice':
        // A connection ends once, by its own word or by its thread's end, whichever comes first.
        if (this.#connections.has(connection)) this.#life.take(connection, item.notice)
        break
    }
  }

  /** Tells that the exchange has confirmed a symbol. */
  #announce(track: SymbolTrack, atMicros: number): void {
    if (!this.#control.hasRoom) return
    const { exchange, region, request_type } = track.target
    const topic = connectSuccessTopic(region)
    const value = encodeConnectSuccess(this.#plan.schemaIds[topic]!, {
      correlation_id: null,
      exchange,
      region,
      request_type,
      symbol: track.symbol,
      connection_id: track.connectionId,
      ts: Math.floor(atMicros / 1000)
    })
    this.#control.bytes(topic, track.route.key, value, atMicros)
  }

  #reportBroken({ target, connectionId }: SymbolTrack, message: string): void {
    const code = 'BOOK_BROKEN'
    this.publishError({
      code,
      disposition: errorTable[code].disposition,
      message,
      actor: 'producer',
      target,
      connection_id: connectionId,
      suppressed: 0,
      ts: Math.floor(this.#clock.nowMicros() / 1000)
    })
  }

  /** At the end, when everything is acknowledged. Returns how many events were published. */
  #reportLast(): number {
    const before = this.#control.reports
    this.checkPressure()
    this.reportBatches()
    return this.#control.reports - before
  }

  /** The text of a loss reaches `ws.error` for the data's sake; that of a control topic would follow itself for ever. */
  #publishLoss({ topic, records, keys, reason, target, isData }: TopicLoss): void {
    if (!isData || !this.sinkIsUp) return
    const code = 'RECORD_UNDELIVERED'
    this.publishError({
      code,
      disposition: errorTable[code].disposition,
      message: `${records} records of ${keys.size} symbols were not delivered to ${topic}: ${reason}`,
      actor: 'producer',
      target,
      connection_id: null,
      suppressed: keys.size - 1,
      ts: Math.floor(this.#clock.nowMicros() / 1000)
    })
  }

  #publishGap(gap: Gap): void {
    if (gap.status === 'open') this.#onGapOpened(gap)
    if (gap.status === 'open') this.#gapsByReason[gap.reason] = (this.#gapsByReason[gap.reason] ?? 0) + 1
    this.#outbox.publish(gap)
  }
}
