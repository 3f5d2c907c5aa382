import { type MessagePort } from 'node:worker_threads'
import { type Clock } from '../../src/core/clock.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type FromProducer,
  type ToProducer
} from '../../src/wire/session-messages.ts'
import { frameFieldAt, type SharedLedger } from '../../src/wire/shared-ledger.ts'
import { ProducerConnection } from './connection.ts'
import { type Decoding } from './decoding.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { type Tracks } from './tracks.ts'

const takenField = frameFieldAt('taken')
const producerHeldField = frameFieldAt('producerHeld')

/** The connections that the producer knows, and the ports over which their threads speak with it. */
export class Connections {
  readonly #ledger: SharedLedger
  readonly #tracks: Tracks
  readonly #decoding: Decoding
  readonly #clock: Clock
  readonly #ports = new Map<number, MessagePort>()
  readonly #known = new Map<number, ProducerConnection>()
  #drainMarks = 0
  #onDrainMark: (() => void) | null = null

  constructor(ledger: SharedLedger, tracks: Tracks, decoding: Decoding, clock: Clock) {
    this.#ledger = ledger
    this.#tracks = tracks
    this.#decoding = decoding
    this.#clock = clock
  }

  /** Takes the port of a connection thread. When it closes, after its last message, the thread is gone. */
  attach(thread: number, port: MessagePort): void {
    this.#ports.set(thread, port)
    port.on('message', (message: ToProducer) => this.#receive(port, message))
    port.on('close', () => this.#portClosed(port))
  }

  /** When so many threads, or all that there are, have said that nothing more comes of them. */
  async drained(threads: number): Promise<void> {
    await new Promise<void>(resolve => {
      this.#onDrainMark = () => {
        if (this.#drainMarks >= Math.min(threads, this.#ports.size)) resolve()
      }
      this.#onDrainMark()
    })
  }

  /** Whether the connection has not ended yet. */
  has({ context }: ProducerConnection): boolean {
    return this.#known.has(context.connection)
  }

  ended({ context }: ProducerConnection): void {
    this.#known.delete(context.connection)
  }

  /** Asks for the book of a symbol as a whole, for the `requests`th time. */
  resnapshot(track: SymbolTrack, requests: number): void {
    const { connection, subscription } = track
    this.#tell(track, { type: 'resnapshot', connection, subscription, requests })
  }

  resubscribe(track: SymbolTrack): void {
    const { connection, subscription } = track
    this.#tell(track, { type: 'resubscribe', connection, subscription })
  }

  #tell(track: SymbolTrack, message: FromProducer): void {
    if (track.isConnected) this.#known.get(track.connection)?.port.postMessage(message)
  }

  /** A connection thread died: its connections are lost. After a graceful end there are none left. */
  #portClosed(port: MessagePort): void {
    const now = this.#clock.nowMicros()
    for (const connection of this.#known.values()) {
      if (connection.port !== port) continue
      const lastFrameSeq = connection.lastGoodFrameSeq
      this.#decoding.notice(connection, { type: 'lost', reason: 'disconnect', atMicros: now, lastFrameSeq })
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
        const connection = this.#known.get(message.connection)
        if (connection !== undefined) this.#decoding.notice(connection, message.notice)
        break
      }
      case 'drain':
        this.#drainMarks++
        this.#onDrainMark?.()
        break
    }
  }

  #context(port: MessagePort, context: ConnectionContext): void {
    const known = this.#known.get(context.connection)
    if (known !== undefined) {
      known.learn(context)
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
    this.#known.set(context.connection, connection)
  }

  #resolveTracks(connection: ProducerConnection): void {
    const { target, instruments } = connection.context
    connection.tracks = instruments.map(instrument => this.#tracks.of(target, instrument.symbol))
  }

  #batch(buffer: ArrayBuffer): void {
    const frames = new FrameBatch(buffer)
    const connection = this.#known.get(frames.connection)
    if (connection === undefined) {
      throw new RangeError(`frame batch of connection ${frames.connection} came before its context`)
    }
    const context = connection.contextOf(frames.contextVersion)
    const values = connection.frames.values
    values[takenField] = values[takenField]! + frames.frames
    values[producerHeldField] = values[producerHeldField]! + frames.frames
    this.#decoding.batch(connection, context, frames)
  }
}
