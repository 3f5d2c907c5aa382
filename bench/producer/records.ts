import { readFileSync, writeFileSync } from 'node:fs'
import { type Trade } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }
import { recordTypes, withHeader } from '../../src/codec/avro-types.ts'

/**
 * The records every producer of the bench sends: trades in Avro of one size, and keys of one size. A prime number of
 * values, so that each partition meets all of them and no batch holds one twice: repeats would flatter compression.
 */
const valueCount = 8191
const valueBytes = 114
const keyBytes = 28
/** Key `k` goes to partition `k % partitions`, whatever the number of partitions. */
const keyCount = 192
const headerInts = 4

export interface BenchRecords {
  readonly count: number
  readonly valueBytes: number
  /** All values, one after the other. */
  readonly values: Buffer
  readonly keys: readonly Buffer[]
}

export function writeRecords(file: string): void {
  const header = Buffer.alloc(headerInts * 4)
  const counts = [valueCount, valueBytes, keyCount, keyBytes]
  counts.forEach((count, i) => header.writeUInt32LE(count, i * 4))
  const values = Array.from({ length: valueCount }, (_, i) => valueOf(i))
  const keys = Array.from({ length: keyCount }, (_, i) =>
    Buffer.from(`asia|binance|trade|C${String(i).padStart(3, '0')}-USDT`.slice(0, keyBytes))
  )
  if (values.some(({ length }) => length !== valueBytes) || keys.some(({ length }) => length !== keyBytes))
    throw new RangeError('the records of the bench do not have the size they should have')
  writeFileSync(file, Buffer.concat([header, ...values, ...keys]))
}

export function readRecords(file: string): BenchRecords {
  const bytes = readFileSync(file)
  const [count, size, keyTotal, keySize] = new Uint32Array(bytes.buffer, bytes.byteOffset, headerInts)
  const valuesEnd = headerInts * 4 + count! * size!
  return {
    count: count!,
    valueBytes: size!,
    values: bytes.subarray(headerInts * 4, valuesEnd),
    keys: Array.from({ length: keyTotal! }, (_, i) =>
      bytes.subarray(valuesEnd + i * keySize!, valuesEnd + (i + 1) * keySize!)
    )
  }
}

/** A trade as the service writes it; what is missing to the size goes into the connection's name. */
function valueOf(i: number): Buffer {
  const trade = (connectionId: string): Buffer =>
    withHeader(
      ids.Trade,
      recordTypes.trade.toBuffer({
        exchange: 'binance',
        region: 'asia',
        symbol: `C${String(i % keyCount).padStart(3, '0')}-USDT`,
        native_symbol: `C${String(i % keyCount).padStart(3, '0')}USDT`,
        exchange_ts: 1_790_000_000_000_000 + i * 977_000,
        received_ts: 1_790_000_000_000_311 + i * 977_131,
        connection_id: connectionId,
        frame_seq: 5_000_000 + i,
        frame_index: 0,
        stream_type: 'REALTIME',
        trade_id: String(4_000_000_000 + i * 3),
        price: `${60_000 + ((i * 7919) % 9973)}.${String((i * 31) % 100).padStart(2, '0')}`,
        size: `0.${String((i * 104_729) % 100_000_000).padStart(8, '0')}`,
        side: i % 3 === 0 ? 'SELL' : 'BUY',
        sequence: null,
        extras: null
      } satisfies Trade)
    )
  const missing = valueBytes - trade('').length
  return trade('pod-0/binance/trade/0'.padEnd(missing, '-').slice(0, Math.max(0, missing)))
}
