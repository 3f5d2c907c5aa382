import { type Logger } from '../../src/core/logger.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type SessionNotice } from '../../src/wire/session-messages.ts'
import { type ProducerConnection } from './connection.ts'
import { type Continuity, repeatWindowMicros } from './continuity.ts'
import { owesEvents } from './freshness.ts'
import { type Gaps } from './gaps.ts'
import { type Intake } from './intake.ts'
import { type SymbolTrack } from './symbol-track.ts'

export interface ConnectionLifeEvents {
  /** The exchange has confirmed a symbol. */
  confirmed(track: SymbolTrack, atMicros: number): void
  /** Nothing more comes from this connection. */
  ended(connection: ProducerConnection): void
}

/** Takes the facts of a connection's life, in their place among its frames: they open gaps and say who carries a symbol. */
export class ConnectionLife {
  /** Frames that connections dropped because their credits were used up. */
  shedFrames = 0
  readonly #gaps: Gaps
  readonly #continuity: Continuity
  readonly #intake: Intake
  readonly #events: ConnectionLifeEvents
  readonly #logger: Logger

  constructor(
    gaps: Gaps,
    continuity: Continuity,
    intake: Intake,
    events: ConnectionLifeEvents,
    logger: Logger
  ) {
    this.#gaps = gaps
    this.#continuity = continuity
    this.#intake = intake
    this.#events = events
    this.#logger = logger
  }

  take(connection: ProducerConnection, notice: SessionNotice): void {
    switch (notice.type) {
      case 'opened':
        connection.openedMicros = notice.atMicros
        connection.tracks.forEach((track, subscription) => {
          if (isCarriedByNewer(track, connection)) return
          const isCarried = track.isConnected && track.connection >= 0
          if (isCarried && track.connection !== connection.context.connection) {
            this.#continuity.overlaps(track, notice.atMicros)
          }
          this.#carry(connection, track, subscription)
        })
        break
      case 'resumed':
        this.#resumed(connection, notice.atMicros, notice.lastFrameSeq)
        break
      case 'confirmed':
        for (const subscription of notice.subscriptions) {
          const track = connection.tracks[subscription]
          if (track === undefined) continue
          if (isCarriedByNewer(track, connection)) {
            // Subscribed anew there, and confirmed late: it counts when the older one gets the symbol back.
            if (isOlderOf(track, connection)) track.older!.confirmedMicros = notice.atMicros
            continue
          }
          this.#carry(connection, track, subscription)
          this.#continuity.confirmed(track, notice.atMicros)
          this.#events.confirmed(track, notice.atMicros)
        }
        break
      case 'rejected':
        for (const subscription of notice.subscriptions) {
          const track = connection.tracks[subscription]
          if (track !== undefined) this.#rejected(connection, track)
        }
        break
      case 'lost':
        this.#lost(connection, notice.reason, notice.atMicros)
        break
      case 'shed':
        this.shedFrames += notice.frames
        this.#intake.shed(connection, notice.subscription, notice.frames)
        break
      case 'snapshotFailed': {
        const track = connection.tracks[notice.subscription]
        this.#logger.warn(
          { code: 'SNAPSHOT_FAILED', exchange: connection.context.target.exchange, symbol: track?.symbol },
          notice.message
        )
        break
      }
      case 'closed':
        for (const track of connection.tracks) {
          if (isOlderOf(track, connection)) this.#continuity.olderEnded(track, false, notice.atMicros)
          if (track.connection !== connection.context.connection) continue
          if (owesEvents(track, notice.atMicros)) this.#gaps.open(track, 'stale', notice.atMicros, {})
          track.isConnected = this.#continuity.newerEnded(track, null, notice.atMicros)
          if (track.isRefused && !track.isConnected) this.#gaps.open(track, 'disconnect', notice.atMicros, {})
        }
        this.#forget(connection)
        break
    }
  }

  /** A predecessor died with frames of this connection: every symbol has a gap behind the last settled frame. */
  #resumed(connection: ProducerConnection, atMicros: number, lastFrameSeq: number): void {
    connection.lastGoodFrameSeq = lastFrameSeq
    connection.lastGoodMicros = atMicros
    for (const track of connection.tracks) {
      if (track.connection !== connection.context.connection) continue
      track.lastReceivedMicros = atMicros
      // Our predecessor knew the trades; what was received by then is older than its receipt.
      track.newestTradeMicros = Math.max(track.newestTradeMicros, atMicros)
      track.lastFrameSeq = lastFrameSeq
      track.lastConnectionId = connection.context.connectionId
      this.#gaps.open(track, 'undelivered', connection.openedMicros, {})
      if (track.book !== null) this.#continuity.confirmed(track, atMicros)
    }
  }

  /**
   * The venue refused the symbol on this connection. One that was never heard owes nothing; what was heard, and is carried
   * by no other connection, ends here, and the gap stays open until it comes again.
   */
  #rejected(connection: ProducerConnection, track: SymbolTrack): void {
    const atMicros = Math.max(connection.openedMicros, connection.lastGoodMicros)
    if (isOlderOf(track, connection)) this.#continuity.olderEnded(track, true, atMicros)
    if (track.connection !== connection.context.connection) return
    if (this.#continuity.newerEnded(track, 'disconnect', atMicros)) {
      track.isRefused = true
      return
    }
    track.connection = -1
    track.isConnected = false
    this.#continuity.broke(track)
    if (track.lastReceivedMicros > 0) this.#gaps.open(track, 'disconnect', atMicros, {})
  }

  #carry(connection: ProducerConnection, track: SymbolTrack, subscription: number): void {
    if (track.connection !== connection.context.connection) track.confirmedMicros = 0
    track.connection = connection.context.connection
    track.connectionId = connection.context.connectionId
    track.subscription = subscription
    track.isConnected = true
    track.isRefused = false
    track.repeatsUntilMicros = Math.max(
      track.repeatsUntilMicros,
      connection.openedMicros + repeatWindowMicros
    )
  }

  #lost(connection: ProducerConnection, reason: GapReason, atMicros: number): void {
    const { context } = connection
    this.#intake.closeDecodeGap(connection, atMicros, connection.lastGoodFrameSeq + 1)
    for (const track of connection.tracks) {
      if (isOlderOf(track, connection)) this.#continuity.olderEnded(track, true, atMicros)
      if (track.connection !== context.connection) continue
      if (this.#continuity.newerEnded(track, reason, atMicros)) continue
      track.isConnected = false
      this.#continuity.broke(track)
      // What was neither confirmed nor ever heard owes nothing: the venue may yet refuse it.
      if (track.confirmedMicros === 0 && track.lastReceivedMicros === 0) continue
      this.#gaps.open(track, reason, connection.openedMicros, {})
    }
    this.#forget(connection)
  }

  #forget(connection: ProducerConnection): void {
    this.#intake.closeDecodeGap(connection, connection.lastGoodMicros, connection.lastGoodFrameSeq + 1)
    this.#events.ended(connection)
  }
}

/** Whether the connection goes on beside the one that is to replace it. */
function isOlderOf(track: SymbolTrack, connection: ProducerConnection): boolean {
  return track.older?.connection === connection.context.connection
}

/** Connection numbers grow. */
function isCarriedByNewer(track: SymbolTrack, connection: ProducerConnection): boolean {
  return track.isConnected && track.connection > connection.context.connection
}
