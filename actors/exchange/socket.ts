import { type IncomingMessage } from 'node:http'
import { type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { type Clock } from '../../src/core/clock.ts'
import { type ErrorCode, IngestError } from '../../src/core/errors.ts'

/**
 * Bytes that may wait for a peer that does not read. What we say are requests and answers, a few kilobytes of them; the
 * pongs of the protocol itself are bounded by `ws`.
 */
const unsentBytesMax = 1_048_576

/** How a socket came to its end. */
export interface SocketEnd {
  /** Null when it was closed in good order, by either side. */
  readonly error: IngestError | null
  /** One sentence part for logs and transitions. */
  readonly reason: string
  /** HTTP status of a refused handshake, and how long the venue asked to stay away. */
  readonly status: number | null
  readonly retryAfterMs: number | null
  /** WebSocket close code; null when the socket never opened. 1005 and 1006 say that the peer sent none. */
  readonly code: number | null
}

export interface SocketHandler {
  opened(): void
  /** One whole message, text and binary alike; the bytes are only lent for the call. */
  frame(bytes: Uint8Array): void
  /** The peer's control frames of the protocol itself; they are answered already. For observers. */
  heard?(kind: 'ping' | 'pong'): void
  /** Called exactly once, whether the socket ever opened or not. */
  ended(end: SocketEnd): void
}

export interface VenueSocket {
  /** When the bytes came that are being read now, microseconds; one stamp per read of the socket. */
  readonly readMicros: number
  send(text: string): void
  ping(): void
  pause(): void
  resume(): void
  /** Begins the closing handshake; frames keep coming until the peer's close frame. */
  close(): void
  terminate(error: IngestError): void
}

export interface DialOptions {
  readonly url: string
  /** Of the session that this dial begins, so that whoever wraps a `Dial` can tell whose socket it is. */
  readonly connectionId: string
  readonly frameBytesMax: number
  readonly clock: Clock
}

export type Dial = (options: DialOptions, handler: SocketHandler) => VenueSocket

/** A real WebSocket by `ws`. It never throws: whatever goes wrong ends in `ended`. */
export const dialWebSocket: Dial = (options, handler) => new WsSocket(options, handler)

class WsSocket implements VenueSocket {
  readMicros = 0
  readonly #clock: Clock
  readonly #frameBytesMax: number
  readonly #socket: WebSocket
  #error: IngestError | null = null
  #isOpened = false
  #status: number | null = null
  #retryAfterMs: number | null = null

  constructor(options: DialOptions, handler: SocketHandler) {
    this.#clock = options.clock
    this.#frameBytesMax = options.frameBytesMax
    this.#socket = new WebSocket(options.url, {
      maxPayload: options.frameBytesMax,
      // Deflating market data costs more CPU than its bandwidth is worth; every venue of ours does without.
      perMessageDeflate: false,
      // The tokenizer checks UTF-8, once, on the thread that has the time for it.
      skipUTF8Validation: true
    })
    this.#socket.binaryType = 'nodebuffer'
    let upgraded: Socket | null = null
    this.#socket.on('upgrade', response => {
      upgraded = response.socket
    })
    this.#socket.on('unexpected-response', (_, response) => this.#refused(response))
    this.#socket.on('open', () => {
      this.#isOpened = true
      if (upgraded !== null) this.#stampReads(upgraded)
      handler.opened()
    })
    this.#socket.on('ping', () => handler.heard?.('ping'))
    this.#socket.on('pong', () => handler.heard?.('pong'))
    this.#socket.on('message', data => handler.frame(data as Buffer))
    this.#socket.on('error', error => this.#failed(error))
    this.#socket.on('close', (code, reason) => handler.ended(this.#end(code, reason.toString('utf8'))))
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(text)
    const { bufferedAmount } = this.#socket
    if (bufferedAmount <= unsentBytesMax) return
    const message = `the exchange does not read: ${bufferedAmount} bytes wait to be sent, more than ${unsentBytesMax}; the connection is dialled anew`
    this.terminate(new IngestError('LIMIT_HIT', message))
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    // A paused socket would never read the peer's close frame.
    this.#socket.resume()
    this.#socket.close(1000)
  }

  terminate(error: IngestError): void {
    this.#error ??= error
    this.#socket.terminate()
  }

  /**
   * Our listener goes in front of that of `ws`, so that the stamp is there before the read's frames are. It must not be
   * there before that of `ws` is: it alone would start the flow, and frames that came together with the handshake's
   * answer would be read by nobody.
   */
  #stampReads(socket: Socket): void {
    const stamp = (): void => {
      this.readMicros = this.#clock.nowMicros()
    }
    stamp()
    socket.prependListener('data', stamp)
  }

  #refused(response: IncomingMessage): void {
    const status = response.statusCode ?? 0
    this.#status = status
    this.#retryAfterMs = retryAfterMs(response.headers['retry-after'], this.#clock)
    this.terminate(
      new IngestError('HANDSHAKE_REFUSED', `the handshake was refused with HTTP status ${status}`)
    )
  }

  #failed(cause: Error & { code?: string }): void {
    if (this.#error !== null) return
    let code: ErrorCode = 'SOCKET_FAILED'
    let message = cause.message === '' ? (cause.code ?? 'unknown error') : cause.message
    if (cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      code = 'FRAME_OVERSIZED'
      message = `a frame is larger than limits.frameBytesMax (${this.#frameBytesMax})`
    }
    this.#error = new IngestError(code, message, { cause })
  }

  #end(code: number, text: string): SocketEnd {
    const closed = text === '' ? `closed with ${code}` : `closed with ${code} (${text.slice(0, 120)})`
    const reason = this.#error?.message ?? closed
    return {
      error: this.#error,
      reason,
      status: this.#status,
      retryAfterMs: this.#retryAfterMs,
      code: this.#isOpened ? code : null
    }
  }
}

/** `Retry-After` is seconds or a date; null when absent or neither. */
export function retryAfterMs(header: string | undefined, clock: Clock): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - clock.nowMicros() / 1000)
}
