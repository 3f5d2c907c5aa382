/** Small looks at the first bytes of a frame, for `peek` of the adapters: no parsing, no allocation. */

import { type Peeked } from './adapter.ts'

/** A text as bytes, made once at start. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0))
}

export function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  const length = prefix.length
  if (end - start < length) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== prefix[i]) return false
  return true
}

export function startsWithAny(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefixes: readonly Uint8Array[]
): boolean {
  for (let i = 0; i < prefixes.length; i++) if (startsWith(bytes, start, end, prefixes[i]!)) return true
  return false
}

/** Where `byte` stands first in the range, -1 when it does not. */
export function indexOfByte(bytes: Uint8Array, start: number, end: number, byte: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === byte) return i
  return -1
}

/** The place just behind the first `text` in the range, -1 when it is not there. */
export function behind(bytes: Uint8Array, start: number, end: number, text: Uint8Array): number {
  const first = text[0]
  const last = end - text.length
  for (let i = start; i <= last; i++) {
    if (bytes[i] === first && startsWith(bytes, i, end, text)) return i + text.length
  }
  return -1
}

/** Notes the symbol that begins at `from` (-1: it is not there) and ends before the next `closing` byte of the range. */
export function noteSymbol(
  found: Peeked,
  bytes: Uint8Array,
  from: number,
  end: number,
  closing: number
): void {
  const to = from < 0 ? -1 : indexOfByte(bytes, from, end, closing)
  if (to < 0) return
  found.symbolStart = from
  found.symbolEnd = to
}
