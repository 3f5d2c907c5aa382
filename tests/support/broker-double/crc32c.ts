/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ polynomial : rest >>> 1
  return rest >>> 0
})

/** The checksum of record batches, by its definition and on purpose not by the library that the producer uses. */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffff_ffff
  for (const byte of bytes) rest = table[(rest ^ byte) & 0xff]! ^ (rest >>> 8)
  return (rest ^ 0xffff_ffff) >>> 0
}
