/** How long the simulated venues wait, in milliseconds. Tests shorten them; nothing else should. */
export interface Timings {
  /** Upbit cuts a client that has sent nothing, not even a ping, for this long. */
  readonly upbitIdleMs: number
  /** After a client's text `PING` Upbit repeats its status this often. */
  readonly upbitStatusEveryMs: number
  /** Bithumb cuts a client that has sent nothing, not even a ping, for this long. */
  readonly bithumbIdleMs: number
  readonly bithumbStatusEveryMs: number
  /** Coinone cuts a client that has never sent anything after this time, any other so long after its last PING. */
  readonly coinoneSilentMs: number
  readonly coinoneIdleMs: number
  readonly korbitPingEveryMs: number
  readonly korbitPongLimitMs: number
  readonly binancePingEveryMs: number
  /** Binance cuts a client whose last pong is older. */
  readonly binancePongLimitMs: number
  readonly binanceAgeMaxMs: number
  /** Bybit cuts a client that has sent nothing for this long. */
  readonly bybitIdleMs: number
  /** OKX cuts a connection over which nothing went, either way, for this long. */
  readonly okxIdleMs: number
  /** OKX repeats a book that does not change this often, as an empty update. */
  readonly okxBookRepeatMs: number
  /** Huobi cuts a client that leaves two of its pings without an answer. */
  readonly huobiPingEveryMs: number
  /** Coinbase closes a connection on which nothing was subscribed within this time. */
  readonly coinbaseSubscribeWithinMs: number
  readonly coinbaseHeartbeatEveryMs: number
  /** Kraken sends a heartbeat where nothing else was sent for this long. */
  readonly krakenHeartbeatEveryMs: number
  /** Kraken cuts a connection without subscriptions that was silent for this long. */
  readonly krakenIdleMs: number
  /** Bitfinex sends a heartbeat on each channel that was quiet for this long. */
  readonly bitfinexHeartbeatAfterMs: number
  readonly bitfinexChecksumEveryMs: number
  /** Bitfinex closes a connection that has had no channel for this long. */
  readonly bitfinexIdleMs: number
}

export const venueTimings: Timings = {
  upbitIdleMs: 60_000,
  upbitStatusEveryMs: 10_000,
  bithumbIdleMs: 60_000,
  bithumbStatusEveryMs: 10_000,
  coinoneSilentMs: 60_700,
  coinoneIdleMs: 1_800_000,
  korbitPingEveryMs: 30_000,
  korbitPongLimitMs: 60_000,
  binancePingEveryMs: 20_000,
  binancePongLimitMs: 60_000,
  binanceAgeMaxMs: 86_400_000,
  bybitIdleMs: 600_000,
  okxIdleMs: 30_000,
  okxBookRepeatMs: 60_000,
  huobiPingEveryMs: 5_000,
  coinbaseSubscribeWithinMs: 5_000,
  coinbaseHeartbeatEveryMs: 1_000,
  krakenHeartbeatEveryMs: 1_000,
  krakenIdleMs: 60_000,
  bitfinexHeartbeatAfterMs: 15_000,
  bitfinexChecksumEveryMs: 2_500,
  bitfinexIdleMs: 60_000
}
