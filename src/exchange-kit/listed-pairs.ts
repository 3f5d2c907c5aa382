import { type Instrument } from '../domain/instrument.ts'
import { membersOf, textOf } from './json-members.ts'
import { type JsonValue } from './json-value.ts'

/**
 * Where an entry of a listing says what it is: names of its members, and whether the market has ended for good. One that is
 * only halted is listed: it may go on at any time, and a listing is looked at once.
 */
export interface PairFields {
  readonly native: string
  readonly base: string
  readonly quote: string
  isGone?(entry: Readonly<Record<string, JsonValue>>): boolean
}

/** The markets of a listing that names base and quote apart. What is gone, or no such entry, is left out. */
export function listedPairs(entries: readonly JsonValue[], fields: PairFields): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const value of entries) {
    const entry = membersOf(value)
    if (entry === null || fields.isGone?.(entry) === true) continue
    const [native, base, quote] = [entry[fields.native], entry[fields.base], entry[fields.quote]].map(textOf)
    if (native && base && quote) instruments.push({ symbol: `${base}-${quote}`, native })
  }
  return instruments
}
