/** Bytes of the Confluent header in front of the Avro value. */
const headerBytes = 5
const openingBrace = 0x7b
const comma = 0x2c
const lastOfHead = new TextEncoder().encode('"stream_type":')

/** Whether a value is JSON (`serialization.data: json`); the Confluent header of the others begins with 0. */
export function isJsonValue(bytes: Uint8Array, valueStart: number): boolean {
  return bytes[valueStart] === openingBrace
}

/**
 * Where the part of an encoded data record begins that says something of the market: behind exchange, region, symbol,
 * native_symbol, exchange_ts, received_ts, connection_id, frame_seq, frame_index and stream_type, the head that all data
 * schemas share. Two records with equal bytes from there on and equal event times are the same event.
 */
export function contentStart(bytes: Uint8Array, valueStart: number, valueEnd: number): number {
  if (isJsonValue(bytes, valueStart)) return jsonContentStart(bytes, valueStart, valueEnd)
  let at = valueStart + headerBytes
  for (let strings = 0; strings < 4; strings++) at = skipString(bytes, at)
  // exchange_ts is a union: branch 0 is null, branch 1 a long.
  at = bytes[at] === 0 ? at + 1 : skipVarint(bytes, at + 1)
  at = skipVarint(bytes, at)
  at = skipString(bytes, at)
  at = skipVarint(bytes, at)
  at = skipVarint(bytes, at)
  return skipVarint(bytes, at)
}

/** The same place in a JSON value, whose members have the order of the schema. */
function jsonContentStart(bytes: Uint8Array, valueStart: number, valueEnd: number): number {
  let matched = 0
  for (let at = valueStart; at < valueEnd; at++) {
    if (matched === lastOfHead.length) {
      if (bytes[at] === comma) return at + 1
    } else if (bytes[at] === lastOfHead[matched]) matched++
    else matched = bytes[at] === lastOfHead[0] ? 1 : 0
  }
  return valueStart
}

function skipVarint(bytes: Uint8Array, at: number): number {
  let next = at
  while (bytes[next]! >= 0x80) next++
  return next + 1
}

function skipString(bytes: Uint8Array, at: number): number {
  let length = 0
  let shift = 0
  let next = at
  for (;;) {
    const byte = bytes[next++]!
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) break
    shift += 7
  }
  return next + (length >>> 1)
}
