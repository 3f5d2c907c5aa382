import { type Credits } from '../../src/core/credits.ts'
import { type FrameBatchWriter } from '../../src/wire/frame-batch.ts'
import { type ToProducer } from '../../src/wire/session-messages.ts'

/** What a connection tells a producer that has not seen it yet. */
export interface LaneOwner {
  /** Contexts and notices that make a new producer know this connection as it stands. */
  introduce(): readonly ToProducer[]
  /** No credit is left. */
  creditExhausted(): void
  creditReopened(): void
}

/** One connection's way to the producer. Everything on it arrives in the order in which it was put in. */
export interface Lane {
  readonly connection: number
  readonly writer: FrameBatchWriter
  readonly credits: Credits
  readonly values: Float64Array
  readonly owner: LaneOwner
  /** What waits for a producer, while there is none. */
  readonly outbox: ToProducer[]
  contextVersion: number
  /** Whether some producer, perhaps a dead one, knows this connection. */
  isIntroduced: boolean
  isPending: boolean
  isExhausted: boolean
  isClosed: boolean
  /** The last frame that was appended, and when it was received. */
  lastFrameSeq: number
  lastMicros: number
  /** Last frames of the batches on their way, the oldest first. */
  readonly underWay: { readonly frameSeq: number; readonly micros: number }[]
  /** The last settled frame, and when it was received; 0 before the first. */
  settledFrameSeq: number
  settledMicros: number
}

export function newLane(ends: Pick<Lane, 'connection' | 'writer' | 'credits' | 'values' | 'owner'>): Lane {
  return {
    ...ends,
    outbox: [],
    contextVersion: 0,
    isIntroduced: false,
    isPending: false,
    isExhausted: false,
    isClosed: false,
    lastFrameSeq: 0,
    lastMicros: 0,
    underWay: [],
    settledFrameSeq: 0,
    settledMicros: 0
  }
}
