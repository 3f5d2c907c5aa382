/** A batch with where it goes. */
export interface ProduceEntry {
  readonly topic: string
  /** The topic's name in UTF-8. */
  readonly topicBytes: Uint8Array
  readonly partition: number
  readonly wire: Uint8Array
}

const produceKey = 0
/**
 * Smaller batches are copied behind their header: a chunk of its own costs the socket more than such a copy.
 */
const copiedBytesMax = 16 * 1024
const acksOfAllReplicas = -1

/**
 * A Produce request of version 3 to 8, which encode alike, with its size in front, as chunks to be written one after the
 * other. Entries of one topic must stand together. Asks for all replicas; `timeoutMs` is how long the leader waits for them.
 *
 * @see https://kafka.apache.org/protocol.html#The_Messages_Produce
 */
export function encodeProduceRequest(
  version: number,
  correlationId: number,
  clientId: Uint8Array,
  timeoutMs: number,
  entries: readonly ProduceEntry[]
): Uint8Array[] {
  // Up to the number of topics: size, key, version, correlation, client, no transaction, acks, timeout.
  let headBytes = 4 + 2 + 2 + 4 + 2 + clientId.length + 2 + 2 + 4 + 4
  let wireBytes = 0
  let topics = 0
  for (let i = 0; i < entries.length; i++) {
    const { topic, topicBytes, wire } = entries[i]!
    if (i === 0 || entries[i - 1]!.topic !== topic) {
      topics++
      headBytes += 2 + topicBytes.length + 4
    }
    headBytes += 8
    if (wire.length <= copiedBytesMax) headBytes += wire.length
    else wireBytes += wire.length
  }
  const head = Buffer.allocUnsafe(headBytes)
  let at = head.writeInt32BE(headBytes + wireBytes - 4, 0)
  at = head.writeInt16BE(produceKey, at)
  at = head.writeInt16BE(version, at)
  at = head.writeInt32BE(correlationId, at)
  at = head.writeInt16BE(clientId.length, at)
  head.set(clientId, at)
  at = head.writeInt16BE(-1, at + clientId.length)
  at = head.writeInt16BE(acksOfAllReplicas, at)
  at = head.writeInt32BE(timeoutMs, at)
  at = head.writeInt32BE(topics, at)
  const chunks: Uint8Array[] = []
  let chunkStart = 0
  for (let i = 0; i < entries.length; i++) {
    const { topic, topicBytes, partition, wire } = entries[i]!
    if (i === 0 || entries[i - 1]!.topic !== topic) {
      at = head.writeInt16BE(topicBytes.length, at)
      head.set(topicBytes, at)
      at = head.writeInt32BE(partitionsFrom(entries, i), at + topicBytes.length)
    }
    at = head.writeInt32BE(partition, at)
    at = head.writeInt32BE(wire.length, at)
    if (wire.length <= copiedBytesMax) {
      head.set(wire, at)
      at += wire.length
    } else {
      chunks.push(head.subarray(chunkStart, at), wire)
      chunkStart = at
    }
  }
  if (chunkStart < at) chunks.push(chunkStart === 0 ? head : head.subarray(chunkStart, at))
  return chunks
}

function partitionsFrom(entries: readonly ProduceEntry[], start: number): number {
  const { topic } = entries[start]!
  let end = start + 1
  while (end < entries.length && entries[end]!.topic === topic) end++
  return end - start
}
