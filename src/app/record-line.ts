import { localTypes, type WriterTypes } from '../bus/writer-schemas.ts'

/** A record as it lies in a topic. */
export interface StoredRecord {
  readonly topic: string
  readonly partition: number
  /** Decimal text: Kafka's offsets have 64 bits. */
  readonly offset: string
  readonly key: string | null
  readonly timestampMs: number
  readonly value: Uint8Array | null
}

const confluentHeaderBytes = 5

/**
 * One record as one line of JSON, decoded by the schema that wrote it: what `tail` prints.
 * @param writers who knows the schema behind the id in the value
 */
export function recordLine(record: StoredRecord, writers: WriterTypes = localTypes): string {
  const { topic, partition, offset, key, timestampMs, value } = record
  const head = JSON.stringify({ topic, partition, offset, key, ts: timestampMs })
  return `${head.slice(0, -1)},"value":${valueText(value, writers)}}`
}

function valueText(value: Uint8Array | null, writers: WriterTypes): string {
  if (value === null) return 'null'
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const text = bytes[0] === 0 ? avroText(bytes, writers) : jsonText(bytes)
  return text ?? JSON.stringify({ undecodable_base64: bytes.toString('base64') })
}

function avroText(bytes: Buffer, writers: WriterTypes): string | null {
  if (bytes.length < confluentHeaderBytes) return null
  const type = writers.typeOf(bytes.readInt32BE(1))
  if (type === undefined) return null
  try {
    return JSON.stringify(type.fromBuffer(bytes.subarray(confluentHeaderBytes)))
  } catch {
    return null
  }
}

/** The very text, since parsing would alter long numbers; parsed only to know that it is JSON on one line. */
function jsonText(bytes: Buffer): string | null {
  const text = bytes.toString('utf8')
  try {
    const parsed: unknown = JSON.parse(text)
    return text.includes('\n') ? JSON.stringify(parsed) : text
  } catch {
    return null
  }
}
