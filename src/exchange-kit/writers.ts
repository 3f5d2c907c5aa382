import { writeLong } from './avro-bytes.ts'
import {
  checkDecimal,
  isZero,
  writeAbsoluteString,
  writeDecimalString,
  writePercentString
} from './decimal.ts'
import { TokenKind } from './tape.ts'
import { microsFromDigits, microsFromRfc3339, microsFromSeconds } from './time.ts'
import { type Workspace } from './workspace.ts'

/**
 * What the code of a compiled table calls: from a token on the tape to bytes behind `at`. Writers return the position
 * after what they wrote, or a negative number when the token is not what the rule wants.
 */
export { writeLong }

const stringKind = TokenKind.string
const numberKind = TokenKind.number
const invalid = -1
const zero = 0x30

/** Flags of `writeLevels`. */
export const levelsReversed = 1
export const levelsAbsolute = 2

const trueText = Uint8Array.from([8, 0x74, 0x72, 0x75, 0x65])
const falseText = Uint8Array.from([10, 0x66, 0x61, 0x6c, 0x73, 0x65])

/**
 * An Avro string of bytes of the frame. Copied as 32-bit words, which takes less than half the time of bytes; up to three
 * bytes behind the text are overwritten by what comes next.
 */
function copyString(workspace: Workspace, start: number, end: number, at: number): number {
  const { source, target } = workspace
  const length = end - start
  let to = at
  if (length < 64) workspace.out[to++] = length << 1
  else to = writeLong(length, workspace.out, to)
  for (let i = 0; i < length; i += 4) target.setInt32(to + i, source.getInt32(start + i, true), true)
  return to + length
}

/** Ids and sequences: a text, or a whole number as its digits. */
export function writeText(workspace: Workspace, token: number, at: number): number {
  const kind = workspace.tape[token]!
  if (kind !== numberKind && kind !== stringKind) return invalid
  return copyString(workspace, workspace.tape[token + 1]!, workspace.tape[token + 2]!, at)
}

/** A scalar as the venue wrote it. */
export function writeRaw(workspace: Workspace, token: number, at: number): number {
  const kind = workspace.tape[token]!
  if (kind === TokenKind.true || kind === TokenKind.false) {
    const text = kind === TokenKind.true ? trueText : falseText
    workspace.out.set(text, at)
    return at + text.length
  }
  return copyString(workspace, workspace.tape[token + 1]!, workspace.tape[token + 2]!, at)
}

export function plainDecimal(workspace: Workspace, token: number, at: number): number {
  const { tape, bytes } = workspace
  const kind = tape[token]!
  const start = tape[token + 1]!
  const end = tape[token + 2]!
  // The tokenizer has checked plain numbers; a decimal in a string is checked here.
  if (kind === numberKind || (kind === stringKind && checkDecimal(bytes, start, end) === numberKind)) {
    return copyString(workspace, start, end, at)
  }
  return writeDecimalString(kind, bytes, start, end, workspace.out, at)
}

export function percentDecimal(workspace: Workspace, token: number, at: number): number {
  const { tape, bytes, out } = workspace
  return writePercentString(tape[token]!, bytes, tape[token + 1]!, tape[token + 2]!, out, at)
}

export function absoluteDecimal(workspace: Workspace, token: number, at: number): number {
  const { tape, bytes, out } = workspace
  return writeAbsoluteString(tape[token]!, bytes, tape[token + 1]!, tape[token + 2]!, out, at)
}

/** @param pairs tape indices of price and size; a size at 0 (where only the root can stand) is written as `0` */
export function writeLevels(
  workspace: Workspace,
  pairs: Int32Array,
  count: number,
  flags: number,
  at: number
): number {
  const { out } = workspace
  if (count === 0) {
    out[at] = 0
    return at + 1
  }
  let to = writeLong(count, out, at)
  const isReversed = (flags & levelsReversed) !== 0
  const isAbsolute = (flags & levelsAbsolute) !== 0
  for (let i = 0; i < count; i++) {
    const pair = isReversed ? count - 1 - i : i
    to = plainDecimal(workspace, pairs[pair * 2]!, to)
    if (to < 0) return to
    const size = pairs[pair * 2 + 1]!
    if (size === 0) {
      out[to] = 2
      out[to + 1] = zero
      to += 2
    } else {
      to = isAbsolute ? absoluteDecimal(workspace, size, to) : plainDecimal(workspace, size, to)
      if (to < 0) return to
    }
  }
  out[to] = 0
  return to + 1
}

/** Whether a token is a decimal that is zero; whatever is no decimal is not, and fails when it is written. */
export function isZeroToken(workspace: Workspace, token: number): boolean {
  const { tape, bytes } = workspace
  const start = tape[token + 1]!
  const first = bytes[start]!
  // Nearly all sizes begin with another digit, or have one soon behind the point.
  if (first > zero || tape[token]! > TokenKind.exponent) return false
  const end = tape[token + 2]!
  return isZero(bytes, start, end) && (tape[token] !== stringKind || checkDecimal(bytes, start, end) > 0)
}

export function isScalar(tape: Int32Array, token: number): boolean {
  return token !== 0 && tape[token]! >= stringKind && tape[token]! < TokenKind.null
}

/** Microseconds since the epoch, NaN when the token is no time. */
export function instantOf(workspace: Workspace, token: number): number {
  const { tape, bytes } = workspace
  const kind = tape[token]!
  if (kind !== numberKind && kind !== stringKind) return Number.NaN
  return microsFromDigits(bytes, tape[token + 1]!, tape[token + 2]!)
}

export function rfc3339Of(workspace: Workspace, token: number): number {
  const { tape, bytes } = workspace
  return tape[token] === stringKind
    ? microsFromRfc3339(bytes, tape[token + 1]!, tape[token + 2]!)
    : Number.NaN
}

export function secondsOf(workspace: Workspace, token: number): number {
  const { tape, bytes } = workspace
  const kind = tape[token]!
  if (kind !== numberKind && kind !== stringKind) return Number.NaN
  return microsFromSeconds(bytes, tape[token + 1]!, tape[token + 2]!)
}

/** A whole number of at most fifteen digits, NaN when it is none. */
export function integerOf(workspace: Workspace, token: number): number {
  const { tape, bytes } = workspace
  const kind = tape[token]!
  if (kind !== numberKind && kind !== stringKind) return Number.NaN
  let at = tape[token + 1]!
  const end = tape[token + 2]!
  const isNegative = bytes[at] === 0x2d
  if (isNegative) at++
  if (at >= end || end - at > 15) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - zero
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return isNegative ? -value : value
}

/** 32 bits made of a number or text (FNV-1a), NaN for anything else. */
export function fingerprintOf(workspace: Workspace, token: number): number {
  const { tape, bytes } = workspace
  const kind = tape[token]!
  if (kind < stringKind || kind > TokenKind.exponent) return Number.NaN
  let hash = 0x811c9dc5
  for (let at = tape[token + 1]!; at < tape[token + 2]!; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash >>> 0
}

/** The subscription index of a native symbol; the connection's guess is compared first. */
export function findSymbol(workspace: Workspace, start: number, end: number): number {
  const { context, bytes } = workspace
  const found = context.symbols.find(bytes, start, end, workspace.guess)
  return found >= 0 ? found : context.unknownSymbol(bytes, start, end)
}

/** Of the n-th part of a text such as `market.btcusdt.ticker`. */
export function findSymbolPart(
  workspace: Workspace,
  start: number,
  end: number,
  separator: number,
  index: number
): number {
  const { bytes } = workspace
  let from = start
  let part = 0
  for (let at = start; at <= end; at++) {
    if (at < end && bytes[at] !== separator) continue
    if (part === index) return findSymbol(workspace, from, at)
    part++
    from = at + 1
  }
  return -1
}

const pairMax = 64
const pairBytes = new Uint8Array(pairMax)

/** Of two texts that make the symbol together, with a separator byte between them (-1: none). */
export function findSymbolPair(
  workspace: Workspace,
  start: number,
  end: number,
  separator: number,
  secondStart: number,
  secondEnd: number
): number {
  const { bytes, context } = workspace
  if (end - start + secondEnd - secondStart >= pairMax) return -1
  let at = 0
  for (let i = start; i < end; i++) pairBytes[at++] = bytes[i]!
  if (separator >= 0) pairBytes[at++] = separator
  for (let i = secondStart; i < secondEnd; i++) pairBytes[at++] = bytes[i]!
  const found = context.symbols.find(pairBytes, 0, at, workspace.guess)
  return found >= 0 ? found : context.unknownSymbol(pairBytes, 0, at)
}

export function findChannel(workspace: Workspace, start: number, end: number): number {
  return workspace.context.channels.find(workspace.bytes, start, end, -1)
}
