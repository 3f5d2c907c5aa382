import { once } from 'node:events'
import { connect } from 'node:net'
import { crc32c } from '@node-rs/crc32'

/** Of a topic that was just made: not known, or without a leader. */
const newTopicErrors = new Set([3, 5, 6])

/**
 * The broker's own round trip: one small record at a time over a bare socket, Produce version 7, acks from all replicas.
 * @returns milliseconds of each
 * @see https://kafka.apache.org/protocol.html#The_Messages_Produce
 */
export async function roundTrips(broker: string, topic: string, forMs: number): Promise<number[]> {
  const [host = '', port = ''] = broker.split(':')
  const socket = connect(Number(port), host)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  try {
    const trips: number[] = []
    for (const endMs = performance.now() + forMs; performance.now() < endMs; ) {
      const request = produceRequest(topic, trips.length)
      const startMs = performance.now()
      socket.write(request)
      const answer = await answerOf(socket)
      trips.push(performance.now() - startMs)
      const errorAt = 4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4
      const error = answer.readInt16BE(errorAt)
      if (newTopicErrors.has(error)) {
        trips.pop()
        await new Promise(resolve => setTimeout(resolve, 20))
      } else if (error !== 0) throw new RangeError(`the broker answers a small record with error ${error}`)
    }
    return trips
  } finally {
    socket.destroy()
  }
}

async function answerOf(socket: NodeJS.ReadableStream): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let size = 0; ; ) {
    const [part] = (await once(socket, 'data')) as [Buffer]
    parts.push(part)
    size += part.length
    const whole = Buffer.concat(parts)
    if (size >= 4 && size >= 4 + whole.readInt32BE(0)) return whole
  }
}

function produceRequest(topic: string, correlation: number): Buffer {
  const batch = recordBatch()
  const name = Buffer.from(topic)
  const head = Buffer.alloc(4 + 8 + 2 + 2 + 2 + 4 + 4 + 2)
  let at = head.writeInt16BE(0, 4) // Produce
  at = head.writeInt16BE(7, at)
  at = head.writeInt32BE(correlation, at)
  at = head.writeInt16BE(-1, at) // no client id
  at = head.writeInt16BE(-1, at) // no transaction
  at = head.writeInt16BE(-1, at) // acks from all replicas
  at = head.writeInt32BE(10_000, at)
  at = head.writeInt32BE(1, at) // one topic
  head.writeInt16BE(name.length, at)
  const partition = Buffer.alloc(12)
  partition.writeInt32BE(1, 0) // one partition, the first
  partition.writeInt32BE(batch.length, 8)
  const request = Buffer.concat([head, name, partition, batch])
  request.writeInt32BE(request.length - 4, 0)
  return request
}

function recordBatch(): Buffer {
  const value = Buffer.alloc(50, 'x')
  // Length, attributes, timestamp delta, offset delta, no key, length of the value, the value, no headers; as varints.
  const body = Buffer.concat([Buffer.from([0, 0, 0, 1, value.length * 2]), value, Buffer.from([0])])
  const record = Buffer.concat([Buffer.from([body.length * 2]), body])
  const header = Buffer.alloc(61)
  header.writeInt32BE(61 - 12 + record.length, 8)
  header.writeInt8(2, 16)
  header.writeBigInt64BE(BigInt(Date.now()), 27)
  header.writeBigInt64BE(BigInt(Date.now()), 35)
  header.writeBigInt64BE(-1n, 43) // no producer id
  header.writeInt16BE(-1, 51)
  header.writeInt32BE(-1, 53)
  header.writeInt32BE(1, 57)
  const batch = Buffer.concat([header, record])
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
