// Generated from schemas/order-book.avsc by schemas/generate.ts; do not edit.

/** A whole book or the change of one; a size equal to zero removes the level. */
export interface OrderBook {
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
  readonly kind: 'SNAPSHOT' | 'DELTA'
  readonly bids: readonly { readonly price: string; readonly size: string }[]
  readonly asks: readonly { readonly price: string; readonly size: string }[]
  readonly sequence_first: string | null
  readonly sequence_last: string | null
  readonly sequence_previous: string | null
  readonly checksum: number | null
  /** raw fields asked for by projection */
  readonly extras: Readonly<Record<string, string>> | null
}

export const orderBookLayout = {
  name: 'OrderBook',
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
    { name: 'kind', kind: 'enum', nullable: false, symbols: ['SNAPSHOT', 'DELTA'] },
    { name: 'bids', kind: 'levels', nullable: false },
    { name: 'asks', kind: 'levels', nullable: false },
    { name: 'sequence_first', kind: 'string', nullable: true },
    { name: 'sequence_last', kind: 'string', nullable: true },
    { name: 'sequence_previous', kind: 'string', nullable: true },
    { name: 'checksum', kind: 'long', nullable: true },
    { name: 'extras', kind: 'map', nullable: true }
  ]
} as const

export const orderBookSchema =
  "{\"type\":\"record\",\"name\":\"OrderBook\",\"namespace\":\"coinstream\",\"doc\":\"A whole book or the change of one; a size equal to zero removes the level.\",\"fields\":[{\"name\":\"exchange\",\"type\":\"string\"},{\"name\":\"region\",\"type\":\"string\"},{\"name\":\"symbol\",\"type\":\"string\",\"doc\":\"canonical BASE-QUOTE\"},{\"name\":\"native_symbol\",\"type\":\"string\"},{\"name\":\"exchange_ts\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],\"default\":null,\"doc\":\"the venue's event time\"},{\"name\":\"received_ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"when the frame left the socket\"},{\"name\":\"connection_id\",\"type\":\"string\",\"doc\":\"pod/exchange/request_type/shard/dial-time-ms\"},{\"name\":\"frame_seq\",\"type\":\"long\",\"doc\":\"ordinal of the frame on its connection, from 1\"},{\"name\":\"frame_index\",\"type\":\"int\",\"doc\":\"position of the event in its frame, from 0\"},{\"name\":\"stream_type\",\"type\":{\"type\":\"enum\",\"name\":\"StreamType\",\"symbols\":[\"SNAPSHOT\",\"REALTIME\"]}},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"BookKind\",\"symbols\":[\"SNAPSHOT\",\"DELTA\"]}},{\"name\":\"bids\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Level\",\"fields\":[{\"name\":\"price\",\"type\":\"string\"},{\"name\":\"size\",\"type\":\"string\"}]}}},{\"name\":\"asks\",\"type\":{\"type\":\"array\",\"items\":\"Level\"}},{\"name\":\"sequence_first\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"sequence_last\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"sequence_previous\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"checksum\",\"type\":[\"null\",\"long\"],\"default\":null},{\"name\":\"extras\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}],\"default\":null,\"doc\":\"raw fields asked for by projection\"}]}"
