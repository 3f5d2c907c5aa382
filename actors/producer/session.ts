import { type MessagePort } from 'node:worker_threads'
import { type Encoding } from '../../src/codec/context.ts'
import { type Clock } from '../../src/core/clock.ts'
import { asIngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'
import { type ErrorEvent } from '../../src/domain/error-event.ts'
import { type Gap, type GapReason } from '../../src/domain/gap.ts'
import { connectSuccessTopic } from '../../src/domain/routing.ts'
import { type Target, targetKey } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { type FromProducer, type SessionNotice, type ToProducer } from '../../src/wire/session-messages.ts'
import { frameFieldAt, recordFieldAt, type SharedLedger } from '../../src/wire/shared-ledger.ts'
import { Accounts, controlOwner } from './accounts.ts'
import { BackPressure } from './back-pressure.ts'
import { type Codec } from './codec.ts'
import { encodeConnectSuccess } from './connect-success.ts'
import { ProducerConnection } from './connection.ts'
import { ConnectionLife } from './connection-life.ts'
import { Continuity } from './continuity.ts'
import { DeadLetters } from './dead-letters.ts'
import { isProvenSilent } from './freshness.ts'
import { GapFile } from './gap-file.ts'
import { GapOutbox } from './gap-outbox.ts'
import { Gaps } from './gaps.ts'
import { Intake } from './intake.ts'
import { type ProducerPlan, type ProducerStats } from './messages.ts'
import { Routes } from './routes.ts'
import { Sequencer } from './sequencer.ts'
import { type Outcome, type RecordSink, type Route } from './sinks/record-sink.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { Tracks } from './tracks.ts'

/** Silence of a channel, while its siblings trade, after which it is subscribed anew. */
const healAfterMicros = 5_000_000
/** How long gaps about undelivered records may take after a drain whose deadline has passed. */
const lastGapsMs = 500
const gapTopic = 'ws.gap.events'
const encoder = new TextEncoder()

const takenField = frameFieldAt('taken')
const producerHeldField = frameFieldAt('producerHeld')
const publishedField = recordFieldAt('published')
const duplicateField = recordFieldAt('duplicate')
const supersededField = recordFieldAt('superseded')
const failedField = recordFieldAt('failed')
const heldField = recordFieldAt('held')

/** One item in the order of a connection: a decoded batch, or a fact of the connection's life. */
type Item =
  | { readonly type: 'batch'; readonly frames: FrameBatch; readonly records: ArrayBuffer }
  | { readonly type: 'undecodable'; readonly frames: FrameBatch }
  | { readonly type: 'notice'; readonly notice: SessionNotice }

interface Work {
  readonly connection: ProducerConnection
  readonly item: Item
}

/**
 * A connection and the order it stands in. The connections of a shard follow each other and share one order: a new one's
 * batch must not overtake what the pool still has of the old one.
 */
interface Lane {
  readonly connection: ProducerConnection
  readonly sequencer: Sequencer<Work>
}

/**
 * The producer's work between the ports and the sink: codec, order, continuity, accounts. The thread around it only
 * starts and stops it.
 */
export class ProducerSession {
  readonly #plan: ProducerPlan
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #ledger: SharedLedger
  readonly #codec: Codec
  readonly #sink: RecordSink
  readonly #lanes = new Map<number, Lane>()
  /** By shard. */
  readonly #sequencers = new Map<number, Sequencer<Work>>()
  readonly #ports = new Map<number, MessagePort>()
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
  readonly #onGapOpened: (gap: Gap) => void
  readonly #touched = new Set<ProducerConnection>()
  readonly #gapsByReason: Partial<Record<GapReason, number>> = {}
  #undelivered = 0
  #drainMarks = 0
  #onDrainMark: (() => void) | null = null
  #onIdle: (() => void) | null = null
  sinkIsUp = true
  sinkMessage = ''

  constructor(options: {
    plan: ProducerPlan
    clock: Clock
    logger: Logger
    ledger: SharedLedger
    codec: Codec
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
    this.#accounts = new Accounts((connection, bytes) => this.#settledBatch(connection, bytes))
    const { gapFile } = options.plan
    this.#outbox = new GapOutbox(
      gapFile === null ? null : new GapFile(gapFile, this.#logger),
      (key, value, owner) => this.#publishControl(gapTopic, key, value, owner),
      options.onGapClosed
    )
    this.#gaps = new Gaps(options.plan.pod, this.#clock.nowMicros(), gap => this.#publishGap(gap))
    const { deadLettersPerSecond, creditBytes } = options.plan.limits
    this.#deadLetters = new DeadLetters(
      deadLettersPerSecond,
      () => this.#hasRoom(),
      (key, value) => this.#publishControl('ws.dlq', key, value)
    )
    this.#pressure = new BackPressure(options.plan.pod, creditBytes, event => {
      if (this.#hasRoom())
        this.#publishControl('ws.backpressure.events', event.producer, JSON.stringify(event))
    })
    this.#tracks = new Tracks(this.#routes, options.plan.limits, options.adapterOf)
    this.#continuity = new Continuity(
      this.#gaps,
      {
        publish: (route, bytes, start, end, receivedMicros, owner) =>
          this.#sink.append(route, bytes, start, end, receivedMicros, owner),
        drop: (owner, outcome) => this.#dropRecord(owner, outcome),
        requestSnapshot: track => this.#ask(track, 'resnapshot'),
        requestResubscribe: track => this.#ask(track, 'resubscribe')
      },
      this.#logger
    )
    this.#intake = new Intake(this.#accounts, this.#gaps, this.#continuity, this.#deadLetters)
    this.#life = new ConnectionLife(
      this.#gaps,
      this.#continuity,
      this.#intake,
      {
        confirmed: (track, atMicros) => this.#announce(track, atMicros),
        ended: ({ context }) => this.#lanes.delete(context.connection)
      },
      this.#logger
    )
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
    if (!this.#hasRoom()) return
    const key = event.target === null ? event.actor : targetKey(event.target)
    this.#publishControl('ws.error', key, JSON.stringify(event))
  }

  /** Takes the port of a connection thread. When it closes, after its last message, the thread is gone. */
  attach(thread: number, port: MessagePort): void {
    this.#ports.set(thread, port)
    port.on('message', (message: ToProducer) => this.#receive(port, message))
    port.on('close', () => this.#portClosed(port))
  }

  /** Settles everything that the connection threads have handed over, within the deadline. */
  async drain(threads: number, deadlineMs: number): Promise<void> {
    const endMicros = this.#clock.nowMicros() + deadlineMs * 1000
    const deadline = new Promise<'late'>(resolve => {
      const timer = setTimeout(() => resolve('late'), deadlineMs)
      timer.unref()
    })
    const marked = new Promise<void>(resolve => {
      this.#onDrainMark = () => {
        if (this.#drainMarks >= Math.min(threads, this.#ports.size)) resolve()
      }
      this.#onDrainMark()
    })
    await Promise.race([marked, deadline])
    const decoded = new Promise<void>(resolve => {
      this.#onIdle = () => {
        for (const sequencer of this.#sequencers.values()) if (sequencer.waiting > 0) return
        resolve()
      }
      this.#onIdle()
    })
    await Promise.race([decoded, deadline])
    for (const track of this.#tracks.all()) this.#continuity.ended(track)
    await this.#sink.drain(Math.max(0, (endMicros - this.#clock.nowMicros()) / 1000))
    // What could not be delivered has become gaps, which are still to be sent.
    if (this.#undelivered > 0) await this.#sink.drain(lastGapsMs)
    this.#outbox.close()
    this.flushCredits()
  }

  /** Once a second: looks for channels that are silent although their symbol trades. */
  checkFreshness(): void {
    for (const track of this.#tracks.all()) {
      if (!isProvenSilent(track, healAfterMicros)) continue
      track.isHealing = true
      this.#gaps.open(track, 'stale', this.#clock.nowMicros(), {})
      this.#logger.warn(
        { code: 'SOCKET_STALE', exchange: track.target.exchange, symbol: track.symbol },
        `${track.target.request_type} is silent although the symbol trades; it is subscribed anew`
      )
      this.#ask(track, 'resubscribe')
    }
  }

  /** Once a second: tells when the sink holds the exchanges up, and when it no longer does. */
  checkPressure(): void {
    let [paused, shed] = [0, 0]
    for (let shard = 0; shard < this.#ledger.shards; shard++) {
      const account = this.#ledger.frames(shard)
      paused += account.get('paused')
      shed += account.get('shed')
    }
    this.#pressure.look({
      unsettledBytes: this.#accounts.openBytes,
      bufferBytes: this.#sink.pendingBytes,
      paused,
      shed,
      nowMicros: this.#clock.nowMicros()
    })
  }

  /** Tells the connection threads which bytes are settled since the last time. */
  flushCredits(): void {
    if (this.#touched.size === 0) return
    const byPort = new Map<MessagePort, { connection: number; bytes: number; frameSeq: number }[]>()
    for (const connection of this.#touched) {
      const entries = byPort.get(connection.port) ?? []
      byPort.set(connection.port, entries)
      entries.push({
        connection: connection.context.connection,
        bytes: connection.settledBytes,
        frameSeq: connection.settledFrameSeq
      })
      connection.settledBytes = 0
    }
    this.#touched.clear()
    for (const [port, entries] of byPort)
      port.postMessage({ type: 'settled', entries } satisfies FromProducer)
  }

  /** The sink's report: records of these batches met their fate. */
  settled(owners: Int32Array, receivedMicros: Float64Array, count: number, outcome: Outcome): void {
    const now = this.#clock.nowMicros()
    for (let i = 0; i < count; i++) {
      const owner = owners[i]!
      if (owner < 0) {
        if (GapOutbox.owns(owner)) this.#outbox.settled(owner, outcome === 'published')
        continue
      }
      const records = this.#accounts.connectionOf(owner).records
      const values = records.values
      const field = outcome === 'published' ? publishedField : failedField
      values[field] = values[field]! + 1
      values[heldField] = values[heldField]! - 1
      if (outcome === 'published') records.latency.record(now - receivedMicros[i]!)
      this.#accounts.release(owner)
    }
  }

  /** Records that the sink gave up on: their loss is declared as a gap of its own, in the range of their times. */
  undelivered(route: Route, firstMicros: number, lastMicros: number, count: number, reason: string): void {
    // Not lost: the outbox keeps them in its file for the next start, and says so.
    if (route.topic === gapTopic && this.#plan.gapFile !== null) return
    this.#undelivered += count
    const track = this.#tracks.byRoute(route)
    this.#logger.error({ code: 'RECORD_UNDELIVERED', topic: route.topic, key: route.key, count }, reason)
    if (track === undefined) return
    const gap = this.#gaps.begin(track.target, track.symbol, {
      reason: 'undelivered',
      connectionId: track.lastConnectionId,
      openedMicros: firstMicros - 1,
      lastFrameSeq: null,
      lastSequence: null,
      missed: count,
      shed: null
    })
    const end = {
      connectionId: track.lastConnectionId,
      receivedMicros: lastMicros + 1,
      frameSeq: null,
      sequence: null
    }
    this.#gaps.end(track.target, track.symbol, gap, end)
  }

  stats(): ProducerStats {
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
        bufferedBytes: this.#sink.bufferedBytes
      },
      partitionActivity: this.#sink.activity(false),
      deadLetters: { published: this.#deadLetters.published, suppressed: this.#deadLetters.suppressed },
      deadByCode: this.#intake.deadByCode,
      offloaded: this.#codec.offloaded,
      inlined: this.#codec.inlined,
      undelivered: this.#undelivered,
      limitHits: {
        creditBytes: this.#life.shedFrames,
        bookPendingBytes: this.#continuity.updatesOverflown,
        deadLettersPerSecond: this.#deadLetters.suppressed
      }
    }
  }

  /** A connection thread died: its connections are lost. After a graceful end there are none left. */
  #portClosed(port: MessagePort): void {
    const now = this.#clock.nowMicros()
    for (const { connection, sequencer } of this.#lanes.values()) {
      if (connection.port !== port) continue
      const lastFrameSeq = connection.lastGoodFrameSeq
      const notice: SessionNotice = { type: 'lost', reason: 'disconnect', atMicros: now, lastFrameSeq }
      sequencer.ready({ connection, item: { type: 'notice', notice } })
    }
  }

  #receive(port: MessagePort, message: ToProducer): void {
    switch (message.type) {
      case 'batches':
        for (const buffer of message.buffers) this.#batch(buffer)
        break
      case 'context':
        this.#context(port, message.context)
        break
      case 'notice': {
        const lane = this.#lanes.get(message.connection)
        const item: Item = { type: 'notice', notice: message.notice }
        lane?.sequencer.ready({ connection: lane.connection, item })
        break
      }
      case 'drain':
        this.#drainMarks++
        this.#onDrainMark?.()
        break
    }
  }

  #context(port: MessagePort, context: ProducerConnection['context']): void {
    const known = this.#lanes.get(context.connection)?.connection
    if (known !== undefined) {
      known.context = context
      known.contexts.set(context.version, context)
      this.#resolveTracks(known)
      return
    }
    const connection = new ProducerConnection(
      port,
      context,
      this.#ledger.frames(context.shard),
      this.#ledger.records(context.targetIndex)
    )
    this.#resolveTracks(connection)
    const sequencer = this.#sequencers.get(context.shard) ?? new Sequencer<Work>(work => this.#handle(work))
    this.#sequencers.set(context.shard, sequencer)
    this.#lanes.set(context.connection, { connection, sequencer })
  }

  #resolveTracks(connection: ProducerConnection): void {
    const { target, instruments } = connection.context
    connection.tracks = instruments.map(instrument => this.#tracks.of(target, instrument.symbol))
  }

  #encodingOf(context: ProducerConnection['context']): Encoding {
    return this.#codec.encodingOf(context.target.request_type)
  }

  #batch(buffer: ArrayBuffer): void {
    const frames = new FrameBatch(buffer)
    const lane = this.#lanes.get(frames.connection)
    const context = lane?.connection.contexts.get(frames.contextVersion)
    if (lane === undefined || context === undefined) {
      throw new RangeError(`frame batch of connection ${frames.connection} came before its context`)
    }
    const values = lane.connection.frames.values
    values[takenField] = values[takenField]! + frames.frames
    values[producerHeldField] = values[producerHeldField]! + frames.frames
    const work = { connection: context, encoding: this.#encodingOf(context) }
    if (frames.payloadBytes < this.#plan.limits.inlineBytesMax || !this.#codec.canOffload) {
      const item: Item = { type: 'batch', frames, records: this.#codec.transcode(buffer, work) }
      lane.sequencer.ready({ connection: lane.connection, item })
      return
    }
    const place = lane.sequencer.reserve()
    const fill = (item: Item): void => place({ connection: lane.connection, item })
    this.#codec
      .offload(buffer, work)
      .then(records => fill({ type: 'batch', frames, records }))
      .catch((error: unknown) => {
        const known = asIngestError(error)
        this.#logger.error({ code: known.code, err: known }, 'a batch of frames could not be decoded')
        fill({ type: 'undecodable', frames })
      })
      .finally(() => this.#onIdle?.())
  }

  #handle({ connection, item }: Work): void {
    switch (item.type) {
      case 'batch':
        this.#intake.decoded(connection, item.frames, new RecordBatch(item.records))
        break
      case 'undecodable':
        this.#intake.undecodable(connection, item.frames)
        break
      case 'notice':
        // A connection ends once, by its own word or by its thread's end, whichever comes first.
        if (this.#lanes.has(connection.context.connection)) this.#life.take(connection, item.notice)
        break
    }
  }

  #ask(track: SymbolTrack, type: 'resnapshot' | 'resubscribe'): void {
    const connection = this.#lanes.get(track.connection)?.connection
    if (connection === undefined || !track.isConnected) return
    const { connection: number, subscription } = track
    connection.port.postMessage({ type, connection: number, subscription } satisfies FromProducer)
  }

  /** Tells that the exchange has confirmed a symbol. */
  #announce(track: SymbolTrack, atMicros: number): void {
    if (!this.#hasRoom()) return
    const { exchange, region, request_type } = track.target
    const value = encodeConnectSuccess({
      correlation_id: null,
      exchange,
      region,
      request_type,
      symbol: track.symbol,
      connection_id: track.connectionId,
      ts: Math.floor(atMicros / 1000)
    })
    const route = this.#routes.to(connectSuccessTopic(region), track.route.key)
    this.#sink.append(route, value, 0, value.length, atMicros, controlOwner)
  }

  #dropRecord(owner: number, outcome: 'duplicate' | 'superseded'): void {
    const values = this.#accounts.connectionOf(owner).records.values
    const field = outcome === 'duplicate' ? duplicateField : supersededField
    values[field] = values[field]! + 1
    values[heldField] = values[heldField]! - 1
    this.#accounts.release(owner)
  }

  #settledBatch(connection: ProducerConnection, bytes: number): void {
    connection.settledBytes += bytes
    this.#touched.add(connection)
  }

  /** Whether there is room for errors and dead letters while the sink is away; gaps are sent in any case. */
  #hasRoom(): boolean {
    const { creditBytes, controlReserveBytes } = this.#plan.limits
    return this.#sink.pendingBytes < creditBytes + controlReserveBytes
  }

  #publishGap(gap: Gap): void {
    if (gap.status === 'open') this.#onGapOpened(gap)
    if (gap.status === 'open') this.#gapsByReason[gap.reason] = (this.#gapsByReason[gap.reason] ?? 0) + 1
    this.#outbox.publish(gap)
  }

  #publishControl(topic: string, key: string, value: string, owner: number = controlOwner): void {
    const bytes = encoder.encode(value)
    const route: Route = this.#routes.to(topic, key)
    this.#sink.append(route, bytes, 0, bytes.length, this.#clock.nowMicros(), owner)
  }
}
