import { type GapReason } from '../../src/domain/gap.ts'

/**
 * Sees everything that passes one link, in its order: what a capture keeps, so that a replay can do the same again. It
 * must not throw, and must copy the bytes that it keeps.
 */
export interface LinkObserver {
  opened(atMicros: number): void
  /** A frame as it came from the socket, before anything is done with it. */
  frame(bytes: Uint8Array, readMicros: number): void
  sent(text: string): void
  pinged(): void
  /** A REST body takes its place among the frames. */
  snapshot(body: Uint8Array, subscription: number, atMicros: number): void
  /** The link makes requests that answer no frame: for these, taken off first when `isAnew`, or for everything (null). */
  asked(subscriptions: readonly number[] | null, isAnew: boolean): void
  /** A request that is none of a subscription has taken an id of this socket. */
  tookId(): void
  ended(isClosed: boolean, reason: GapReason, atMicros: number): void
}
