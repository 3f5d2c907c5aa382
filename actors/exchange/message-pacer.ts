import { type Clock } from '../../src/core/clock.ts'
import { TokenBucket } from '../../src/core/token-bucket.ts'
import { type MessageRate } from '../../src/exchange-kit/adapter.ts'
import { type FrameAccount, frameFieldAt } from '../../src/wire/shared-ledger.ts'

const keepAlivesReplacedAt = frameFieldAt('keepAlivesReplaced')
const requestsDroppedAt = frameFieldAt('requestsDropped')

/**
 * Requests of one connection that may wait for their turn. A full connection needs a few hundred; where more come in than
 * the venue lets out, a new connection, which asks for everything once, is the shorter way.
 */
export const requestsWaitingMax = 1_024

interface Waiting {
  readonly frame: string
  readonly onSent: (() => void) | null
}

/**
 * Sends frames no faster than 80 % of every limit of the venue that counts them: requests in their order, and in front of
 * them what keeps the socket alive. Of that the venue wants only the newest, so one ping and one reply may wait.
 */
export class MessagePacer {
  /** A request found no room and was dropped: the connection will never have all that it is to have. */
  isOverfull = false
  readonly #clock: Clock
  readonly #values: Float64Array
  readonly #buckets: readonly TokenBucket[]
  /** Those that pings and replies count in as well. */
  readonly #bucketsOfAll: readonly TokenBucket[]
  readonly #send: (frame: string) => void
  readonly #requests: Waiting[] = []
  #reply: string | null = null
  #ping: string | null = null
  #timer: unknown = null
  #isStopped = false

  constructor(
    clock: Clock,
    limits: readonly MessageRate[],
    account: FrameAccount,
    send: (frame: string) => void
  ) {
    this.#clock = clock
    this.#values = account.values
    const buckets = limits.map(limit => ({ bucket: new TokenBucket(limit), counts: limit.counts }))
    this.#buckets = buckets.map(({ bucket }) => bucket)
    this.#bucketsOfAll = buckets.filter(({ counts }) => counts === 'messages').map(({ bucket }) => bucket)
    this.#send = send
  }

  /** @param onSent told when the frame is on its way */
  send(frame: string, onSent: (() => void) | null = null): void {
    if (this.#isStopped) return
    if (this.#requests.length >= requestsWaitingMax) {
      this.isOverfull = true
      this.#bump(requestsDroppedAt)
      return
    }
    this.#requests.push({ frame, onSent })
    if (this.#timer === null) this.#drain()
  }

  /** Answers what the venue asked. */
  reply(frame: string): void {
    if (this.#reply !== null) this.#bump(keepAlivesReplacedAt)
    this.#reply = frame
    this.#drain()
  }

  ping(frame: string): void {
    if (this.#ping !== null) this.#bump(keepAlivesReplacedAt)
    this.#ping = frame
    this.#drain()
  }

  stop(): void {
    this.#isStopped = true
    this.#requests.length = 0
    this.#reply = null
    this.#ping = null
    this.#stopTimer()
  }

  #drain(): void {
    this.#stopTimer()
    while (!this.#isStopped) {
      const isRequest = this.#reply === null && this.#ping === null
      if (isRequest && this.#requests.length === 0) return
      const buckets = isRequest ? this.#buckets : this.#bucketsOfAll
      const nowMs = this.#clock.nowMicros() / 1000
      const waitMs = Math.max(0, ...buckets.map(bucket => bucket.msUntil(1, nowMs)))
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimeout(() => this.#drain(), waitMs)
        return
      }
      for (const bucket of buckets) bucket.tryTake(1, nowMs)
      if (isRequest) this.#sendRequest(this.#requests.shift()!)
      else this.#keepAlive()
    }
  }

  #sendRequest({ frame, onSent }: Waiting): void {
    this.#send(frame)
    onSent?.()
  }

  #keepAlive(): void {
    const frame = this.#reply ?? this.#ping!
    if (this.#reply === null) this.#ping = null
    else this.#reply = null
    this.#send(frame)
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #bump(at: number): void {
    this.#values[at] = this.#values[at]! + 1
  }
}
