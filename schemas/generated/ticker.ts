// Generated from schemas/ticker.avsc by schemas/generate.ts; do not edit.

/** One ticker as the exchange sent it; null where it did not send the value. */
export interface Ticker {
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
  /** decimals are text with the digits the venue sent */
  readonly last: string
  readonly open: string | null
  readonly high: string | null
  readonly low: string | null
  readonly prev_close: string | null
  readonly bid: string | null
  readonly bid_size: string | null
  readonly ask: string | null
  readonly ask_size: string | null
  readonly base_volume: string | null
  readonly quote_volume: string | null
  readonly change: string | null
  /** ratio, 0.01 is 1 % */
  readonly change_rate: string | null
  /** of open, high and low */
  readonly price_window: 'ROLLING_24H' | 'UTC_DAY' | 'LOCAL_DAY' | 'UNKNOWN'
  /** of the volumes */
  readonly volume_window: 'ROLLING_24H' | 'UTC_DAY' | 'LOCAL_DAY' | 'UNKNOWN'
  /** raw fields asked for by projection */
  readonly extras: Readonly<Record<string, string>> | null
}

export const tickerLayout = {
  name: 'Ticker',
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
    { name: 'last', kind: 'string', nullable: false },
    { name: 'open', kind: 'string', nullable: true },
    { name: 'high', kind: 'string', nullable: true },
    { name: 'low', kind: 'string', nullable: true },
    { name: 'prev_close', kind: 'string', nullable: true },
    { name: 'bid', kind: 'string', nullable: true },
    { name: 'bid_size', kind: 'string', nullable: true },
    { name: 'ask', kind: 'string', nullable: true },
    { name: 'ask_size', kind: 'string', nullable: true },
    { name: 'base_volume', kind: 'string', nullable: true },
    { name: 'quote_volume', kind: 'string', nullable: true },
    { name: 'change', kind: 'string', nullable: true },
    { name: 'change_rate', kind: 'string', nullable: true },
    { name: 'price_window', kind: 'enum', nullable: false, symbols: ['ROLLING_24H', 'UTC_DAY', 'LOCAL_DAY', 'UNKNOWN'] },
    { name: 'volume_window', kind: 'enum', nullable: false, symbols: ['ROLLING_24H', 'UTC_DAY', 'LOCAL_DAY', 'UNKNOWN'] },
    { name: 'extras', kind: 'map', nullable: true }
  ]
} as const

export const tickerSchema =
  "{\"type\":\"record\",\"name\":\"Ticker\",\"namespace\":\"coinstream\",\"doc\":\"One ticker as the exchange sent it; null where it did not send the value.\",\"fields\":[{\"name\":\"exchange\",\"type\":\"string\"},{\"name\":\"region\",\"type\":\"string\"},{\"name\":\"symbol\",\"type\":\"string\",\"doc\":\"canonical BASE-QUOTE\"},{\"name\":\"native_symbol\",\"type\":\"string\"},{\"name\":\"exchange_ts\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],\"default\":null,\"doc\":\"the venue's event time\"},{\"name\":\"received_ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"when the frame left the socket\"},{\"name\":\"connection_id\",\"type\":\"string\",\"doc\":\"pod/exchange/request_type/shard/dial-time-ms\"},{\"name\":\"frame_seq\",\"type\":\"long\",\"doc\":\"ordinal of the frame on its connection, from 1\"},{\"name\":\"frame_index\",\"type\":\"int\",\"doc\":\"position of the event in its frame, from 0\"},{\"name\":\"stream_type\",\"type\":{\"type\":\"enum\",\"name\":\"StreamType\",\"symbols\":[\"SNAPSHOT\",\"REALTIME\"]}},{\"name\":\"last\",\"type\":\"string\",\"doc\":\"decimals are text with the digits the venue sent\"},{\"name\":\"open\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"high\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"low\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"prev_close\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"bid\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"bid_size\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"ask\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"ask_size\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"base_volume\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"quote_volume\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"change\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"change_rate\",\"type\":[\"null\",\"string\"],\"default\":null,\"doc\":\"ratio, 0.01 is 1 %\"},{\"name\":\"price_window\",\"type\":{\"type\":\"enum\",\"name\":\"Window\",\"symbols\":[\"ROLLING_24H\",\"UTC_DAY\",\"LOCAL_DAY\",\"UNKNOWN\"]},\"doc\":\"of open, high and low\"},{\"name\":\"volume_window\",\"type\":\"Window\",\"doc\":\"of the volumes\"},{\"name\":\"extras\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}],\"default\":null,\"doc\":\"raw fields asked for by projection\"}]}"
