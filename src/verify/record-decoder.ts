import avsc from 'avsc'
import { type OrderBook, orderBookSchema } from '../../schemas/generated/order-book.ts'
import { type Ticker, tickerSchema } from '../../schemas/generated/ticker.ts'
import { type Trade, tradeSchema } from '../../schemas/generated/trade.ts'
import { localTypes, type WriterTypes } from '../bus/writer-schemas.ts'
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

type Resolver = ReturnType<avsc.Type['createResolver']>

/** How the records of one channel are read, by the schema with which they were written. */
interface Reading {
  readonly type: avsc.Type
  /** By the writer's id; null: it wrote what we read. */
  readonly resolvers: Map<number, Resolver | null>
}

function readingOf(schema: string): Reading {
  return { type: avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema), resolvers: new Map() }
}

/**
 * Decodes records from their bytes with avsc, which shares no code with the writers that made them; values in JSON are
 * told by their first byte.
 */
export class RecordDecoder {
  readonly #readings: Readonly<Record<RequestType, Reading>> = {
    ticker: readingOf(tickerSchema),
    trade: readingOf(tradeSchema),
    orderbook: readingOf(orderBookSchema)
  }
  readonly #writers: WriterTypes

  /** @param writers who knows the schemas behind the ids; without a registry those of `schemas/ids.json` */
  constructor(writers: WriterTypes = localTypes) {
    this.#writers = writers
  }

  /** @throws IngestError FRAME_UNEXPECTED when the bytes are not exactly one record of the channel's schema */
  decode<Type extends RequestType>(
    requestType: Type,
    bytes: Buffer,
    start: number,
    end: number
  ): DataRecords[Type] {
    if (bytes[start] === 0x7b) return JSON.parse(bytes.toString('utf8', start, end)) as DataRecords[Type]
    const reading = this.#readings[requestType]
    if (end - start < headerBytes || bytes[start] !== 0) {
      throw new IngestError('FRAME_UNEXPECTED', 'the value has no Confluent header')
    }
    const resolver = this.#resolverOf(reading, bytes.readInt32BE(start + 1))
    const decoded: { value: DataRecords[Type]; offset: number } =
      resolver === null
        ? reading.type.decode(bytes, start + headerBytes)
        : reading.type.decode(bytes, start + headerBytes, resolver)
    if (decoded.offset !== end) {
      throw new IngestError(
        'FRAME_UNEXPECTED',
        `the value ends ${decoded.offset < 0 ? 'within the record' : `${end - decoded.offset} bytes after the record`}`
      )
    }
    return decoded.value
  }

  #resolverOf({ type, resolvers }: Reading, id: number): Resolver | null {
    const known = resolvers.get(id)
    if (known !== undefined) return known
    const writer = this.#writers.typeOf(id)
    if (writer === undefined) {
      throw new IngestError('FRAME_UNEXPECTED', `the value names schema ${id}, which nobody knows`)
    }
    const resolver = writer.fingerprint().equals(type.fingerprint()) ? null : resolve(type, writer, id)
    resolvers.set(id, resolver)
    return resolver
  }
}

function resolve(type: avsc.Type, writer: avsc.Type, id: number): Resolver {
  try {
    return type.createResolver(writer)
  } catch {
    const names = `${writer.name ?? writer.typeName} instead of ${type.name}`
    throw new IngestError('FRAME_UNEXPECTED', `the value names schema ${id}, which is ${names}`)
  }
}
