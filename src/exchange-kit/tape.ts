import { isUtf8 } from 'node:buffer'
import { decodedEnd, decodedHighBits, decodeString } from './escapes.ts'

/**
 * The JSON tape: what a frame consists of, as integers, three for each token: `[kind, start, end]`.
 *
 * - `key`, `string`: range of the content without its quotes. A content with escapes is decoded into the tail area of
 *   the same array and the token points there, so that no reader ever sees an escape.
 * - `number`, `exponent` (a number with e or E), `true`, `false`, `null`: range of the text.
 * - `object`, `array`: `start` is the byte of the bracket, `end` the tape index just past the last descendant, so that
 *   a whole value is skipped in one step. In an object keys alternate with values.
 *
 * The root is at tape[0]. Duplicate keys are all kept; which of them wins is the reader's rule.
 */
export const TokenKind = {
  object: 0,
  array: 1,
  key: 2,
  string: 3,
  number: 4,
  exponent: 5,
  true: 6,
  false: 7,
  null: 8
} as const
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind]

/** Integers of one token on the tape. */
export const tokenInts = 3

/** Containers within containers; deeper frames are refused before they cost anything. */
export const depthMax = 64

/** What `tokenize` returns instead of a length. All are negative. */
export const TapeError = {
  malformed: -1,
  invalidUtf8: -2,
  tooDeep: -3,
  /** The tape or the tail area is smaller than the frame may need: a fault of the caller, not of the frame. */
  noRoom: -4
} as const

/** Length of a tape that is enough for any frame of so many bytes. */
export function tapeIntsMax(frameBytes: number): number {
  // A value is followed by a comma or a bracket, so that only containers still open have no second byte.
  return tokenInts * Math.min(frameBytes, (frameBytes >> 1) + (depthMax >> 1) + 1)
}

export function describeTapeError(code: number): string {
  if (code === TapeError.malformed) return 'not valid JSON'
  if (code === TapeError.invalidUtf8) return 'not valid UTF-8'
  if (code === TapeError.tooDeep) return `nested deeper than ${depthMax} levels`
  return "larger than the tokenizer's workspace"
}

/** Tape index of the token after the whole value at `index`. */
export function afterToken(tape: Int32Array, index: number): number {
  return tape[index]! <= arrayKind ? tape[index + 2]! : index + tokenInts
}

// Plain constants: the loop below must not look properties up.
const objectKind = TokenKind.object
const arrayKind = TokenKind.array
const keyKind = TokenKind.key
const stringKind = TokenKind.string
const numberKind = TokenKind.number
const exponentKind = TokenKind.exponent

const space = 0x20
const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** 1 for a byte that means nothing special inside a string: ASCII but for quotes, backslashes and controls. */
const plainBytes = new Uint8Array(256).fill(1, space, 0x80)
plainBytes[quote] = 0
plainBytes[backslash] = 0

function isPlain(byte: number): boolean {
  return plainBytes[byte] === 1
}

/** Tape indices of the containers that are open, outermost first. */
const openContainers = new Int32Array(depthMax)

/**
 * Checks the frame `bytes[start, end)` against the whole grammar of JSON and writes its tape. Returns the length of the
 * tape in integers, or a TapeError. Decoded escapes go to `bytes[tail…]`, never more than the frame is long.
 * One pass, no recursion, no allocation, no exception, save for the UTF-8 check of a frame that is not pure ASCII.
 */
export function tokenize(
  bytes: Uint8Array,
  start: number,
  end: number,
  tail: number,
  tape: Int32Array
): number {
  if (tape.length < tapeIntsMax(end - start)) return TapeError.noRoom
  let at = start
  let used = 0
  let depth = 0
  let inObject = false
  let wantsKey = false
  let highBits = 0

  for (;;) {
    // One turn reads one key or one value, and all that follows it up to the next one.
    if (at >= end || bytes[at]! <= space) {
      at = afterSpace(bytes, at, end)
      if (at >= end) return TapeError.malformed
    }
    let byte = bytes[at]!

    if (byte === quote) {
      const from = ++at
      for (;;) {
        // Four bytes a turn while all are plain: contents are most of a frame, and this is a sixth less of the whole.
        if (at + 4 <= end) {
          if (!isPlain(bytes[at]!)) {
            // Looked at below.
          } else if (!isPlain(bytes[at + 1]!)) at += 1
          else if (!isPlain(bytes[at + 2]!)) at += 2
          else if (!isPlain(bytes[at + 3]!)) at += 3
          else {
            at += 4
            continue
          }
        } else if (at >= end) break
        byte = bytes[at]!
        if (byte === quote || byte === backslash || byte < space) break
        highBits |= byte
        at++
      }
      if (at >= end || byte < space) return TapeError.malformed
      tape[used] = wantsKey ? keyKind : stringKind
      if (byte === quote) {
        tape[used + 1] = from
        tape[used + 2] = at
      } else {
        if (tail + (end - from) > bytes.length) return TapeError.noRoom
        at = decodeString(bytes, from, at, end, tail)
        if (at < 0) return TapeError.malformed
        highBits |= decodedHighBits
        tape[used + 1] = tail
        tape[used + 2] = decodedEnd
        tail = decodedEnd
      }
      used += tokenInts
      at++
      if (wantsKey) {
        if (at >= end || bytes[at] !== colon) {
          at = afterSpace(bytes, at, end)
          if (at >= end || bytes[at] !== colon) return TapeError.malformed
        }
        at++
        wantsKey = false
        continue
      }
    } else if (wantsKey) {
      return TapeError.malformed
    } else if (byte === minus || (byte >= zero && byte <= nine)) {
      tape[used + 1] = at
      const after = afterNumber(bytes, at, end)
      if (after > 0) {
        tape[used] = numberKind
        at = after
      } else {
        if (after === 0) return TapeError.malformed
        tape[used] = exponentKind
        at = -after
      }
      tape[used + 2] = at
      used += tokenInts
    } else if (byte === openBrace || byte === openBracket) {
      if (depth === depthMax) return TapeError.tooDeep
      inObject = byte === openBrace
      tape[used] = inObject ? objectKind : arrayKind
      tape[used + 1] = at++
      openContainers[depth++] = used
      used += tokenInts
      if (at >= end || bytes[at]! <= space) {
        at = afterSpace(bytes, at, end)
        if (at >= end) return TapeError.malformed
      }
      // Anything but an empty container goes on with its first key or value; the empty one is closed below.
      if (bytes[at] !== (inObject ? closeBrace : closeBracket)) {
        wantsKey = inObject
        continue
      }
    } else {
      const length = literalLength(bytes, at, end)
      if (length === 0) return TapeError.malformed
      tape[used] = byte === 0x74 ? TokenKind.true : byte === 0x66 ? TokenKind.false : TokenKind.null
      tape[used + 1] = at
      at += length
      tape[used + 2] = at
      used += tokenInts
    }

    // A value is complete: close what ends here, then find the comma before the next one, or the end of the frame.
    for (;;) {
      if (at >= end || bytes[at]! <= space) at = afterSpace(bytes, at, end)
      if (depth === 0) {
        if (at < end) return TapeError.malformed
        if (highBits >= 0x80 && !isUtf8(bytes.subarray(start, end))) return TapeError.invalidUtf8
        return used
      }
      if (at >= end) return TapeError.malformed
      byte = bytes[at++]!
      if (byte === comma) {
        wantsKey = inObject
        break
      }
      if (byte !== (inObject ? closeBrace : closeBracket)) return TapeError.malformed
      tape[openContainers[--depth]! + 2] = used
      inObject = depth > 0 && tape[openContainers[depth - 1]!] === objectKind
    }
  }
}

function afterSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!
    if (byte !== space && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    at++
  }
  return at
}

/** Where the number ends; the same negated if it has an exponent; 0 if it is not a number. */
function afterNumber(bytes: Uint8Array, at: number, end: number): number {
  let byte = bytes[at]!
  if (byte === minus) {
    if (++at >= end) return 0
    byte = bytes[at]!
  }
  if (byte === zero) {
    at++
  } else {
    const from = at
    at = afterDigits(bytes, at, end)
    if (at === from) return 0
  }
  if (at >= end) return at
  byte = bytes[at]!
  if (byte === point) {
    const from = ++at
    at = afterDigits(bytes, at, end)
    if (at === from) return 0
    if (at >= end) return at
    byte = bytes[at]!
  }
  if ((byte | 0x20) !== 0x65) return at
  if (++at >= end) return 0
  byte = bytes[at]!
  if (byte === minus || byte === 0x2b) at++
  const from = at
  at = afterDigits(bytes, at, end)
  return at === from ? 0 : -at
}

function afterDigits(bytes: Uint8Array, at: number, end: number): number {
  // A byte below the digits wraps round to a large number.
  while (at < end && (bytes[at]! - zero) >>> 0 <= 9) at++
  return at
}

const literals = ['true', 'false', 'null'].map(word => Uint8Array.from(word, letter => letter.charCodeAt(0)))

function literalLength(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]
  const word = byte === 0x74 ? literals[0]! : byte === 0x66 ? literals[1]! : literals[2]!
  const length = word.length
  if (at + length > end) return 0
  for (let index = 0; index < length; index++) if (bytes[at + index] !== word[index]) return 0
  return length
}
