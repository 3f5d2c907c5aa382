import avsc from 'avsc'
import { type ConnectSuccess, connectSuccessSchema } from '../../schemas/generated/connect-success.ts'

const headerBytes = 5
const type = avsc.Type.forSchema(JSON.parse(connectSuccessSchema) as avsc.Schema)

/** One record of `ws.connect_success.{region}`, behind its Confluent header. Off the hot path, so avsc writes it. */
export function encodeConnectSuccess(schemaId: number, event: ConnectSuccess): Uint8Array {
  const body = type.toBuffer(event)
  const value = Buffer.alloc(headerBytes + body.length)
  value.writeInt32BE(schemaId, 1)
  body.copy(value, headerBytes)
  return value
}
