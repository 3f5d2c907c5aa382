import { closeString, writeString, writeText } from './avro-bytes.ts'
import { TokenKind } from './tape.ts'

/**
 * Decimals as text, from the digits of a frame to the digits of a record, never through a number.
 *
 * The grammar is that of JSON numbers, for decimals inside strings as well: `""`, `NaN`, `+1`, `1.`, `.5` and `007` are
 * refused, since no venue documents them and a guess would be worse than a dead frame. All digits are kept, also zeros
 * that do not change the value (`4.10` stays `4.10`, `0E-8` becomes `0.00000000`, `0.00` percent becomes `0.0000`); only
 * an exponent is expanded, and zeros in front of the point that this would leave are dropped (`0.5E1` becomes `5`).
 * A minus is kept, in front of a zero too.
 *
 * Writers take the kind of the token: `number` and `exponent` have been checked by the tokenizer, `string` is checked
 * here, any other kind is no decimal. They return the position after the text, or a negative DecimalError.
 */
export const DecimalError = {
  notDecimal: -1,
  exponentTooLarge: -2
} as const

/** Exponents beyond this, either way, are refused: `1e999999999` is ten bytes in a frame and a gigabyte expanded. */
export const exponentMax = 128

/** Room that any decimal of so many bytes may take when written, its Avro length included. */
export function decimalBytesMax(sourceBytes: number): number {
  return sourceBytes + exponentMax + 8
}

const numberKind = TokenKind.number
const exponentKind = TokenKind.exponent
const stringKind = TokenKind.string

const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39

/** The kind of number that the text is (`TokenKind.number` or `.exponent`), or `DecimalError.notDecimal`. */
export function checkDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  if (at < end && bytes[at] === minus) at++
  if (at >= end) return DecimalError.notDecimal
  if (bytes[at] === zero) {
    at++
  } else {
    const from = at
    at = afterDigits(bytes, at, end)
    if (at === from) return DecimalError.notDecimal
  }
  if (at < end && bytes[at] === point) {
    const from = ++at
    at = afterDigits(bytes, at, end)
    if (at === from) return DecimalError.notDecimal
  }
  if (at === end) return numberKind
  if ((bytes[at]! | 0x20) !== 0x65) return DecimalError.notDecimal
  at++
  if (at < end && (bytes[at] === minus || bytes[at] === 0x2b)) at++
  const from = at
  at = afterDigits(bytes, at, end)
  return at === from || at < end ? DecimalError.notDecimal : exponentKind
}

function afterDigits(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!
    if (byte < zero || byte > nine) break
    at++
  }
  return at
}

/** The kind of number behind a token, or `DecimalError.notDecimal`. */
function numberKindOf(kind: number, bytes: Uint8Array, start: number, end: number): number {
  if (kind === numberKind || kind === exponentKind) return kind
  return kind === stringKind ? checkDecimal(bytes, start, end) : DecimalError.notDecimal
}

/** The digits as sent, an exponent expanded. */
export function writeDecimal(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  const form = numberKindOf(kind, bytes, start, end)
  if (form === numberKind) return writeText(bytes, start, end, out, at)
  return form < 0 ? form : writeScaled(bytes, start, end, 0, out, at)
}

/** The ratio of a percentage: the point is moved two places to the left. */
export function writePercent(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  const form = numberKindOf(kind, bytes, start, end)
  return form < 0 ? form : writeScaled(bytes, start, end, -2, out, at)
}

/** The decimal without its minus. */
export function writeAbsolute(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  const form = numberKindOf(kind, bytes, start, end)
  if (form < 0) return form
  const from = isNegative(bytes, start, end) ? start + 1 : start
  if (form === numberKind) return writeText(bytes, from, end, out, at)
  return writeScaled(bytes, from, end, 0, out, at)
}

/** `writeDecimal` as an Avro string, its length in front. */
export function writeDecimalString(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  const form = numberKindOf(kind, bytes, start, end)
  if (form === numberKind) return writeString(bytes, start, end, out, at)
  return form < 0 ? form : closed(out, at, writeScaled(bytes, start, end, 0, out, at + 1))
}

/** `writePercent` as an Avro string. */
export function writePercentString(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  return closed(out, at, writePercent(kind, bytes, start, end, out, at + 1))
}

/** `writeAbsolute` as an Avro string. */
export function writeAbsoluteString(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number
): number {
  return closed(out, at, writeAbsolute(kind, bytes, start, end, out, at + 1))
}

function closed(out: Uint8Array, mark: number, end: number): number {
  return end < 0 ? end : closeString(out, mark, end)
}

/** Of a decimal known to be one. A negative zero is negative. */
export function isNegative(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && bytes[start] === minus
}

/** Whether a decimal known to be one is zero, however it is written: `0`, `-0`, `0.00000000`, `0E-8`. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte > zero && byte <= nine) return false
    if (byte > nine) return true
  }
  return true
}

/** Writes a checked decimal multiplied by ten to the power of `shift`, by moving its point. */
function writeScaled(
  bytes: Uint8Array,
  start: number,
  end: number,
  shift: number,
  out: Uint8Array,
  at: number
): number {
  let from = start
  if (bytes[from] === minus) {
    out[at++] = minus
    from++
  }
  let pointAt = -1
  let stop = from
  for (; stop < end; stop++) {
    const byte = bytes[stop]!
    if (byte === point) pointAt = stop
    else if (byte > nine) break
  }
  const exponent = stop < end ? readExponent(bytes, stop + 1, end) : 0
  if (exponent > exponentMax || exponent < -exponentMax) return DecimalError.exponentTooLarge
  const integerDigits = (pointAt < 0 ? stop : pointAt) - from
  const digits = pointAt < 0 ? integerDigits : stop - from - 1
  // How many of the digits stand in front of the new point.
  const whole = integerDigits + exponent + shift

  // Nearly all that venues send is one of two kinds: no digit stands behind the new point (1.16539E8), or none before it.
  if (whole >= digits && bytes[from] !== zero) {
    at = copyDigits(bytes, from, stop, out, at)
    for (let count = digits; count < whole; count++) out[at++] = zero
    return at
  }
  if (whole <= 0) {
    out[at++] = zero
    out[at++] = point
    for (let count = whole; count < 0; count++) out[at++] = zero
    return copyDigits(bytes, from, stop, out, at)
  }
  let digit = 0
  while (digit < whole - 1 && (digit >= digits || bytes[digitAt(from, digit, integerDigits)] === zero))
    digit++
  for (; digit < whole; digit++) {
    out[at++] = digit < digits ? bytes[digitAt(from, digit, integerDigits)]! : zero
  }
  if (digit < digits) out[at++] = point
  for (; digit < digits; digit++) out[at++] = bytes[digitAt(from, digit, integerDigits)]!
  return at
}

/** All digits of a mantissa, its point left out. */
function copyDigits(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, at: number): number {
  let to = at
  for (let i = from; i < stop; i++) {
    const byte = bytes[i]!
    if (byte !== point) out[to++] = byte
  }
  return to
}

/** Where the n-th digit of a mantissa stands, its point skipped. */
function digitAt(from: number, digit: number, integerDigits: number): number {
  return digit < integerDigits ? from + digit : from + digit + 1
}

/** The exponent after the e; beyond the limit it need not be exact. */
function readExponent(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at]!
  if (sign < zero) at++
  let value = 0
  for (; at < end && value <= exponentMax; at++) value = value * 10 + (bytes[at]! - zero)
  return sign === minus ? -value : value
}
