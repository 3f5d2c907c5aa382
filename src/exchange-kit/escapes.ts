const space = 0x20
const quote = 0x22
const zero = 0x30
const nine = 0x39
const backslash = 0x5c

// Further results of decodeString: a returned object would be an allocation for each string with an escape.
export let decodedEnd = 0
export let decodedHighBits = 0

/**
 * Decodes a string whose first escape is at `escape` into `bytes[tail…]`. Returns the position of the closing quote
 * and leaves the end of the decoded text in `decodedEnd`; -1 if the string is malformed. Half a surrogate pair has no
 * UTF-8 form and is refused, unlike JSON.parse.
 */
export function decodeString(
  bytes: Uint8Array,
  from: number,
  escape: number,
  end: number,
  tail: number
): number {
  bytes.copyWithin(tail, from, escape)
  let out = tail + (escape - from)
  let at = escape
  let highBits = 0
  while (at < end) {
    const byte = bytes[at++]!
    if (byte === quote) {
      decodedEnd = out
      decodedHighBits = highBits
      return at - 1
    }
    if (byte < space) return -1
    if (byte !== backslash) {
      highBits |= byte
      bytes[out++] = byte
      continue
    }
    if (at >= end) return -1
    const escaped = bytes[at++]!
    if (escaped !== 0x75) {
      const plain = escaped < 0x80 ? shortEscapes[escaped]! : 0
      if (plain === 0) return -1
      bytes[out++] = plain
      continue
    }
    let point = hexQuad(bytes, at, end)
    if (point < 0) return -1
    at += 4
    if (point >= 0xd800 && point <= 0xdfff) {
      if (point >= 0xdc00 || at + 2 > end || bytes[at] !== backslash || bytes[at + 1] !== 0x75) return -1
      const low = hexQuad(bytes, at + 2, end)
      if (low < 0xdc00 || low > 0xdfff) return -1
      at += 6
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)
    }
    out = writeCodePoint(bytes, out, point)
  }
  return -1
}

/** The byte that stands for `\x`, by the code of x; 0 where there is no such escape. */
const shortEscapes = new Uint8Array(128)
for (const [name, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  shortEscapes[name!.charCodeAt(0)] = meaning!.charCodeAt(0)
}

function hexQuad(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1
  let value = 0
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + index]!
    const letter = byte | 0x20
    if (byte >= zero && byte <= nine) value = (value << 4) | (byte - zero)
    else if (letter >= 0x61 && letter <= 0x66) value = (value << 4) | (letter - 0x57)
    else return -1
  }
  return value
}

function writeCodePoint(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at++] = point
    return at
  }
  if (point < 0x800) {
    bytes[at++] = 0xc0 | (point >> 6)
  } else {
    if (point < 0x10000) {
      bytes[at++] = 0xe0 | (point >> 12)
    } else {
      bytes[at++] = 0xf0 | (point >> 18)
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
    }
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
  }
  bytes[at++] = 0x80 | (point & 0x3f)
  return at
}
