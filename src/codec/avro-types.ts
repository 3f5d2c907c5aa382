import avsc from 'avsc'
import { type OrderBook, orderBookSchema } from '../../schemas/generated/order-book.ts'
import { type Ticker, tickerSchema } from '../../schemas/generated/ticker.ts'
import { type Trade, tradeSchema } from '../../schemas/generated/trade.ts'
import { type RequestType } from '../domain/target.ts'

export type DataRecord = Ticker | Trade | OrderBook

/** Bytes in front of an Avro value: 0x00 and the schema id. */
export const confluentHeaderBytes = 5

const typeOf = (schema: string): avsc.Type => avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)

/** avsc's types of the data records: the oracle of the hot path's writers, and the decoder of everything off it. */
export const recordTypes: Readonly<Record<RequestType, avsc.Type>> = {
  ticker: typeOf(tickerSchema),
  trade: typeOf(tradeSchema),
  orderbook: typeOf(orderBookSchema)
}

/** Decodes the value of a data record, Confluent header included. */
export function decodeRecord(requestType: RequestType, value: Uint8Array): DataRecord {
  const body = Buffer.from(
    value.buffer,
    value.byteOffset + confluentHeaderBytes,
    value.length - confluentHeaderBytes
  )
  return recordTypes[requestType].fromBuffer(body) as DataRecord
}

/** An Avro value as it travels: 0x00, the schema id, the Avro bytes. */
export function withHeader(schemaId: number, body: Uint8Array): Buffer {
  const value = Buffer.alloc(confluentHeaderBytes + body.length)
  value.writeInt32BE(schemaId, 1)
  value.set(body, confluentHeaderBytes)
  return value
}
