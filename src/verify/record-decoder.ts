import avsc from 'avsc'
import { type OrderBook, orderBookSchema } from '../../schemas/generated/order-book.ts'
import { type Ticker, tickerSchema } from '../../schemas/generated/ticker.ts'
import { type Trade, tradeSchema } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }
import { IngestError } from '../core/errors.ts'
import { type RequestType } from '../domain/target.ts'

/** Confluent's header: a zero byte and the schema's id as a big-endian integer. */
const headerBytes = 5

/** The records of each channel, decoded. */
export interface DataRecords {
  readonly ticker: Ticker
  readonly trade: Trade
  readonly orderbook: OrderBook
}
export type DataRecord = DataRecords[RequestType]

interface Reading {
  readonly id: number
  readonly type: avsc.Type
}

function readingOf(schema: string, id: number): Reading {
  return { id, type: avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema) }
}

/**
 * Decodes records from their bytes with avsc, which shares no code with the writers that made them; values in JSON are
 * told by their first byte.
 */
export class RecordDecoder {
  readonly #readings: Readonly<Record<RequestType, Reading>> = {
    ticker: readingOf(tickerSchema, ids.Ticker),
    trade: readingOf(tradeSchema, ids.Trade),
    orderbook: readingOf(orderBookSchema, ids.OrderBook)
  }

  /** @throws IngestError FRAME_UNEXPECTED when the bytes are not exactly one record of the channel's schema */
  decode<Type extends RequestType>(
    requestType: Type,
    bytes: Buffer,
    start: number,
    end: number
  ): DataRecords[Type] {
    if (bytes[start] === 0x7b) return JSON.parse(bytes.toString('utf8', start, end)) as DataRecords[Type]
    const { id, type } = this.#readings[requestType]
    if (end - start < headerBytes || bytes[start] !== 0) {
      throw new IngestError('FRAME_UNEXPECTED', 'the value has no Confluent header')
    }
    const found = bytes.readInt32BE(start + 1)
    if (found !== id) {
      throw new IngestError('FRAME_UNEXPECTED', `the value names schema ${found} instead of ${id}`)
    }
    const decoded: { value: DataRecords[Type]; offset: number } = type.decode(bytes, start + headerBytes)
    if (decoded.offset !== end) {
      throw new IngestError(
        'FRAME_UNEXPECTED',
        `the value ends ${decoded.offset < 0 ? 'within the record' : `${end - decoded.offset} bytes after the record`}`
      )
    }
    return decoded.value
  }
}
