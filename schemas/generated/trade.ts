// Generated from schemas/trade.avsc by schemas/generate.ts; do not edit.

/** One trade; side is the taker's. */
export interface Trade {
  readonly exchange: string
  readonly region: string
  /** canonical BASE-QUOTE */
  readonly symbol: string
  readonly native_symbol: string
  /** the venue's event time */
  readonly exchange_ts: number | null
  /** when the frame left the socket */
  readonly received_ts: number
  /** pod/exchange/request_type/shard/dial-time-ms */
  readonly connection_id: string
  /** ordinal of the frame on its connection, from 1 */
  readonly frame_seq: number
  /** position of the event in its frame, from 0 */
  readonly frame_index: number
  readonly stream_type: 'SNAPSHOT' | 'REALTIME'
  readonly trade_id: string
  readonly price: string
  readonly size: string
  readonly side: 'BUY' | 'SELL' | 'UNKNOWN'
  readonly sequence: string | null
  /** raw fields asked for by projection */
  readonly extras: Readonly<Record<string, string>> | null
}

export const tradeLayout = {
  name: 'Trade',
  fields: [
    { name: 'exchange', kind: 'string', nullable: false },
    { name: 'region', kind: 'string', nullable: false },
    { name: 'symbol', kind: 'string', nullable: false },
    { name: 'native_symbol', kind: 'string', nullable: false },
    { name: 'exchange_ts', kind: 'long', nullable: true },
    { name: 'received_ts', kind: 'long', nullable: false },
    { name: 'connection_id', kind: 'string', nullable: false },
    { name: 'frame_seq', kind: 'long', nullable: false },
    { name: 'frame_index', kind: 'int', nullable: false },
    { name: 'stream_type', kind: 'enum', nullable: false, symbols: ['SNAPSHOT', 'REALTIME'] },
    { name: 'trade_id', kind: 'string', nullable: false },
    { name: 'price', kind: 'string', nullable: false },
    { name: 'size', kind: 'string', nullable: false },
    { name: 'side', kind: 'enum', nullable: false, symbols: ['BUY', 'SELL', 'UNKNOWN'] },
    { name: 'sequence', kind: 'string', nullable: true },
    { name: 'extras', kind: 'map', nullable: true }
  ]
} as const

export const tradeSchema =
  "{\"type\":\"record\",\"name\":\"Trade\",\"namespace\":\"coinstream\",\"doc\":\"One trade; side is the taker's.\",\"fields\":[{\"name\":\"exchange\",\"type\":\"string\"},{\"name\":\"region\",\"type\":\"string\"},{\"name\":\"symbol\",\"type\":\"string\",\"doc\":\"canonical BASE-QUOTE\"},{\"name\":\"native_symbol\",\"type\":\"string\"},{\"name\":\"exchange_ts\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],\"default\":null,\"doc\":\"the venue's event time\"},{\"name\":\"received_ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"when the frame left the socket\"},{\"name\":\"connection_id\",\"type\":\"string\",\"doc\":\"pod/exchange/request_type/shard/dial-time-ms\"},{\"name\":\"frame_seq\",\"type\":\"long\",\"doc\":\"ordinal of the frame on its connection, from 1\"},{\"name\":\"frame_index\",\"type\":\"int\",\"doc\":\"position of the event in its frame, from 0\"},{\"name\":\"stream_type\",\"type\":{\"type\":\"enum\",\"name\":\"StreamType\",\"symbols\":[\"SNAPSHOT\",\"REALTIME\"]}},{\"name\":\"trade_id\",\"type\":\"string\"},{\"name\":\"price\",\"type\":\"string\"},{\"name\":\"size\",\"type\":\"string\"},{\"name\":\"side\",\"type\":{\"type\":\"enum\",\"name\":\"Side\",\"symbols\":[\"BUY\",\"SELL\",\"UNKNOWN\"]}},{\"name\":\"sequence\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"extras\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}],\"default\":null,\"doc\":\"raw fields asked for by projection\"}]}"
