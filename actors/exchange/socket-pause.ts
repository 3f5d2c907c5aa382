import { type Clock } from '../../src/core/clock.ts'
import { type FrameAccount, frameFieldAt } from '../../src/wire/shared-ledger.ts'
import { type VenueSocket } from './socket.ts'

const pausedAt = frameFieldAt('paused')

/** A socket may be paused for at most this long: a paused one answers no pings. */
const pauseMsMax = 2_000

/** The time in which a socket is not read because no credit is left. */
export class SocketPause {
  /** When the last pause ended, microseconds; a socket counts as heard then. */
  endedMicros = 0
  readonly #clock: Clock
  readonly #values: Float64Array
  readonly #pauseMs: number
  readonly #onTooLong: () => void
  #socket: VenueSocket | null = null
  #timer: unknown = null

  /**
   * @param limitMs how long the venue waits for our answers
   * @param onTooLong told when the socket must be read again although there is no credit; the pause is still on
   */
  constructor(clock: Clock, account: FrameAccount, limitMs: number, onTooLong: () => void) {
    this.#clock = clock
    this.#values = account.values
    this.#pauseMs = Math.min(pauseMsMax, limitMs / 4)
    this.#onTooLong = onTooLong
  }

  get isOn(): boolean {
    return this.#socket !== null
  }

  begin(socket: VenueSocket): void {
    if (this.#socket !== null) return
    this.#socket = socket
    this.#values[pausedAt] = 1
    socket.pause()
    this.#timer = this.#clock.setTimeout(this.#onTooLong, this.#pauseMs)
  }

  end(): void {
    const socket = this.#socket
    if (socket === null) return
    this.#clock.clearTimeout(this.#timer)
    this.#socket = null
    this.#values[pausedAt] = 0
    this.endedMicros = this.#clock.nowMicros()
    socket.resume()
  }
}
