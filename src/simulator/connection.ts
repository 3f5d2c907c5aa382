import { type Duplex } from 'node:stream'
import { type WebSocket } from 'ws'
import { type ExchangeName } from '../domain/target.ts'
import { type FaultKind, type FaultLog, nowMs } from './fault-log.ts'
import { headerLength, type Opcode, writeHeader } from './frame-template.ts'
import { type Random } from './random.ts'

const outboxBytes = 64 * 1024
/** A client that lets this much pile up is cut off, as a venue would. */
export const slowClientBytesMax = 32 * 1024 * 1024
/** A client that asks for one topic a message is taken to be done when it has asked for nothing so long. */
const askingMs = 2000

/** What the wire does to data frames on request, shared by all connections of a run. */
export interface WireFaults {
  readonly corruptRate: number
  readonly random: Random
  readonly log: FaultLog
}

export interface WireCounters {
  framesSent: number
  framesCorrupted: number
  bytesSent: number
}

/**
 * The server's side of one connection. Control frames go through `ws`; data frames are made elsewhere with their headers
 * and collected here, so that a tick of the markets costs one write per connection.
 */
export class Connection {
  readonly id: number
  readonly exchange: ExchangeName
  readonly openedMs = nowMs()
  readonly webSocket: WebSocket
  /** Subscribed channels as `request_type:SYMBOL`, kept by the venue. */
  readonly channels = new Set<string>()
  /** Channels that were asked for and passed over in silence: what befalls the connection concerns them as well. */
  readonly refused = new Set<string>()
  /** When the client last asked for a topic, at venues that take one a message: others may be about to follow. */
  lastAskedMs = Number.NEGATIVE_INFINITY
  readonly #socket: Duplex
  readonly #faults: WireFaults
  readonly #counters: WireCounters
  readonly #markDirty: (connection: Connection) => void
  #outbox: Buffer = Buffer.allocUnsafeSlow(outboxBytes)
  #used = 0
  #isDirty = false
  #isClosing = false
  /** Full outboxes kept back while the connection is stalled; null when it is not. */
  #stalled: Buffer[] | null = null
  #stalledBytes = 0
  #stalledPongs: Buffer[] = []

  constructor(
    id: number,
    exchange: ExchangeName,
    webSocket: WebSocket,
    socket: Duplex,
    faults: WireFaults,
    counters: WireCounters,
    markDirty: (connection: Connection) => void
  ) {
    this.id = id
    this.exchange = exchange
    this.webSocket = webSocket
    this.#socket = socket
    this.#faults = faults
    this.#counters = counters
    this.#markDirty = markDirty
  }

  get isOpen(): boolean {
    return !this.#isClosing && this.webSocket.readyState === this.webSocket.OPEN
  }

  /** Bytes that have not left for the network. */
  get bytesWaiting(): number {
    return this.#used + this.#stalledBytes + this.#socket.writableLength
  }

  get isStalled(): boolean {
    return this.#stalled !== null
  }

  /**
   * Takes a data frame with its header. `patchAt` > 0: eight bytes there are replaced by `patch` (stream type). The frame
   * may be corrupted here, on this connection only, if the run asks for it and `isSpared` is false.
   */
  send(
    channel: string,
    frame: Uint8Array,
    length: number,
    patchAt: number,
    patch: Uint8Array,
    isSpared: boolean
  ): void {
    if (this.#isClosing) return
    if (length > this.#outbox.length - this.#used) {
      this.flush()
      if (length > this.#outbox.length) this.#outbox = Buffer.allocUnsafeSlow(length)
    }
    const at = this.#used
    const outbox = this.#outbox
    if (length === frame.length) outbox.set(frame, at)
    else outbox.set(frame.subarray(0, length), at)
    if (patchAt > 0) outbox.set(patch, at + patchAt)
    this.#used = at + length
    this.#counters.framesSent++
    if (!isSpared && this.#faults.corruptRate > 0 && this.#faults.random.chance(this.#faults.corruptRate)) {
      this.#corrupt(channel, at, length)
    }
    if (!this.#isDirty) {
      this.#isDirty = true
      this.#markDirty(this)
    }
  }

  /** A text or binary message outside the data path: an ack, an error, a status. Order with data frames is kept. */
  reply(opcode: Opcode, text: string): void {
    if (this.#isClosing) return
    const payload = Buffer.from(text)
    const frame = Buffer.allocUnsafe(headerLength(payload.length) + payload.length)
    writeHeader(frame, 0, opcode, payload.length)
    frame.set(payload, frame.length - payload.length)
    this.flush()
    this.#write(frame)
  }

  pong(payload: Buffer): void {
    if (this.#stalled !== null) this.#stalledPongs.push(payload)
    else if (this.isOpen) this.webSocket.pong(payload)
  }

  flush(): void {
    this.#isDirty = false
    if (this.#used === 0) return
    const chunk = this.#outbox.subarray(0, this.#used)
    this.#used = 0
    if (this.#stalled !== null) this.#outbox = Buffer.allocUnsafeSlow(outboxBytes)
    this.#write(chunk)
    // The kernel took everything at once: the buffer is ours again. Otherwise the socket keeps it.
    if (this.#stalled === null && this.#socket.writableLength > 0) {
      this.#outbox = Buffer.allocUnsafeSlow(outboxBytes)
      if (this.#socket.writableLength > slowClientBytesMax) this.cut('slow-client')
    }
  }

  /** Nothing leaves, answers to pings included, until `resume`. */
  stall(): void {
    this.flush()
    this.#stalled ??= []
  }

  resume(): void {
    const chunks = this.#stalled
    if (chunks === null) return
    this.flush()
    this.#stalled = null
    this.#stalledBytes = 0
    for (const chunk of chunks) this.#write(chunk)
    for (const pong of this.#stalledPongs) this.pong(pong)
    this.#stalledPongs = []
  }

  /** Ends the TCP connection without a word, half of the times with a reset, and logs why. */
  cut(kind: FaultKind): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.logFault(kind)
    const socket = this.#socket as Duplex & { resetAndDestroy?(): void }
    // A reset of a socket that is already ending can leave Node's handle in a loop at exit.
    const isReset = this.#faults.random.chance(0.5) && !socket.writableEnded
    if (isReset && socket.resetAndDestroy !== undefined) socket.resetAndDestroy()
    else socket.destroy()
  }

  /** The venue's own close with a frame; `kind` when it is a fault that excuses a gap. */
  close(code: number, reason: string, kind: FaultKind | null): void {
    if (this.#isClosing) return
    this.resume()
    this.flush()
    this.#isClosing = true
    if (kind !== null) this.logFault(kind)
    this.webSocket.close(code, reason)
  }

  /** Called when the socket is gone, whoever ended it. */
  ended(): void {
    this.#isClosing = true
    this.#stalled = null
    this.#stalledBytes = 0
    this.#used = 0
  }

  logFault(kind: FaultKind, channels: readonly string[] | null = this.#channelsOrAll(), untilMs?: number) {
    const atMs = nowMs()
    return this.#faults.log.record({
      kind,
      exchange: this.exchange,
      channels,
      connection: this.id,
      connectionOpenedMs: this.openedMs,
      atMs,
      untilMs: untilMs ?? atMs
    })
  }

  /** A connection that is going to get channels yet: what befalls it befalls whatever it was opened for. */
  #channelsOrAll(): readonly string[] | null {
    const isFilling = this.channels.size === 0 || nowMs() - this.lastAskedMs < askingMs
    return isFilling ? null : [...this.channels, ...this.refused]
  }

  #write(chunk: Buffer): void {
    if (this.#stalled !== null) {
      this.#stalled.push(chunk)
      this.#stalledBytes += chunk.length
      if (this.#stalledBytes > slowClientBytesMax) this.cut('slow-client')
    } else if (this.#socket.writable) {
      this.#counters.bytesSent += chunk.length
      this.#socket.write(chunk)
    }
  }

  /**
   * Makes the frame at `at` invalid in a way that no reader can miss: a byte that JSON and UTF-8 forbid everywhere, or the
   * end cut off (no beginning of an object is a JSON text). Digits are never just changed.
   */
  #corrupt(channel: string, at: number, length: number): void {
    const short = this.#outbox[at + 1]! < 126
    const payloadAt = at + (short ? 2 : 4)
    const payload = length - (short ? 2 : 4)
    const random = this.#faults.random
    // In a compressed frame a byte may stand for nothing; its end is always missed.
    const isGzip = this.#outbox[payloadAt] === 0x1f && this.#outbox[payloadAt + 1] === 0x8b
    const way = isGzip ? 2 : random.below(3)
    if (way === 2) {
      const kept = 1 + random.below(payload - 1)
      const opcode = (this.#outbox[at]! & 0x0f) as Opcode
      const header = headerLength(kept)
      this.#outbox.copyWithin(at + header, payloadAt, payloadAt + kept)
      writeHeader(this.#outbox, at, opcode, kept)
      this.#used = at + header + kept
    } else this.#outbox[payloadAt + random.below(payload)] = way === 0 ? 0x00 : 0xff
    this.#counters.framesCorrupted++
    this.logFault('corrupt', [channel])
  }
}
