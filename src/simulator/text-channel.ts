import { gzipSync } from 'node:zlib'
import { Channel, type ChannelFaults, type Listener, type Variant } from './channel.ts'
import { headerLength, Opcode, writeHeader } from './frame-template.ts'
import { type ChannelLedger } from './ledger.ts'
import { type SharedMarket } from './shared-market.ts'

/** Makes the bytes of a server's WebSocket frame of a payload. */
export type FrameForm = (payload: string) => Uint8Array

const none = new Uint8Array(0)

export const textFrame: FrameForm = payload => framed(Opcode.text, Buffer.from(payload))
export const binaryFrame: FrameForm = payload => framed(Opcode.binary, Buffer.from(payload))
/** A venue that compresses by itself: gzip in a binary frame. */
export const gzipFrame: FrameForm = payload => framed(Opcode.binary, gzipSync(payload, { level: 1 }))
/** The payload alone, for listeners that write the frame themselves. */
export const bareFrame: FrameForm = payload => Buffer.from(payload)

function framed(opcode: Opcode, payload: Uint8Array): Uint8Array {
  const header = headerLength(payload.length)
  const frame = new Uint8Array(header + payload.length)
  writeHeader(frame, 0, opcode, payload.length)
  frame.set(payload, header)
  return frame
}

/**
 * A channel whose frames are written as text for every event. What venues show besides (a snapshot for a new subscriber, a
 * checksum) goes out through `show` and is no event of the ledger. Markets see to it here that a trade shows in the ticker
 * and in the book, that a ticker moves although nobody takes the trades, and where contiguous trade ids begin.
 */
export abstract class TextChannel extends Channel {
  protected readonly shared: SharedMarket
  readonly #form: FrameForm

  constructor(
    shared: SharedMarket,
    ledger: ChannelLedger,
    faults: ChannelFaults,
    form: FrameForm = textFrame
  ) {
    super(shared.market, ledger, faults)
    this.shared = shared
    this.#form = form
  }

  /** Appends exactly one event to the ledger and returns the payload of its frame; a trade lets the market trade first. */
  protected abstract event(nowMs: number): string

  override confirm(atMs: number): void {
    if (this.ledger.requestType === 'trade' && !this.ledger.isConfirmed) {
      this.ledger.firstTradeId = this.shared.lastTradeId + 1
      this.shared.tradesAreCounted = true
    }
    super.confirm(atMs)
  }

  make(nowMs: number): void {
    if (this.ledger.requestType === 'ticker') {
      if (!this.shared.tradesAreCounted) this.shared.silentTrade(nowMs)
      this.market.tickerDueMs = 0
    } else if (this.ledger.requestType === 'orderbook') this.market.bookDueMs = 0
    const payload = this.event(nowMs)
    if (this.hasListeners) {
      const frame = this.#form(payload)
      for (const variant of this.variants) {
        variant.frame = frame
        variant.length = frame.length
      }
    }
    this.dispatch(this.ledger.count - 1, nowMs)
  }

  /** @param isSpared whether faults of the wire leave it alone: what confirms a channel by itself must arrive */
  show(listener: Listener, payload: string, isSpared = false): void {
    this.release()
    const frame = this.#form(payload)
    listener.send(this.name, frame, frame.length, 0, none, isSpared)
  }

  protected render(key: string): Variant {
    return { key, frame: none, length: 0, streamTypeAt: 0, listeners: [] }
  }
}
