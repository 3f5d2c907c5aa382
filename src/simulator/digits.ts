/** Decimal digits straight into bytes: the simulators write numbers of fixed width into frames made once. */
const fourDigits = new Uint8Array(40_000)
for (let i = 0; i < 10_000; i++) {
  fourDigits[i * 4] = 0x30 + Math.floor(i / 1000)
  fourDigits[i * 4 + 1] = 0x30 + (Math.floor(i / 100) % 10)
  fourDigits[i * 4 + 2] = 0x30 + (Math.floor(i / 10) % 10)
  fourDigits[i * 4 + 3] = 0x30 + (i % 10)
}

/** Writes `value` (0 … 99,999,999) as eight digits. */
export function writeEight(bytes: Uint8Array, at: number, value: number): void {
  const high = (value / 10_000) | 0
  writeFour(bytes, at, high)
  writeFour(bytes, at + 4, value - high * 10_000)
}

/** Writes a non-negative safe integer, padded with zeros to `width` digits. */
export function writeDigits(bytes: Uint8Array, at: number, value: number, width: number): void {
  let left = value
  let end = at + width
  while (end - at >= 4) {
    const high = Math.floor(left / 10_000)
    end -= 4
    writeFour(bytes, end, left - high * 10_000)
    left = high
  }
  while (end > at) {
    const high = Math.floor(left / 10)
    bytes[--end] = 0x30 + left - high * 10
    left = high
  }
}

export function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}

function writeFour(bytes: Uint8Array, at: number, value: number): void {
  const from = value * 4
  bytes[at] = fourDigits[from]!
  bytes[at + 1] = fourDigits[from + 1]!
  bytes[at + 2] = fourDigits[from + 2]!
  bytes[at + 3] = fourDigits[from + 3]!
}
