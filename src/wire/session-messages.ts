import { type GapReason } from '../domain/gap.ts'
import { type Instrument } from '../domain/instrument.ts'
import { type Target } from '../domain/target.ts'

/**
 * What a codec and the continuity tracker must know of a connection beyond its frames. Immutable: a changed subscription
 * makes a new version, named by the batches that need it. `connection` is unique in the process for one socket session.
 */
export interface ConnectionContext {
  readonly connection: number
  readonly version: number
  readonly connectionId: string
  readonly target: Target
  /** Index of the shard's frame account and of the target's record account in the SharedLedger. */
  readonly shard: number
  readonly targetIndex: number
  /** Subscription indices are positions in this list; a position never changes its symbol within one connection. */
  readonly instruments: readonly Instrument[]
  readonly projection: readonly string[]
  /** Venue channel ids by subscription index, where the venue names channels by number (Bitfinex). */
  readonly channelIds: Readonly<Record<string, number>>
}

/** Facts of a connection's life that the continuity tracker needs in their place among its frames. */
export type SessionNotice =
  /** The socket is open; frames follow. `previous` is the connection it replaces, null for the first of its shard. */
  | { readonly type: 'opened'; readonly atMicros: number; readonly previous: number | null }
  /**
   * A new producer takes over, after the 'opened' that it has not seen: what follows frame `lastFrameSeq` (received at
   * `atMicros`; 0 when nothing was settled) up to the first frame behind this notice was with its predecessor, and its
   * fate is unknown. On the first connection after such a change the frame is one of the connection before.
   */
  | { readonly type: 'resumed'; readonly atMicros: number; readonly lastFrameSeq: number }
  /** The venue confirmed these subscriptions: their symbols count from here, and duplicates are looked for. */
  | { readonly type: 'confirmed'; readonly subscriptions: readonly number[]; readonly atMicros: number }
  /** The venue refused these subscriptions, and they leave the desired set. A symbol that was published has a gap from here. */
  | { readonly type: 'rejected'; readonly subscriptions: readonly number[]; readonly reason: string }
  /** The socket is gone; the symbols' gaps open now and close on the first record of the next connection. */
  | {
      readonly type: 'lost'
      readonly reason: GapReason
      readonly atMicros: number
      readonly lastFrameSeq: number
    }
  /** Frames were dropped by a limit before the codec saw them; subscription null: of the whole connection. */
  | {
      readonly type: 'shed'
      readonly subscription: number | null
      readonly frames: number
      readonly firstFrameSeq: number
      readonly lastFrameSeq: number
    }
  /** A book snapshot could not be fetched; it will be tried again. */
  | { readonly type: 'snapshotFailed'; readonly subscription: number; readonly message: string }
  /** The session ended because it was asked to: no gap. */
  | { readonly type: 'closed'; readonly atMicros: number }

/** Connection thread → producer thread, over a direct port. Order on the port is the order on each connection. */
export type ToProducer =
  | { readonly type: 'context'; readonly context: ConnectionContext }
  | { readonly type: 'batches'; readonly buffers: readonly ArrayBuffer[] }
  | { readonly type: 'notice'; readonly connection: number; readonly notice: SessionNotice }
  /** The thread's last word: no frame comes after it. */
  | { readonly type: 'drain' }

/** Producer thread → connection thread. */
export type FromProducer =
  /** Credits: raw frame bytes of this connection whose records are all settled, and the last settled frame. */
  | {
      readonly type: 'settled'
      readonly entries: readonly {
        readonly connection: number
        readonly bytes: number
        readonly frameSeq: number
      }[]
    }
  /**
   * The book of a subscription must be fetched anew: over REST, its body enters the stream as a snapshot frame; or by a
   * request on the socket. `requests` counts those that were made for one snapshot, this one included.
   */
  | {
      readonly type: 'resnapshot'
      readonly connection: number
      readonly subscription: number
      readonly requests: number
    }
  /** One symbol is silent although its siblings moved (or its stream broke): unsubscribe and subscribe it alone. */
  | { readonly type: 'resubscribe'; readonly connection: number; readonly subscription: number }
