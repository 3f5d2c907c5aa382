import { type Clock } from '../../src/core/clock.ts'
import { type RequestType } from '../../src/domain/target.ts'
import { type FrameKind } from '../../src/wire/frame-batch.ts'
import { type FrameAccount } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { type Lane } from './lane.ts'
import { Shedding } from './shedding.ts'
import { type VenueSocket } from './socket.ts'
import { SocketPause } from './socket-pause.ts'

/**
 * The way of one socket's frames to the producer, as far as there is credit. Without it the socket is paused; where that
 * takes too long for the venue it is read on, and frames are shed until credit is back.
 */
export class FrameOutlet {
  readonly #batcher: Batcher
  readonly #lane: Lane
  readonly #requestType: RequestType
  readonly #pause: SocketPause
  #shedding: Shedding | null = null

  /** @param limitMs how long the venue waits for our answers */
  constructor(options: {
    clock: Clock
    account: FrameAccount
    batcher: Batcher
    lane: Lane
    requestType: RequestType
    limitMs: number
  }) {
    this.#batcher = options.batcher
    this.#lane = options.lane
    this.#requestType = options.requestType
    this.#pause = new SocketPause(options.clock, options.account, options.limitMs, () => {
      this.#shed()
      this.#pause.end()
    })
  }

  get isPaused(): boolean {
    return this.#pause.isOn
  }

  /** When the last pause ended, microseconds. */
  get resumedMicros(): number {
    return this.#pause.endedMicros
  }

  take(
    frame: Uint8Array,
    receivedMicros: number,
    frameSeq: number,
    subscription: number,
    kind: FrameKind
  ): void {
    // Connections that follow each other share their credit. What a paused socket had already read is taken all the same.
    if (this.#shedding === null && !this.#pause.isOn && this.#batcher.isOverdrawn(this.#lane)) this.#shed()
    if (this.#shedding !== null) this.#shedding.take(frame, receivedMicros, frameSeq, subscription, kind)
    else this.#batcher.append(this.#lane, frame, receivedMicros, frameSeq, subscription, kind)
  }

  /** No credit is left. */
  pause(socket: VenueSocket): void {
    if (this.#shedding === null) this.#pause.begin(socket)
  }

  /** The socket is read on. */
  resume(): void {
    this.#pause.end()
  }

  /**
   * Nothing is shed any more: there is credit again, or the socket has ended. Returns the subscriptions of which something
   * was shed, null when it may have been any.
   */
  endShedding(): readonly number[] | null {
    const shedding = this.#shedding
    if (shedding === null) return []
    this.#shedding = null
    shedding.finish()
    return shedding.touched
  }

  #shed(): void {
    this.#shedding ??= new Shedding(this.#batcher, this.#lane, this.#requestType)
  }
}
