/** Bytes that several windows may borrow beyond their own, first come, first served. */
export class CreditPool {
  readonly limitBytes: number
  lentBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
}

/**
 * The window of bytes a connection may have on their way: debited when bytes are handed over, returned when everything
 * made of them is settled. Beyond what is its own it borrows from a pool, so that a loud connection may use what quiet
 * ones leave, and never what they are sure of. It reopens only when a quarter is free again, so that it does not flutter.
 */
export class Credits {
  readonly #ownBytes: number
  readonly #pool: CreditPool
  #outstanding = 0
  #borrowed = 0

  constructor(ownBytes: number, pool: CreditPool) {
    this.#ownBytes = ownBytes
    this.#pool = pool
  }

  get outstanding(): number {
    return this.#outstanding
  }

  debit(bytes: number): void {
    this.#outstanding += bytes
    this.#borrow()
  }

  /** Never below zero: a late report about bytes that were written off must not make credit out of nothing. */
  refund(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes)
    this.#borrow()
  }

  /** Whoever held the bytes is gone, and will return nothing. */
  reset(): void {
    this.#outstanding = 0
    this.#borrow()
  }

  /** @param waiting bytes that are not handed over yet but will be */
  isExhausted(waiting: number): boolean {
    return this.#outstanding + waiting >= this.#limitBytes
  }

  isReopened(waiting: number): boolean {
    return this.#outstanding + waiting <= this.#limitBytes * 0.75
  }

  /** Whether more than a quarter of its own is on its way beyond the limit: the end of what the last to be shed may use. */
  isOverdrawn(waiting: number): boolean {
    return this.#outstanding + waiting >= this.#limitBytes + this.#ownBytes * 0.25
  }

  /** Its own, what it has borrowed, and what it could still borrow. */
  get #limitBytes(): number {
    return this.#ownBytes + this.#borrowed + this.#pool.limitBytes - this.#pool.lentBytes
  }

  /** Overdraft is not borrowed: the pool never lends more than it has. */
  #borrow(): void {
    const pool = this.#pool
    const others = pool.lentBytes - this.#borrowed
    this.#borrowed = Math.max(0, Math.min(this.#outstanding - this.#ownBytes, pool.limitBytes - others))
    pool.lentBytes = others + this.#borrowed
  }
}
