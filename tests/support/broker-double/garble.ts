import { type GarbleKind } from './script.ts'

/** Length, correlation id, and then the count of topics. */
const correlationAt = 4
const countAt = 8
const topicAt = 14

/** A spoiled copy of a produce answer; `frame` begins with its length. */
export function garble(frame: Buffer, how: GarbleKind): Buffer {
  const copy = Buffer.from(frame)
  switch (how) {
    case 'correlation':
      copy.writeInt32BE(copy.readInt32BE(correlationAt) + 7, correlationAt)
      return copy
    case 'foreign':
      // As if it answered what the client has not asked, or some other part of it has.
      copy.writeInt32BE(copy.readInt32BE(correlationAt) ^ 0x4000_0000, correlationAt)
      return copy
    case 'count':
      copy.writeInt32BE(0x7fff_ffff, countAt)
      return copy
    case 'cut': {
      const shorter = copy.subarray(0, Math.max(countAt, copy.length - 7))
      shorter.writeInt32BE(shorter.length - 4, 0)
      return shorter
    }
    case 'tail': {
      const longer = Buffer.concat([copy, Buffer.alloc(5)])
      longer.writeInt32BE(longer.length - 4, 0)
      return longer
    }
    case 'topic':
      if (copy.length > topicAt) copy.writeUInt8(copy.readUInt8(topicAt) ^ 1, topicAt)
      return copy
    case 'length':
      copy.writeInt32BE(copy.readInt32BE(0) + 1000, 0)
      return copy
    case 'noise':
      return copy.fill(0xa5, countAt)
  }
}
