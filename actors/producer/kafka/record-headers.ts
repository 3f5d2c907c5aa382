import { varintBytes, writeVarint } from './varint.ts'

/** No headers: their count, 0. */
export const noHeaders = new Uint8Array(1)

const encoder = new TextEncoder()

/**
 * Record headers as they stand at the end of a record: their count, then name and value of each, all lengths as zigzag
 * varints, texts in UTF-8. Make them once where they repeat; a batch copies them as they are.
 *
 * @see https://kafka.apache.org/documentation/#recordheader
 */
export function encodeHeaders(pairs: readonly (readonly [string, string | Uint8Array])[]): Uint8Array {
  const parts = pairs.flatMap(([name, value]) => [
    encoder.encode(name),
    typeof value === 'string' ? encoder.encode(value) : value
  ])
  const size = parts.reduce(
    (sum, { length }) => sum + varintBytes(length) + length,
    varintBytes(pairs.length)
  )
  const bytes = new Uint8Array(size)
  let at = writeVarint(bytes, 0, pairs.length)
  for (const part of parts) {
    at = writeVarint(bytes, at, part.length)
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
