import { type GapReason } from '../domain/gap.ts'
import { type Instrument } from '../domain/instrument.ts'
import { type Target } from '../domain/target.ts'

/** What a replay must know of a connection before its first frame. */
export interface CapturedConnection {
  readonly connectionId: string
  readonly target: Target
  /** Which of the target's shards it served, counted from 0. */
  readonly ordinal: number
  /** Subscription numbers are positions in this list. */
  readonly instruments: readonly Instrument[]
  readonly projection: readonly string[]
  readonly url: string
  /** The connection whose place it took, null for the first of its shard. */
  readonly previous: number | null
}

/** A request of which the answer, or a part of it, is still to come. */
export interface OpenRequest {
  readonly id: string | null
  readonly subscriptions: readonly number[]
}

/** A connection in the middle of its life. */
export interface StandingConnection extends CapturedConnection {
  readonly openedMicros: number
  /** Frames so far. */
  readonly frameSeq: number
  /** The `SubscriptionState` of each subscription. */
  readonly states: readonly number[]
  readonly channelIds: Readonly<Record<string, number>>
  /** The last request id that was used on it. */
  readonly lastId: number
  /** Requests that the venue has not answered in full, the oldest first. */
  readonly requests: readonly OpenRequest[]
}

/** For what a connection asked by itself: requests that follow from a frame a replay makes when it comes to the frame. */
export interface CapturedRequest {
  /** Null: everything, with the options of the connection in front. */
  readonly subscriptions: readonly number[] | null
  /** Whether they were taken off first. */
  readonly isAnew: boolean
}

/** `closed`: it was asked to end. `lost`: it broke, and its symbols had a gap for this reason. */
export interface CapturedEnd {
  readonly end: 'closed' | 'lost'
  readonly reason: GapReason
}
