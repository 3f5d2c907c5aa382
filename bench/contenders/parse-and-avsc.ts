import ids from '../../schemas/ids.json' with { type: 'json' }
import { confluentHeaderBytes, recordTypes } from '../../src/codec/avro-types.ts'
import { normalise } from './normalise.ts'

const schemaIds = { ticker: ids.Ticker, trade: ids.Trade, orderbook: ids.OrderBook }
const output = Buffer.alloc(64 * 1024)

/**
 * What the codec is measured against. Encoding into a buffer that is used again is the fastest way that avsc offers;
 * the record then gets bytes of its own, as a producer needs them.
 */
export function parseAndEncode(frame: Buffer, receivedMicros: number, frameSeq: number): Buffer | null {
  const normalised = normalise(frame.toString(), receivedMicros, frameSeq)
  if (normalised === null) return null
  const { type, record } = normalised
  output.writeInt32BE(schemaIds[type], 1)
  const end = recordTypes[type].encode(record, output, confluentHeaderBytes)
  return Buffer.from(output.subarray(0, end))
}
