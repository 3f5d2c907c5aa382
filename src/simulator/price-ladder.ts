import { levelHashPrefix } from './fingerprint.ts'
import { type MarketSpec } from './market-spec.ts'
import { TextTable } from './text-table.ts'

/** Ticks of a ladder. A market's best bid stays away from both ends by at least `ladderMargin`. */
export const ladderTicks = 2000
export const ladderMargin = 200

/** A price as integer × 10^scale, and how it can be written. */
export interface PriceForms {
  /** With eight decimals: `104000300.00000000`. */
  readonly plain: TextTable
  /** As Java writes a double: `1.040003E8`, `3120.003`, `6.240003E-4`. */
  readonly java: TextTable
  /** `java` with its exponent expanded. */
  readonly javaExpanded: TextTable
}

/**
 * All prices a market can have and the texts that follow from them, made once: writing a price is copying a few bytes.
 * Every price ends with a digit other than zero, so that no form needs to trim.
 */
export class PriceLadder {
  readonly scale: number
  readonly #integers: readonly number[]
  readonly #previous: number
  readonly #sign: string
  readonly prices: PriceForms
  /** Hashes of a bid or ask at a tick up to its size, for prices as the venue's books write them. */
  readonly bidPrefixes: Int32Array
  readonly askPrefixes: Int32Array

  constructor(spec: MarketSpec, books: 'plain' | 'java') {
    const unit = spec.leading * 1_000_000
    this.scale = spec.exponent - 6
    this.#previous = unit
    this.#sign = spec.falls ? '-' : ''
    const lowest = Math.round(unit * (spec.falls ? 0.94 : 1.04)) + 3
    const step = spec.leading * 10
    this.#integers = Array.from({ length: ladderTicks }, (_, tick) => lowest + tick * step)
    this.prices = formsOf(this.#integers, this.scale)
    const texts = books === 'plain' ? this.prices.plain : this.prices.javaExpanded
    this.bidPrefixes = new Int32Array(ladderTicks)
    this.askPrefixes = new Int32Array(ladderTicks)
    for (let tick = 0; tick < ladderTicks; tick++) {
      const text = texts.text(tick)
      this.bidPrefixes[tick] = levelHashPrefix('bid', text)
      this.askPrefixes[tick] = levelHashPrefix('ask', text)
    }
  }

  /** The texts of all prices, by tick, in a venue's own form of `integer × 10^scale`. */
  texts(form: (integer: number, scale: number) => string): readonly string[] {
    return this.#integers.map(integer => form(integer, this.scale))
  }

  /** A price less the previous close, or another price, as the same form writes it without its sign. */
  differenceText(
    tick: number,
    from: number | null,
    form: (integer: number, scale: number) => string
  ): string {
    const base = from === null ? this.#previous : this.#integers[from]!
    return form(Math.abs(this.#integers[tick]! - base), this.scale)
  }

  /** The previous close in a venue's own form. */
  previousText(form: (integer: number, scale: number) => string): string {
    return form(this.#previous, this.scale)
  }

  /** Distance from the previous close, without sign. */
  changes(): PriceForms {
    return formsOf(
      this.#integers.map(integer => Math.abs(integer - this.#previous)),
      this.scale
    )
  }

  /** Ratio of the change with ten decimals, without sign. */
  ratios(): TextTable {
    return new TextTable(this.#integers.map(i => (Math.abs(i - this.#previous) / this.#previous).toFixed(10)))
  }

  /** Change in percent with three decimals and its sign, and the ratio that a decoder must make of it. */
  percents(): { readonly wire: TextTable; readonly ratio: TextTable } {
    const percents = this.#integers.map(i =>
      ((Math.abs(i - this.#previous) / this.#previous) * 100).toFixed(3)
    )
    return {
      wire: new TextTable(percents.map(text => this.#sign + text)),
      ratio: new TextTable(percents.map(text => `${this.#sign}0.0${text.replace('.', '')}`))
    }
  }

  /** `-` in a falling market, else nothing. */
  get sign(): string {
    return this.#sign
  }

  previousPlain(): string {
    return plainDecimals(this.#previous, this.scale)
  }

  previousJava(): { readonly wire: string; readonly expanded: string } {
    return javaDouble(this.#previous, this.scale)
  }
}

function formsOf(integers: readonly number[], scale: number): PriceForms {
  const java = integers.map(integer => javaDouble(integer, scale))
  const javaWire = new TextTable(java.map(text => text.wire))
  // Below eight decimals a price cannot be written plainly; the venue's own form takes its place.
  const plain = scale >= -8 ? new TextTable(integers.map(integer => plainDecimals(integer, scale))) : javaWire
  return { plain, java: javaWire, javaExpanded: new TextTable(java.map(text => text.expanded)) }
}

/** Exactly eight decimals. */
export function plainDecimals(integer: number, scale: number): string {
  const [whole, fraction] = split(integer, scale)
  return `${whole}.${fraction.padEnd(8, '0')}`
}

/** Without zeros at the end: `3120.003`, `0.0006240003`, `104000300`. */
export function shortDecimals(integer: number, scale: number): string {
  const [whole, fraction] = split(integer, scale)
  const digits = fraction.replace(/0+$/, '')
  return digits === '' ? whole : `${whole}.${digits}`
}

/** A double as Java prints it (scientific from 10^7 upwards and below 10^-3), and the same expanded. */
export function javaDouble(integer: number, scale: number): { wire: string; expanded: string } {
  const digits = String(integer)
  const exponent = digits.length - 1 + scale
  const [whole, fraction] = split(integer, scale)
  if (exponent < 7 && exponent >= -3) {
    const text = `${whole}.${fraction === '' ? '0' : fraction}`
    return { wire: text, expanded: text }
  }
  const expanded = fraction === '' ? whole : `${whole}.${fraction}`
  return { wire: `${digits[0]}.${digits.slice(1)}E${exponent}`, expanded }
}

function split(integer: number, scale: number): [whole: string, fraction: string] {
  const digits = String(integer)
  if (scale >= 0) return [digits + '0'.repeat(scale), '']
  const padded = digits.padStart(1 - scale, '0')
  return [padded.slice(0, scale), padded.slice(scale)]
}
