/**
 * Avro's binary primitives, written straight into a Uint8Array. Every writer takes the position to write at and returns
 * the position after what it wrote. None checks for room: a typed array drops what lies beyond its end, so the caller
 * makes room for a whole record before the first of them.
 */

/** Bytes a long may take. */
export const longBytesMax = 10

/** An Avro int (zigzag varint); `value` must be a 32-bit integer. */
export function writeInt(value: number, out: Uint8Array, at: number): number {
  let rest = (value << 1) ^ (value >> 31)
  while ((rest & ~0x7f) !== 0) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

/**
 * An Avro long; `value` must be a safe integer. The zigzag form has up to 54 bits, so it is written in two halves of 28
 * and 26 bits, both of which fit the 32-bit operations; BigInt or division by 128 would take many times as long.
 */
export function writeLong(value: number, out: Uint8Array, at: number): number {
  const isNegative = value < 0
  const magnitude = isNegative ? -value - 1 : value
  let rest = ((magnitude & 0x7ffffff) << 1) | (isNegative ? 1 : 0)
  const high = Math.floor(magnitude / 0x8000000)
  if (high !== 0) {
    out[at] = (rest & 0x7f) | 0x80
    out[at + 1] = ((rest >>> 7) & 0x7f) | 0x80
    out[at + 2] = ((rest >>> 14) & 0x7f) | 0x80
    out[at + 3] = (rest >>> 21) | 0x80
    at += 4
    rest = high
  }
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

/** The bytes alone. A loop: for the short texts of a frame `set` of a subarray costs many times as much. */
export function writeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  while (start < end) out[at++] = bytes[start++]!
  return at
}

/** An Avro string whose UTF-8 text is `bytes[start, end)`. */
export function writeString(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  const length = end - start
  if (length < 64) out[at++] = length << 1
  else at = writeInt(length, out, at)
  while (start < end) out[at++] = bytes[start++]!
  return at
}

/** The Avro string of a text, for the constant parts of records that are made once. */
export function avroString(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text)
  const out = new Uint8Array(encoded.length + longBytesMax)
  return out.slice(0, writeString(encoded, 0, encoded.length, out, 0))
}

/**
 * Finishes a string of unknown length: one byte was left free at `mark`, the text lies in `out[mark + 1, end)`.
 * A longer length moves the text, since an overlong varint would not be the bytes other writers make.
 */
export function closeString(out: Uint8Array, mark: number, end: number): number {
  return putCount(end - mark - 1, out, mark, end)
}

/**
 * Finishes an array of unknown count: one byte was left free at `mark`, its items lie in `out[mark + 1, end)`.
 * All items form one block, closed by the count 0; the empty array is that count alone.
 */
export function closeArray(out: Uint8Array, mark: number, end: number, count: number): number {
  if (count === 0) {
    out[mark] = 0
    return mark + 1
  }
  const at = putCount(count, out, mark, end)
  out[at] = 0
  return at + 1
}

function putCount(count: number, out: Uint8Array, mark: number, end: number): number {
  if (count < 64) {
    out[mark] = count << 1
    return end
  }
  const extra = count < 0x2000 ? 1 : count < 0x100000 ? 2 : count < 0x8000000 ? 3 : 4
  out.copyWithin(mark + 1 + extra, mark + 1, end)
  writeInt(count, out, mark)
  return end + extra
}
