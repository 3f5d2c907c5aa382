import { readVarint, skipVarint } from './varint.ts'

/** Where the parts of one record stand in a batch's records. */
export interface RecordSpan {
  readonly start: number
  /** The key with the varint of its length. */
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** The headers with their count; the record ends with them. */
  readonly headersStart: number
  readonly end: number
}

/**
 * The records of a batch, uncompressed and without the batch's header, as `Batch` writes them: with key and value.
 *
 * @see https://kafka.apache.org/documentation/#record
 */
export function recordSpans(records: Uint8Array, count: number): RecordSpan[] {
  const spans: RecordSpan[] = []
  let at = 0
  for (let row = 0; row < count; row++) {
    const start = at
    const body = skipVarint(records, at)
    const end = body + readVarint(records, at)
    // Attributes, then the deltas of time and offset.
    const keyStart = skipVarint(records, skipVarint(records, body + 1))
    const keyEnd = skipVarint(records, keyStart) + readVarint(records, keyStart)
    const valueStart = skipVarint(records, keyEnd)
    const valueEnd = valueStart + readVarint(records, keyEnd)
    spans.push({ start, keyStart, keyEnd, valueStart, valueEnd, headersStart: valueEnd, end })
    at = end
  }
  return spans
}
