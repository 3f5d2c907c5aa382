import { type RequestType } from '../../src/domain/target.ts'
import { type FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { type SessionNotice } from '../../src/wire/session-messages.ts'
import { frameFieldAt } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { type Lane } from './lane.ts'

const heldAt = frameFieldAt('held')
const shedAt = frameFieldAt('shed')

interface Kept {
  readonly bytes: Uint8Array
  readonly receivedMicros: number
  readonly frameSeq: number
  readonly kind: FrameKind
}

interface Loss {
  frames: number
  firstFrameSeq: number
  lastFrameSeq: number
}

/**
 * What becomes of frames that come while no credit is left and the socket may not be paused any longer. A ticker keeps
 * the newest frame of each symbol; a book symbol is given up until credit is back; trades go on into a quarter of
 * overdraft, and are shed only beyond it. Every frame that goes is counted and told, the first of a symbol at once.
 */
export class Shedding {
  readonly #batcher: Batcher
  readonly #lane: Lane
  readonly #requestType: RequestType
  readonly #kept = new Map<number, Kept>()
  readonly #losses = new Map<number, Loss>()
  #isOverdrawn = false

  constructor(batcher: Batcher, lane: Lane, requestType: RequestType) {
    this.#batcher = batcher
    this.#lane = lane
    this.#requestType = requestType
  }

  /** Subscriptions of which something was shed; null when it may have been any. */
  get touched(): number[] | null {
    return this.#losses.has(unknownSubscription) ? null : [...this.#losses.keys()]
  }

  take(
    frame: Uint8Array,
    receivedMicros: number,
    frameSeq: number,
    subscription: number,
    kind: FrameKind
  ): void {
    switch (this.#requestType) {
      case 'ticker': {
        const older = this.#kept.get(subscription)
        if (older !== undefined) {
          this.#bump(heldAt, -1)
          this.#lose(subscription, older.frameSeq)
        }
        this.#bump(heldAt, 1)
        this.#kept.set(subscription, { bytes: frame.slice(), receivedMicros, frameSeq, kind })
        break
      }
      case 'orderbook':
        this.#lose(subscription, frameSeq)
        break
      case 'trade':
        // Once one is lost all are until the end: what came between would close a gap that the next loss opens again.
        this.#isOverdrawn ||= this.#batcher.isOverdrawn(this.#lane)
        if (this.#isOverdrawn) this.#lose(subscription, frameSeq)
        else this.#batcher.append(this.#lane, frame, receivedMicros, frameSeq, subscription, kind)
        break
    }
  }

  /**
   * The episode is over: the rest of the losses is told, then come the frames that were kept, in their order. Where it
   * ends with its socket and without new credit, they may use the overdraft, and what does not fit is lost as well.
   */
  finish(): void {
    this.#tellRest()
    const kept = [...this.#kept].sort(([, a], [, b]) => a.frameSeq - b.frameSeq)
    this.#kept.clear()
    for (const [subscription, { bytes, receivedMicros, frameSeq, kind }] of kept) {
      this.#bump(heldAt, -1)
      if (this.#batcher.isOverdrawn(this.#lane)) this.#lose(subscription, frameSeq)
      else this.#batcher.append(this.#lane, bytes, receivedMicros, frameSeq, subscription, kind)
    }
    this.#tellRest()
  }

  #lose(subscription: number, frameSeq: number): void {
    this.#bump(shedAt, 1)
    const loss = this.#losses.get(subscription)
    if (loss === undefined) {
      this.#tell(subscription, { frames: 1, firstFrameSeq: frameSeq, lastFrameSeq: frameSeq })
      this.#losses.set(subscription, { frames: 0, firstFrameSeq: 0, lastFrameSeq: 0 })
      return
    }
    if (loss.frames === 0) loss.firstFrameSeq = frameSeq
    loss.frames++
    loss.lastFrameSeq = frameSeq
  }

  #tellRest(): void {
    for (const [subscription, loss] of this.#losses) {
      if (loss.frames > 0) this.#tell(subscription, loss)
      loss.frames = 0
    }
  }

  #tell(subscription: number, loss: Loss): void {
    const notice: SessionNotice = {
      type: 'shed',
      subscription: subscription === unknownSubscription ? null : subscription,
      ...loss
    }
    this.#batcher.notice(this.#lane, notice)
  }

  #bump(at: number, amount: number): void {
    const { values } = this.#lane
    values[at] = values[at]! + amount
  }
}
