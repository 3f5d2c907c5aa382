import { type ConnectionContext } from '../wire/session-messages.ts'

/** How values are written: Avro behind a Confluent header with this schema id, or JSON of the same shape. */
export interface Encoding {
  readonly format: 'avro' | 'json'
  readonly schemaId: number
}

/** Everything `transcode` needs beyond the batch, so that it is a pure function. */
export interface CodecContext {
  readonly connection: ConnectionContext
  readonly encoding: Encoding
}
