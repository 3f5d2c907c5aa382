const initialIds = 64
const zero = 0x30

/**
 * The last trade ids of one symbol, each as two safe integers (the digits above the lowest nine, and those nine), so that
 * ids beyond 2^53 are compared exactly and no string is made per trade. Ids that are not digits are kept as text.
 */
export class TradeIds {
  readonly #limit: number
  #digits: Float64Array
  #next = 0
  #size = 0
  #texts: Set<string> | null = null

  /** @param limit how many ids are remembered; the oldest is forgotten first */
  constructor(limit: number) {
    this.#limit = limit
    this.#digits = new Float64Array(Math.min(initialIds, limit) * 2)
  }

  get size(): number {
    return this.#size + (this.#texts?.size ?? 0)
  }

  /** Whether the id in `bytes[start, end)` is remembered. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    const high = highPart(bytes, start, end)
    if (Number.isNaN(high)) return this.#texts?.has(textOf(bytes, start, end)) ?? false
    const low = lowPart(bytes, start, end)
    const length = this.#size * 2
    for (let i = 0; i < length; i += 2) {
      if (this.#digits[i + 1] === low && this.#digits[i] === high) return true
    }
    return false
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const high = highPart(bytes, start, end)
    if (Number.isNaN(high)) {
      this.#addText(textOf(bytes, start, end))
      return
    }
    const capacity = this.#digits.length / 2
    if (this.#size === capacity && capacity < this.#limit && this.#next === 0) {
      const grown = new Float64Array(Math.min(capacity * 2, this.#limit) * 2)
      grown.set(this.#digits)
      this.#digits = grown
      this.#next = capacity
    }
    const at = this.#next
    this.#digits[at * 2] = high
    this.#digits[at * 2 + 1] = lowPart(bytes, start, end)
    this.#next = at + 1 === this.#digits.length / 2 ? 0 : at + 1
    if (this.#size < this.#digits.length / 2) this.#size++
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

function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
