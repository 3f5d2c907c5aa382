/**
 * Zigzag varints as records use them. The common lengths are decided by comparisons; beyond 32 bits (a clock that
 * jumped by weeks inside one batch) division replaces the shifts.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#signed-ints
 */

/** Bytes that a safe integer takes. */
export function varintBytes(value: number): number {
  if (value >= -64 && value < 64) return 1
  if (value >= -8192 && value < 8192) return 2
  if (value >= -1048576 && value < 1048576) return 3
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value
  let bytes = 1
  while (zigzag >= 128) {
    zigzag = Math.floor(zigzag / 128)
    bytes++
  }
  return bytes
}

/** Writes it and returns the position behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -64 && value < 64) {
    bytes[at] = (value << 1) ^ (value >> 31)
    return at + 1
  }
  if (value < -0x40000000 || value >= 0x40000000) return writeLongVarint(bytes, at, value)
  let zigzag = (value << 1) ^ (value >> 31)
  while (zigzag > 127) {
    bytes[at++] = (zigzag & 127) | 128
    zigzag >>>= 7
  }
  bytes[at] = zigzag
  return at + 1
}

function writeLongVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value)
  while (zigzag > 127n) {
    bytes[at++] = Number(zigzag & 127n) | 128
    zigzag >>= 7n
  }
  bytes[at] = Number(zigzag)
  return at + 1
}

/** The varint at a position, for lengths and small deltas: up to 31 bits. */
export function readVarint(bytes: Uint8Array, at: number): number {
  let zigzag = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    zigzag |= (byte & 127) << shift
    if (byte < 128) return (zigzag >>> 1) ^ -(zigzag & 1)
  }
}

/** The position behind the varint at a position. */
export function skipVarint(bytes: Uint8Array, at: number): number {
  while (bytes[at]! > 127) at++
  return at + 1
}
