import { type ClusterState } from './cluster-state.ts'
import { codes } from './codes.ts'
import { type WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Topics are never made by asking for them. @see https://kafka.apache.org/protocol.html#The_Messages_Metadata */
export function answerMetadata(request: WireReader, version: number, cluster: ClusterState): Buffer {
  const asked = request.nullableArray(() => request.string())
  if (version >= 4) request.int8()
  const isAll = asked === null || (version === 0 && asked.length === 0)
  const topics = isAll ? [...cluster.topics.keys()].filter(topic => !cluster.vanished.has(topic)) : asked
  const up = cluster.nodes.filter(node => !node.isDown)
  const ids = up.map(({ id }) => id)
  const writer = new WireWriter()
  if (version >= 3) writer.int32(0)
  writer.array(up, ({ id, port }) => {
    writer.int32(id).string('127.0.0.1').int32(port)
    if (version >= 1) writer.string(null)
  })
  if (version >= 2) writer.string('broker-double')
  if (version >= 1) writer.int32(ids[0] ?? -1)
  writer.array(topics, topic => {
    const logs = cluster.vanished.has(topic) ? undefined : cluster.topics.get(topic)
    const scripted = cluster.takeMetadataCode(topic)
    writer.int16(logs === undefined ? codes.unknownTopicOrPartition : scripted).string(topic)
    if (version >= 1) writer.boolean(false)
    writer.array(scripted === 0 ? (logs ?? []) : [], ({ partition, leader }) => {
      const isLed = leader !== null && ids.includes(leader)
      writer.int16(isLed ? codes.none : codes.leaderNotAvailable).int32(partition)
      writer.int32(isLed ? leader : -1)
      writer.array(cluster.nodes, node => writer.int32(node.id))
      writer.array(ids, id => writer.int32(id))
      if (version >= 5) writer.array([], () => undefined)
    })
  })
  return writer.toBuffer()
}
