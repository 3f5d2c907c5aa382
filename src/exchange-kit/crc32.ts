/** Reversed polynomial of IEEE 802.3, as in zlib: bits go in from the low end. */
const polynomial = 0xedb88320

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial
  return value
})

/**
 * CRC-32 of ASCII text, as the signed integer whose bits it is. Of a character beyond ASCII only the low byte counts; books
 * are digits and points.
 */
export function crc32(text: string): number {
  let crc = -1
  for (let at = 0; at < text.length; at++) {
    crc = (crc >>> 8) ^ table[(crc ^ text.charCodeAt(at)) & 0xff]!
  }
  return ~crc
}
