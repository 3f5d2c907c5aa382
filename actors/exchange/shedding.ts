import { type RequestType } from '../../src/domain/target.ts'
import { FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { type SessionNotice } from '../../src/wire/session-messages.ts'
import { frameFieldAt } from '../../src/wire/shared-ledger.ts'
import { type Batcher, type Lane } from './batcher.ts'

const heldAt = frameFieldAt('held')
const shedAt = frameFieldAt('shed')

interface Kept {
  readonly bytes: Uint8Array
  readonly receivedMicros: number
  readonly frameSeq: number
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

  take(frame: Uint8Array, receivedMicros: number, frameSeq: number, subscription: number): void {
    switch (this.#requestType) {
      case 'ticker': {
        const older = this.#kept.get(subscription)
        if (older !== undefined) {
          this.#bump(heldAt, -1)
          this.#lose(subscription, older.frameSeq)
        }
        this.#bump(heldAt, 1)
        this.#kept.set(subscription, { bytes: frame.slice(), receivedMicros, frameSeq })
        break
      }
      case 'orderbook':
        this.#lose(subscription, frameSeq)
        break
      case 'trade':
        // Once one is lost all are until the end: what came between would close a gap that the next loss opens again.
        this.#isOverdrawn ||= this.#lane.credits.isOverdrawn(this.#lane.writer.bytes)
        if (this.#isOverdrawn) this.#lose(subscription, frameSeq)
        else {
          this.#batcher.append(this.#lane, frame, receivedMicros, frameSeq, subscription, FrameKind.stream)
        }
        break
    }
  }

  /** The episode is over: the rest of the losses is told, then come the frames that were kept, in their order. */
  finish(): void {
    for (const [subscription, loss] of this.#losses) {
      if (loss.frames > 0) this.#tell(subscription, loss)
    }
    const kept = [...this.#kept].sort(([, a], [, b]) => a.frameSeq - b.frameSeq)
    this.#kept.clear()
    for (const [subscription, { bytes, receivedMicros, frameSeq }] of kept) {
      this.#bump(heldAt, -1)
      this.#batcher.append(this.#lane, bytes, receivedMicros, frameSeq, subscription, FrameKind.stream)
    }
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
