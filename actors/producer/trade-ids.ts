import { asciiText } from '../../src/core/ascii-text.ts'

const initialIds = 64
const zero = 0x30

/**
 * The last trade ids of one symbol, each as two safe integers (the digits above the lowest nine, and those nine), so that
 * ids beyond 2^53 are compared exactly and no string is made per trade. Ids that are not digits are kept as text.
 * A ring keeps their order; chains by hash find one without looking at all of them.
 */
export class TradeIds {
  readonly #limit: number
  #digits: Float64Array
  /** The first slot of each chain and the slot after each slot, plus one; 0 ends a chain. */
  #heads: Int32Array
  #links: Int32Array
  #next = 0
  #size = 0
  #texts: Set<string> | null = null

  /** @param limit how many ids are remembered; the oldest is forgotten first */
  constructor(limit: number) {
    this.#limit = limit
    const capacity = Math.min(initialIds, limit)
    this.#digits = new Float64Array(capacity * 2)
    this.#heads = new Int32Array(chainsFor(capacity))
    this.#links = new Int32Array(capacity)
  }

  get size(): number {
    return this.#size + (this.#texts?.size ?? 0)
  }

  /** Whether the id in `bytes[start, end)` is remembered. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    const high = highPart(bytes, start, end)
    if (Number.isNaN(high)) return this.#texts?.has(asciiText(bytes, start, end)) ?? false
    const low = lowPart(bytes, start, end)
    let slot = this.#heads[this.#chainOf(high, low)]!
    for (; slot > 0; slot = this.#links[slot - 1]!) {
      const at = (slot - 1) * 2
      if (this.#digits[at + 1] === low && this.#digits[at] === high) return true
    }
    return false
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const high = highPart(bytes, start, end)
    if (Number.isNaN(high)) {
      this.#addText(asciiText(bytes, start, end))
      return
    }
    const capacity = this.#links.length
    if (this.#size === capacity) {
      if (capacity < this.#limit && this.#next === 0) this.#grow(Math.min(capacity * 2, this.#limit))
      else this.#unlink(this.#next)
    }
    const at = this.#next
    this.#digits[at * 2] = high
    this.#digits[at * 2 + 1] = lowPart(bytes, start, end)
    this.#link(at)
    this.#next = at + 1 === this.#links.length ? 0 : at + 1
    if (this.#size < this.#links.length) this.#size++
  }

  #grow(capacity: number): void {
    const digits = new Float64Array(capacity * 2)
    digits.set(this.#digits)
    this.#next = this.#size
    this.#digits = digits
    this.#heads = new Int32Array(chainsFor(capacity))
    this.#links = new Int32Array(capacity)
    for (let at = 0; at < this.#size; at++) this.#link(at)
  }

  #link(at: number): void {
    const chain = this.#chainOf(this.#digits[at * 2]!, this.#digits[at * 2 + 1]!)
    this.#links[at] = this.#heads[chain]!
    this.#heads[chain] = at + 1
  }

  #unlink(at: number): void {
    const chain = this.#chainOf(this.#digits[at * 2]!, this.#digits[at * 2 + 1]!)
    const rest = this.#links[at]!
    let slot = this.#heads[chain]!
    if (slot === at + 1) {
      this.#heads[chain] = rest
      return
    }
    while (this.#links[slot - 1] !== at + 1) slot = this.#links[slot - 1]!
    this.#links[slot - 1] = rest
  }

  /** Ids of a market grow in steps, so the low part is multiplied to spread them; the high part may exceed 32 bits. */
  #chainOf(high: number, low: number): number {
    const hash = Math.imul(low ^ Math.imul(high | 0, 0x85ebca6b), 0x9e3779b1)
    return (hash ^ (hash >>> 15)) & (this.#heads.length - 1)
  }

  #addText(text: string): void {
    this.#texts ??= new Set()
    this.#texts.add(text)
    if (this.#texts.size > this.#limit) {
      const oldest = this.#texts.values().next()
      if (oldest.done !== true) this.#texts.delete(oldest.value)
    }
  }
}

/** Twice as many chains as ids, and a power of two. */
function chainsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2))
}

/** The digits as an exact integer; NaN when they are not all digits or exceed 2^53. */
export function integerOf(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 16) return Number.NaN
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN
}

function highPart(bytes: Uint8Array, start: number, end: number): number {
  const to = end - 9
  if (to <= start) return lowPart(bytes, start, end) >= 0 ? -(end - start) : Number.NaN
  // The high part of an id with leading zeros would be that of the id without them: such an id is kept as text.
  if (to - start > 15 || bytes[start] === zero || !(lowPart(bytes, start, end) >= 0)) return Number.NaN
  return integerOf(bytes, start, to)
}

/** The lowest nine digits (fewer for a short id); NaN when one of them is no digit. */
function lowPart(bytes: Uint8Array, start: number, end: number): number {
  return integerOf(bytes, end - start > 9 ? end - 9 : start, end)
}
