/** CRC-32 as Ethernet has it, bit by bit over ASCII text: slow, and not the code that it is there to check. */
export function checksumOf(text: string): number {
  let register = 0xffffffff
  for (const char of text) {
    register ^= char.charCodeAt(0)
    for (let bit = 0; bit < 8; bit++) {
      const carries = (register & 1) === 1
      register >>>= 1
      if (carries) register ^= 0xedb88320
    }
  }
  return (register ^ 0xffffffff) >>> 0
}
