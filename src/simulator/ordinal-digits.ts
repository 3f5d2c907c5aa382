/**
 * How an ordinal hides in the eight decimals of a size or a volume, so that a delivered record names its event without
 * any map. Volumes carry it plainly (they grow, as a real one does); sizes carry it scattered over the eight digits.
 */
export const ordinalModulus = 100_000_000
const factor = 38_196_601
const offset = 27_182_818
const factorInverse = inverseOf(factor)

/** The eight decimals (0 … 99,999,999) that stand for an ordinal in a size. */
export function scatterOrdinal(ordinal: number): number {
  // Ordinal < 1e8 and factor < 9e7: the product stays below 2^53.
  return ((ordinal % ordinalModulus) * factor + offset) % ordinalModulus
}

export function gatherOrdinal(decimals: number): number {
  const shifted = (decimals - offset + ordinalModulus) % ordinalModulus
  const high = Math.floor(shifted / 10_000)
  const low = shifted % 10_000
  return (
    (((((high * factorInverse) % ordinalModulus) * 10_000) % ordinalModulus) + low * factorInverse) %
    ordinalModulus
  )
}

/** The first eight decimals of a decimal text, zeros where it has fewer; -1 when it has more or is no decimal. */
export function eightDecimals(text: string): number {
  const point = text.indexOf('.')
  const decimals = point < 0 ? 0 : text.length - point - 1
  if (decimals > 8 || text === '' || point === 0) return -1
  let value = 0
  for (let i = 0; i < 8; i++) {
    const digit = i < decimals ? text.charCodeAt(point + 1 + i) - 0x30 : 0
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function inverseOf(value: number): number {
  const modulus = BigInt(ordinalModulus)
  let [r0, r1] = [modulus, BigInt(value)]
  let [s0, s1] = [0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[s0, s1] = [s1, s0 - quotient * s1]
  }
  return Number(((s0 % modulus) + modulus) % modulus)
}
