import { type Dial, type SocketEnd } from '../../../actors/exchange/socket.ts'
import { type Clock } from '../../core/clock.ts'
import { IngestError } from '../../core/errors.ts'
import { type RequestType, requestTypes } from '../../domain/target.ts'
import { type ExchangeAdapter, FrameClass, type Peeked } from '../../exchange-kit/adapter.ts'
import { inflate } from '../../exchange-kit/inflate.ts'
import { parseJson } from '../../exchange-kit/json.ts'

/** One socket of a channel, from its dial to its end. */
export interface SocketRecord {
  readonly url: string
  readonly dialledMicros: number
  openedMicros: number | null
  endedMicros: number | null
  end: SocketEnd | null
  /** The check itself asked for the end. */
  isOwnEnd: boolean
}

const closesMax = 100

/** All sockets of one channel, and what of their traffic no account of the service tells apart. */
export class ChannelSockets {
  /** The first and the newest ones; a venue that refuses all day would have no end of them. */
  readonly records: SocketRecord[] = []
  dials = 0
  alive = 0
  venuePings = 0
  pongs = 0
  pingsSent = 0
  heartbeatFrames = 0
  replies = 0

  get opened(): readonly SocketRecord[] {
    return this.records.filter(({ openedMicros }) => openedMicros !== null)
  }

  /** How long sockets were open, all together. */
  openMs(nowMicros: number): number {
    const micros = this.opened.map(
      ({ openedMicros, endedMicros }) => (endedMicros ?? nowMicros) - openedMicros!
    )
    return micros.reduce((sum, each) => sum + each, 0) / 1000
  }

  /** How its newest socket ended that was not ended by us; null when none was. */
  get failure(): SocketEnd | null {
    return this.records.findLast(({ end, isOwnEnd }) => end !== null && !isOwnEnd)?.end ?? null
  }

  get isDialling(): boolean {
    const last = this.records.at(-1)
    return last !== undefined && last.openedMicros === null && last.end === null
  }

  begin(url: string, dialledMicros: number): SocketRecord {
    const record = { url, dialledMicros, openedMicros: null, endedMicros: null, end: null, isOwnEnd: false }
    this.dials++
    this.records.push(record)
    if (this.records.length > closesMax) this.records.splice(closesMax / 2, 1)
    return record
  }
}

/**
 * Wraps a dial so that each socket of an exchange is watched as what it is to its channel. Nothing of the traffic is
 * changed or held back.
 */
export class SocketWatch {
  readonly channels: ReadonlyMap<RequestType, ChannelSockets> = new Map(
    requestTypes.map(type => [type, new ChannelSockets()])
  )
  /** From now on sockets end because we end them. */
  isClosing = false
  readonly #adapter: ExchangeAdapter
  readonly #clock: Clock
  readonly #inflatedBytesMax: number
  readonly #peeked: Peeked = { frameClass: FrameClass.data, symbolStart: 0, symbolEnd: 0 }

  constructor(adapter: ExchangeAdapter, clock: Clock, inflatedBytesMax: number) {
    this.#adapter = adapter
    this.#clock = clock
    this.#inflatedBytesMax = inflatedBytesMax
  }

  of(requestType: RequestType): ChannelSockets {
    return this.channels.get(requestType)!
  }

  wrap(dial: Dial): Dial {
    return (options, handler) => {
      // Connection ids are `pod/exchange/request_type/shard/time`.
      const requestType = options.connectionId.split('/')[2] as RequestType
      const sockets = this.of(requestType)
      const record = sockets.begin(options.url, this.#clock.nowMicros())
      const socket = dial(options, {
        opened: () => {
          record.openedMicros = this.#clock.nowMicros()
          handler.opened()
        },
        frame: bytes => {
          this.#frame(bytes, sockets)
          handler.frame(bytes)
        },
        heard: kind => {
          if (kind === 'ping') sockets.venuePings++
          else sockets.pongs++
          handler.heard?.(kind)
        },
        ended: end => {
          record.endedMicros = this.#clock.nowMicros()
          record.end = end
          record.isOwnEnd = this.isClosing
          handler.ended(end)
        }
      })
      return {
        get readMicros() {
          return socket.readMicros
        },
        send: text => {
          if (this.#isPingText(text)) sockets.pingsSent++
          socket.send(text)
        },
        ping: () => {
          sockets.pingsSent++
          socket.ping()
        },
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        close: () => {
          record.isOwnEnd = true
          socket.close()
        },
        terminate: error => socket.terminate(error)
      }
    }
  }

  #isPingText(text: string): boolean {
    const frame = this.#adapter.heartbeat.ping?.frame
    return frame !== undefined && frame !== 'websocket' && frame.text === text
  }

  /** Data frames are the codec's to judge; here only heartbeats are told from the other control frames. */
  #frame(received: Uint8Array, sockets: ChannelSockets): void {
    const frame = this.#adapter.compression === 'gzip' ? inflate(received, this.#inflatedBytesMax) : received
    if (frame instanceof IngestError) return
    const peeked = this.#peeked
    this.#adapter.peek(frame, 0, frame.length, peeked)
    if (peeked.frameClass === FrameClass.data) return
    if (peeked.frameClass === FrameClass.alive) {
      sockets.alive++
      sockets.heartbeatFrames++
      return
    }
    for (const event of this.#controlEvents(frame)) {
      if (event.type === 'alive') sockets.heartbeatFrames++
      if (event.type === 'reply') {
        sockets.heartbeatFrames++
        sockets.replies++
      }
    }
  }

  #controlEvents(frame: Uint8Array) {
    try {
      return this.#adapter.control(parseJson(frame, 0, frame.length))
    } catch {
      // No JSON: the codec makes a dead letter of it.
      return []
    }
  }
}
