import { type ClusterState } from './cluster-state.ts'
import { codes } from './codes.ts'
import { type WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Every request gets an id of its own. @see https://kafka.apache.org/protocol.html#The_Messages_InitProducerId */
export function answerInitProducerId(request: WireReader, cluster: ClusterState): Buffer {
  const transactionalId = request.nullableString()
  request.int32()
  if (transactionalId !== null) cluster.violations.push('InitProducerId asks for a transaction')
  const code = transactionalId === null ? cluster.takeInitCode() : codes.invalidRequest
  const writer = new WireWriter().int32(0).int16(code)
  if (code !== codes.none) return writer.int64(-1n).int16(-1).toBuffer()
  return writer.int64(cluster.newProducerId()).int16(0).toBuffer()
}
