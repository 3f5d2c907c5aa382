/**
 * Event times of the venues as whole microseconds since the epoch. A double holds them exactly until the year 2255;
 * what is finer is cut off. Whatever is no time gives NaN. Nothing here reads a clock.
 */
const microsPerSecond = 1_000_000

/**
 * The beginning of the epoch is no time of an event: venues write it, or the beginning of the year 1 (the zero time of Go),
 * where they have none. Both are read as this.
 */
export const noTime = 0
const yearOneMicros = -62_135_596_800 * microsPerSecond

const microsPerDay = 86_400 * microsPerSecond

const zero = 0x30
const minus = 0x2d

/**
 * A whole number of seconds, milliseconds, microseconds or nanoseconds, told apart by its magnitude: from 1973 to 2255
 * a time has at most 11 digits in seconds, 12 to 14 in milliseconds, 15 to 17 in microseconds and more in nanoseconds.
 * Venues change the unit of a field without notice (Upbit sends some book timestamps in microseconds), so the digits
 * are a better witness than the documentation.
 */
export function microsFromDigits(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start
  if (digits < 1 || digits > 20 || (digits > 1 && bytes[start] === zero)) return Number.NaN
  // Digits of nanoseconds below a microsecond are checked, but cannot be counted in: the value would not be exact.
  const counted = digits > 17 ? end - 3 : end
  const value = readDigits(bytes, start, counted)
  if (counted < end && readDigits(bytes, counted, end) < 0) return Number.NaN
  const micros = digits > 14 ? value : digits > 11 ? value * 1000 : value * microsPerSecond
  return value >= 0 && micros <= Number.MAX_SAFE_INTEGER ? micros : Number.NaN
}

/** Seconds with or without a fraction: `1534614057.321597`. */
export function microsFromSeconds(bytes: Uint8Array, start: number, end: number): number {
  let pointAt = start
  while (pointAt < end && bytes[pointAt] !== 0x2e) pointAt++
  const whole = pointAt - start
  if (whole < 1 || (whole > 1 && bytes[start] === zero)) return Number.NaN
  const seconds = readDigits(bytes, start, pointAt)
  const fraction = pointAt < end ? readFraction(bytes, pointAt + 1, end) : 0
  const micros = seconds * microsPerSecond + fraction
  return seconds >= 0 && fraction >= 0 && micros <= Number.MAX_SAFE_INTEGER ? micros : Number.NaN
}

// The date seen last and its midnight: nearly every frame is of the same day as the one before it.
let lastDate = -1
let lastMidnight = 0

/**
 * RFC 3339: `2021-04-17T16:43:37.336039Z`, a fraction of any length, `Z` or an offset such as `+09:00`; T and Z in
 * either case, or a space for the T. A leap second counts as the first second of the next day.
 */
export function microsFromRfc3339(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20) return Number.NaN
  const separators =
    bytes[start + 4] === minus &&
    bytes[start + 7] === minus &&
    ((bytes[start + 10]! | 0x20) === 0x74 || bytes[start + 10] === 0x20) &&
    bytes[start + 13] === 0x3a &&
    bytes[start + 16] === 0x3a
  if (!separators) return Number.NaN
  const midnight = microsOfDate(bytes, start)
  const hour = twoDigits(bytes, start + 11)
  const minute = twoDigits(bytes, start + 14)
  const second = twoDigits(bytes, start + 17)
  // The largest minute of a day and hour; a value that is no number is -1.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return Number.NaN
  const micros = midnight + ((hour * 60 + minute) * 60 + second) * microsPerSecond

  let at = start + 19
  let fraction = 0
  if (bytes[at] === 0x2e) {
    const from = ++at
    while (at < end && bytes[at]! >= zero && bytes[at]! <= 0x39) at++
    fraction = readFraction(bytes, from, at)
    if (fraction < 0) return Number.NaN
  }
  const isUtc = at === end - 1 && (bytes[at]! | 0x20) === 0x7a
  const sum = micros + fraction - (isUtc ? 0 : offsetMicros(bytes, at, end))
  if (sum === yearOneMicros) return noTime
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : Number.NaN
}

/** `+09:00`: how much later the clocks there are; NaN if it is no offset. */
function offsetMicros(bytes: Uint8Array, at: number, end: number): number {
  if (end - at !== 6 || bytes[at + 3] !== 0x3a) return Number.NaN
  const sign = bytes[at] === 0x2b ? 1 : bytes[at] === minus ? -1 : Number.NaN
  const hour = twoDigits(bytes, at + 1)
  const minute = twoDigits(bytes, at + 4)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return Number.NaN
  return sign * (hour * 60 + minute) * 60 * microsPerSecond
}

/** Midnight of the date `YYYY-MM-DD` at `start`, NaN if there is no such day. */
function microsOfDate(bytes: Uint8Array, start: number): number {
  const century = twoDigits(bytes, start)
  const yearOfCentury = twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1) return Number.NaN
  const year = century * 100 + yearOfCentury
  const date = (year * 16 + month) * 128 + day
  if (date === lastDate) return lastMidnight
  if (day > daysOfMonth(year, month)) return Number.NaN
  lastDate = date
  lastMidnight = daysFromEpoch(year, month, day) * microsPerDay
  return lastMidnight
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March and so end with the leap day. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  const daysFromYearZero = 719_468
  return marchYear * 365 + leapDays + dayOfYear - daysFromYearZero
}

/** The value, exact up to 2^53 and beyond it at least as large as that; -1 if one of the bytes is no digit. */
function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - zero
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Microseconds of the digits after a point, -1 if there is none or one of the bytes is no digit. */
function readFraction(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return -1
  let micros = 0
  let weight = microsPerSecond / 10
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - zero
    if (digit < 0 || digit > 9) return -1
    if (weight >= 1) micros += digit * weight
    weight /= 10
  }
  return micros
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - zero
  const ones = bytes[at + 1]! - zero
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones
}
