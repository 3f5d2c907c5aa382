interface Taken {
  readonly atMs: number
  readonly tokens: number
}

/**
 * A bucket whose tokens come back one window after they were taken: no window, wherever it is laid, sees more of them
 * than the bucket holds. (A bucket that refills steadily lets a burst of twice its size pass across a window's edge,
 * and venues ban for that.) Time is passed in, so that the bucket is pure enough for machines.
 */
export class TokenBucket {
  readonly size: number
  readonly windowMs: number
  readonly #taken: Taken[] = []
  #out = 0

  /**
   * @param rate what the venue publishes
   * @param share how much of it we use; a share of less than one token stretches the window instead
   */
  constructor(rate: { readonly count: number; readonly windowMs: number }, share = 0.8) {
    const allowed = rate.count * share
    this.size = Math.max(1, Math.floor(allowed))
    this.windowMs = rate.windowMs * Math.max(1, this.size / allowed)
  }

  /** Takes the tokens when they are there. An order larger than the bucket is granted when the bucket is full. */
  tryTake(tokens: number, nowMs: number): boolean {
    if (this.msUntil(tokens, nowMs) > 0) return false
    this.#taken.push({ atMs: nowMs, tokens })
    this.#out += tokens
    return true
  }

  /** How long until that many tokens are there; 0 when they are. */
  msUntil(tokens: number, nowMs: number): number {
    this.#giveBack(nowMs)
    let missing = this.#out + Math.min(tokens, this.size) - this.size
    if (missing <= 0) return 0
    for (const taken of this.#taken) {
      missing -= taken.tokens
      if (missing <= 0) return Math.max(1, Math.ceil(taken.atMs + this.windowMs - nowMs))
    }
    return this.windowMs
  }

  #giveBack(nowMs: number): void {
    while (this.#taken.length > 0 && this.#taken[0]!.atMs + this.windowMs <= nowMs) {
      this.#out -= this.#taken.shift()!.tokens
    }
  }
}
