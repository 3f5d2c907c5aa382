// Generated from schemas/connect-success.avsc by schemas/generate.ts; do not edit.

/** The exchange has confirmed the subscription of one symbol. */
export interface ConnectSuccess {
  readonly correlation_id: string | null
  readonly exchange: string
  readonly region: string
  readonly request_type: string
  readonly symbol: string
  readonly connection_id: string
  readonly ts: number
}

export const connectSuccessLayout = {
  name: 'ConnectSuccess',
  fields: [
    { name: 'correlation_id', kind: 'string', nullable: true },
    { name: 'exchange', kind: 'string', nullable: false },
    { name: 'region', kind: 'string', nullable: false },
    { name: 'request_type', kind: 'string', nullable: false },
    { name: 'symbol', kind: 'string', nullable: false },
    { name: 'connection_id', kind: 'string', nullable: false },
    { name: 'ts', kind: 'long', nullable: false }
  ]
} as const

export const connectSuccessSchema =
  "{\"type\":\"record\",\"name\":\"ConnectSuccess\",\"namespace\":\"coinstream\",\"doc\":\"The exchange has confirmed the subscription of one symbol.\",\"fields\":[{\"name\":\"correlation_id\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"exchange\",\"type\":\"string\"},{\"name\":\"region\",\"type\":\"string\"},{\"name\":\"request_type\",\"type\":\"string\"},{\"name\":\"symbol\",\"type\":\"string\"},{\"name\":\"connection_id\",\"type\":\"string\"},{\"name\":\"ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}]}"
