import { IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeAdapter, FrameClass, type Peeked } from '../../src/exchange-kit/adapter.ts'
import { inflate } from '../../src/exchange-kit/inflate.ts'
import { SymbolTable } from '../../src/exchange-kit/symbol-table.ts'
import { unknownSubscription } from '../../src/wire/frame-batch.ts'
import { FrameSequence } from './frame-sequence.ts'

/** Looks at the frames of one socket, in their order, without parsing them. What it found stands in its fields. */
export class FrameReader {
  /** The frame as text: inflated where the venue compresses. */
  frame: Uint8Array = new Uint8Array(0)
  frameClass: FrameClass = FrameClass.data
  /** Whose frame it is; `unknownSubscription` when it does not say so where one can see it. */
  subscription: number = unknownSubscription
  readonly #adapter: ExchangeAdapter
  readonly #instruments: readonly Instrument[]
  readonly #inflatedBytesMax: number
  readonly #isGzip: boolean
  readonly #sequence: FrameSequence | null
  #symbols: SymbolTable
  readonly #peeked: Peeked = { frameClass: FrameClass.data, symbolStart: 0, symbolEnd: 0 }
  #guess = -1

  constructor(adapter: ExchangeAdapter, instruments: readonly Instrument[], inflatedBytesMax: number) {
    this.#adapter = adapter
    this.#instruments = instruments
    this.#inflatedBytesMax = inflatedBytesMax
    this.#isGzip = adapter.compression === 'gzip'
    this.#sequence = adapter.continuity.frameSequence === undefined ? null : new FrameSequence()
    this.#symbols = this.#named()
  }

  /** From now on frames name their subscriptions by these numbers as well, and by no others. */
  renumber(channelIds: Readonly<Record<string, number>>): void {
    const symbols = this.#named()
    for (const [channelId, subscription] of Object.entries(channelIds)) symbols.add(channelId, subscription)
    this.#symbols = symbols
  }

  /** Frames are missing here, and it is known: whatever number comes next is right. */
  resume(): void {
    this.#sequence?.forget()
  }

  /**
   * Returns what is wrong with the frame, null when nothing is: FRAMES_LOST when others are missing before it, anything else
   * when it is not compressed as its venue does it, or grows too large.
   */
  read(received: Uint8Array): IngestError | null {
    const frame = this.#isGzip ? inflate(received, this.#inflatedBytesMax) : received
    const isGarbled = frame instanceof IngestError
    if (this.#sequence !== null) {
      const { expected } = this.#sequence
      const number = isGarbled ? Number.NaN : this.#adapter.continuity.frameSequence!(frame, 0, frame.length)
      if (!this.#sequence.follows(number)) {
        const message = `frame ${number} came where ${expected} should have; the connection is dialled anew`
        return new IngestError('FRAMES_LOST', message)
      }
    }
    if (isGarbled) return frame
    const peeked = this.#peeked
    this.#adapter.peek(frame, 0, frame.length, peeked)
    this.frame = frame
    this.frameClass = peeked.frameClass
    this.subscription = unknownSubscription
    if (peeked.frameClass === FrameClass.data && peeked.symbolEnd > 0) {
      this.subscription = this.#symbols.find(frame, peeked.symbolStart, peeked.symbolEnd, this.#guess)
      this.#guess = this.subscription
    }
    return null
  }

  #named(): SymbolTable {
    const symbols = new SymbolTable()
    this.#instruments.forEach(({ native }, index) => {
      symbols.add(native, index)
      symbols.add(this.#adapter.instruments.streamNameOf(native), index)
    })
    return symbols
  }
}
