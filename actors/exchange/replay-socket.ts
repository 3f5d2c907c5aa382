import { type SocketHandler, type VenueSocket } from './socket.ts'

/** A socket whose frames come from a capture. What is sent over it goes nowhere: the answers are captured as well. */
export class ReplaySocket implements VenueSocket {
  readMicros = 0
  readonly #handler: SocketHandler

  constructor(handler: SocketHandler) {
    this.#handler = handler
  }

  open(atMicros: number): void {
    this.readMicros = atMicros
    this.#handler.opened()
  }

  receive(frame: Uint8Array, readMicros: number): void {
    this.readMicros = readMicros
    this.#handler.frame(frame)
  }

  end(reason: string): void {
    this.#handler.ended({ error: null, reason, status: null, retryAfterMs: null, code: null })
  }

  send(): void {}
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {}
  terminate(): void {}
}
