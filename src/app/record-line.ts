import avsc from 'avsc'
import { connectSuccessSchema } from '../../schemas/generated/connect-success.ts'
import { orderBookSchema } from '../../schemas/generated/order-book.ts'
import { tickerSchema } from '../../schemas/generated/ticker.ts'
import { tradeSchema } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }

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

const typesById: ReadonlyMap<number, avsc.Type> = new Map(
  [
    [ids.Ticker, tickerSchema] as const,
    [ids.Trade, tradeSchema] as const,
    [ids.OrderBook, orderBookSchema] as const,
    [ids.ConnectSuccess, connectSuccessSchema] as const
  ].map(([id, text]) => [id, avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)])
)

const confluentHeaderBytes = 5

/** One record as one line of JSON, decoded by the schema id in its bytes: what `tail` prints. */
export function recordLine({ topic, partition, offset, key, timestampMs, value }: StoredRecord): string {
  const head = JSON.stringify({ topic, partition, offset, key, ts: timestampMs })
  return `${head.slice(0, -1)},"value":${valueText(value)}}`
}

function valueText(value: Uint8Array | null): string {
  if (value === null) return 'null'
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const text = bytes[0] === 0 ? avroText(bytes) : jsonText(bytes)
  return text ?? JSON.stringify({ undecodable_base64: bytes.toString('base64') })
}

function avroText(bytes: Buffer): string | null {
  if (bytes.length < confluentHeaderBytes) return null
  const type = typesById.get(bytes.readInt32BE(1))
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
