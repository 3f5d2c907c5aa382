import { type MessagePort } from 'node:worker_threads'
import { type ConnectionContext } from '../../src/wire/session-messages.ts'
import { type FrameAccount, type RecordAccount } from '../../src/wire/shared-ledger.ts'
import { Fifo } from './fifo.ts'
import { type OpenGap, type SymbolTrack } from './symbol-track.ts'

/** Versions of a context that batches on their way may still name; a later one knows all that an earlier one did. */
const contextsMax = 64

/** What the producer holds of one socket session. */
export class ProducerConnection {
  readonly port: MessagePort
  readonly frames: FrameAccount
  readonly records: RecordAccount
  context: ConnectionContext
  readonly #contexts = new Map<number, ConnectionContext>()
  /** By subscription index. */
  tracks: SymbolTrack[] = []
  openedMicros = 0
  /** The last frame that was decoded well, and when it came. */
  lastGoodFrameSeq = 0
  lastGoodMicros = 0
  /** The gap of frames that could not be decoded, for their symbols are not known. */
  decodeGap: OpenGap | null = null
  /** Batches whose records have not all met their fate, in the order of the socket. */
  readonly unsettled = new Fifo<{ readonly lastFrameSeq: number; readonly remaining: number }>()
  /** Bytes settled since the last report to the connection thread. */
  settledBytes = 0
  /** Everything up to this frame is settled. */
  settledFrameSeq = 0

  constructor(port: MessagePort, context: ConnectionContext, frames: FrameAccount, records: RecordAccount) {
    this.port = port
    this.context = context
    this.frames = frames
    this.records = records
    this.learn(context)
  }

  learn(context: ConnectionContext): void {
    this.context = context
    this.#contexts.set(context.version, context)
    if (this.#contexts.size <= contextsMax) return
    for (const version of this.#contexts.keys()) {
      this.#contexts.delete(version)
      break
    }
  }

  /** The context that a batch names, or the latest where that version is forgotten or was never told. */
  contextOf(version: number): ConnectionContext {
    return this.#contexts.get(version) ?? this.context
  }
}
