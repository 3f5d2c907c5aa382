import ids from '../../schemas/ids.json' with { type: 'json' }
import { type CodecContext } from '../../src/codec/context.ts'
import { type ExchangeName, exchangeRegions, type RequestType } from '../../src/domain/target.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'

const encodings: Readonly<Record<RequestType, number>> = {
  ticker: ids.Ticker,
  trade: ids.Trade,
  orderbook: ids.OrderBook
}

/** The transcoder's surroundings for one connection of the bench. */
export function contextOf(
  exchange: ExchangeName,
  request_type: RequestType,
  natives: readonly string[],
  connection: number
): CodecContext {
  const { instruments } = adapterOf(exchange)
  return {
    connection: {
      connection,
      version: 0,
      connectionId: 'bench/0',
      target: { exchange, region: exchangeRegions[exchange], request_type },
      shard: 0,
      targetIndex: 0,
      instruments: natives.map(native => ({ native, symbol: instruments.canonicalOf(native) ?? native })),
      projection: [],
      channelIds: {}
    },
    encoding: { format: 'avro', schemaId: encodings[request_type] }
  }
}
