/** How long the simulated venues wait, in milliseconds. Tests shorten them; nothing else should. */
export interface Timings {
  /** Upbit cuts a client that has sent nothing, not even a ping, for this long. */
  readonly upbitIdleMs: number
  /** After a client's text `PING` Upbit repeats its status this often. */
  readonly upbitStatusEveryMs: number
  readonly binancePingEveryMs: number
  /** Binance cuts a client whose last pong is older. */
  readonly binancePongLimitMs: number
  readonly binanceAgeMaxMs: number
}

export const venueTimings: Timings = {
  upbitIdleMs: 60_000,
  upbitStatusEveryMs: 10_000,
  binancePingEveryMs: 20_000,
  binancePongLimitMs: 60_000,
  binanceAgeMaxMs: 86_400_000
}
