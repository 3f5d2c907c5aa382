import { channelName, type Fault, type FaultLog, nowMs } from './fault-log.ts'
import { type ChannelLedger } from './ledger.ts'
import { type Market } from './market.ts'
import { type Random } from './random.ts'

/** Who takes a channel's frames: a connection, or something that writes them for one connection in its own way. */
export interface Listener {
  /** Subscribed channels as `request_type:SYMBOL`. */
  readonly channels: Set<string>
  send(
    channel: string,
    frame: Uint8Array,
    length: number,
    patchAt: number,
    patch: Uint8Array,
    isSpared: boolean
  ): void
  /** An event of the channel is lost on request: where frames are numbered by connection, its number is used up. */
  lose?(channel: string): void
}

/** One way in which a channel is written (format, depth), and who listens to it. */
export interface Variant {
  readonly key: string
  /** The frame of the last event, with header. `length` bytes of it count. */
  frame: Uint8Array
  length: number
  /** Where `REALTIME` stands in the frame; 0 when it has no stream type. */
  readonly streamTypeAt: number
  readonly listeners: Listener[]
}

const snapshotWord = new Uint8Array(Buffer.from('SNAPSHOT'))
const noPatch = new Uint8Array(0)

/** Faults of one channel: a mute or a lost event from a while after its confirmation. */
export interface ChannelFaults {
  readonly muteAfterMs: number | null
  readonly loseAfterMs: number | null
  readonly reorderRate: number
  readonly random: Random
  readonly log: FaultLog
}

/**
 * One channel of one market. A venue's subclass makes the events; here they are counted and sent to whoever listens,
 * with the faults that concern a channel: silence, a lost event, two swapped ones.
 */
export abstract class Channel<V extends Variant = Variant> {
  readonly market: Market
  readonly ledger: ChannelLedger
  readonly name: string
  protected readonly variants: V[] = []
  /** The newest event went over the wire before the one before it. */
  protected isSwapped = false
  readonly #faults: ChannelFaults
  #mute: Fault | null = null
  #muteIsOver: boolean
  #loseIsOver: boolean
  /** Frames of an event that goes out after the next one, by variant. */
  #held: { readonly ordinal: number; readonly frames: Uint8Array[] } | null = null

  constructor(market: Market, ledger: ChannelLedger, faults: ChannelFaults) {
    this.market = market
    this.ledger = ledger
    this.name = channelName(ledger.requestType, ledger.symbol)
    this.#faults = faults
    this.#muteIsOver = faults.muteAfterMs === null
    this.#loseIsOver = faults.loseAfterMs === null
  }

  /** Makes the next event: the market moves, the ledger grows, the frame goes to the listeners. */
  abstract make(nowMs: number): void

  /** Adds a way to write this channel, rendered from its present state. */
  protected abstract render(key: string): V

  get hasListeners(): boolean {
    return this.variants.some(variant => variant.listeners.length > 0)
  }

  /** First confirmation: from now on everything counts. */
  confirm(atMs: number): void {
    this.ledger.confirm(atMs)
  }

  /** A client subscribed (again): a mute ends. */
  subscribe(listener: Listener, key: string): void {
    this.release()
    if (this.#mute !== null) {
      this.#mute.untilMs = nowMs()
      this.#mute = null
    }
    const variant = this.#variant(key)
    if (!variant.listeners.includes(listener)) variant.listeners.push(listener)
    listener.channels.add(this.name)
  }

  unsubscribe(listener: Listener): void {
    for (const variant of this.variants) {
      const at = variant.listeners.indexOf(listener)
      if (at >= 0) variant.listeners.splice(at, 1)
    }
    listener.channels.delete(this.name)
  }

  /** Sends the last event once more to one connection, marked as snapshot. */
  snapshot(listener: Listener, key: string): void {
    this.release()
    const variant = this.#variant(key)
    // A ledger begins with what its first snapshot shows: that one arrives, or nothing would be confirmed by it.
    const isFirst = this.ledger.count <= 1
    listener.send(this.name, variant.frame, variant.length, variant.streamTypeAt, snapshotWord, isFirst)
  }

  /** Many events at once are about to come. */
  logFlood(): void {
    this.#log('flood', nowMs())
  }

  /** Lets an event go that was held back to be swapped with a next one which does not come. */
  release(): void {
    const held = this.#held
    if (held === null) return
    this.#held = null
    this.#sendFrames(held.frames)
  }

  /** Sends the event that the subclass has just written into the variants' frames and appended as `ordinal`. */
  protected dispatch(ordinal: number, atMs: number): void {
    this.isSwapped = false
    if (this.#isSilenced(ordinal, atMs)) return
    const held = this.#held
    if (held !== null) {
      this.#held = null
      this.#sendFrames(null)
      this.#sendFrames(held.frames)
      this.ledger.swapped.add(held.ordinal)
      this.isSwapped = true
    } else if (this.#faults.reorderRate > 0 && this.#faults.random.chance(this.#faults.reorderRate)) {
      this.#held = { ordinal, frames: this.variants.map(variant => variant.frame.slice(0, variant.length)) }
      this.#log('reorder', nowMs())
    } else this.#sendFrames(null)
  }

  #variant(key: string): V {
    let variant = this.variants.find(known => known.key === key)
    if (variant === undefined) {
      variant = this.render(key)
      this.variants.push(variant)
    }
    return variant
  }

  #sendFrames(held: Uint8Array[] | null): void {
    for (let i = 0; i < this.variants.length; i++) {
      const variant = this.variants[i]!
      const frame = held === null ? variant.frame : held[i]
      if (frame === undefined) continue
      const length = held === null ? variant.length : frame.length
      for (let j = 0; j < variant.listeners.length; j++) {
        variant.listeners[j]!.send(this.name, frame, length, 0, noPatch, false)
      }
    }
  }

  #isSilenced(ordinal: number, atMs: number): boolean {
    if (!this.#muteIsOver && ordinal > 0 && atMs - this.ledger.confirmedAtMs > this.#faults.muteAfterMs!) {
      this.release()
      this.#muteIsOver = true
      this.#mute = this.#log('mute', Number.POSITIVE_INFINITY)
    }
    if (this.#mute !== null) return true
    if (!this.#loseIsOver && atMs - this.ledger.confirmedAtMs > this.#faults.loseAfterMs!) {
      this.release()
      this.#loseIsOver = true
      this.#log('lose', nowMs())
      for (const { listeners } of this.variants) {
        for (const listener of listeners) listener.lose?.(this.name)
      }
      return true
    }
    return false
  }

  #log(kind: 'mute' | 'lose' | 'reorder' | 'flood', untilMs: number): Fault {
    return this.#faults.log.record({
      kind,
      exchange: this.ledger.exchange,
      channels: [this.name],
      connection: null,
      connectionOpenedMs: null,
      atMs: nowMs(),
      untilMs
    })
  }
}
