import { asciiText } from '../../src/core/ascii-text.ts'

const zero = 0x30
const nine = 0x39
const dot = 0x2e
/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/**
 * The double nearest to a decimal text, which is the same for every spelling of one number ("0.10" and "0.1"). Without a
 * string for all but the longest: the quotient of two exact integers is rounded only once.
 */
export function numberOfText(bytes: Uint8Array, start: number, end: number): number {
  let mantissa = 0
  let decimals = -1
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte >= zero && byte <= nine) {
      mantissa = mantissa * 10 + (byte - zero)
      if (decimals >= 0) decimals++
    } else if (byte === dot && decimals < 0) decimals = 0
    else return Number(asciiText(bytes, start, end))
  }
  if (mantissa > Number.MAX_SAFE_INTEGER || decimals >= powers.length) {
    return Number(asciiText(bytes, start, end))
  }
  return decimals <= 0 ? mantissa : mantissa / powers[decimals]!
}

/** Whether a decimal text is zero, however it is spelled. */
export function isZeroText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte !== zero && byte !== dot) return false
  }
  return true
}
