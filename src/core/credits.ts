/**
 * The window of bytes a connection may have on their way: debited when bytes are handed over, returned when everything
 * made of them is settled. It reopens only when a quarter is free again, so that it does not flutter at its edge.
 */
export class Credits {
  readonly limitBytes: number
  #outstanding = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get outstanding(): number {
    return this.#outstanding
  }

  debit(bytes: number): void {
    this.#outstanding += bytes
  }

  /** Never below zero: a late report about bytes that were written off must not make credit out of nothing. */
  refund(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes)
  }

  /** Whoever held the bytes is gone, and will return nothing. */
  reset(): void {
    this.#outstanding = 0
  }

  /** @param waiting bytes that are not handed over yet but will be */
  isExhausted(waiting: number): boolean {
    return this.#outstanding + waiting >= this.limitBytes
  }

  isReopened(waiting: number): boolean {
    return this.#outstanding + waiting <= this.limitBytes * 0.75
  }

  /** Whether more than a quarter beyond the limit is on its way: the end of what the last to be shed may use. */
  isOverdrawn(waiting: number): boolean {
    return this.#outstanding + waiting >= this.limitBytes * 1.25
  }
}
