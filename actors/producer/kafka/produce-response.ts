export interface PartitionAnswer {
  readonly topic: string
  readonly partition: number
  /** Error code; 0 is none. */
  readonly code: number
  /** Offset of the batch's first record; -1 when it was not written. */
  readonly baseOffset: number
  /** Rows of the records that made the broker refuse the batch, where it says so (version 8). */
  readonly badRows: readonly number[]
  /** What the broker says about it (version 8). */
  readonly message: string | null
}

export interface ProduceAnswer {
  readonly partitions: readonly PartitionAnswer[]
  /** Milliseconds for which the broker asks to be left alone. */
  readonly throttleMs: number
}

const noRows: readonly number[] = []

/**
 * The body of an answer to Produce, version 3 to 8, as `bytes[start, end)`. Null when it is torn or garbled: then none of
 * it counts.
 *
 * @see https://kafka.apache.org/protocol.html#The_Messages_Produce
 */
export function decodeProduceResponse(
  bytes: Buffer,
  start: number,
  end: number,
  version: number
): ProduceAnswer | null {
  try {
    const reader = new Reader(bytes, start, end)
    const partitions: PartitionAnswer[] = []
    for (let topics = reader.count(6); topics > 0; topics--) {
      const topic = reader.text()
      if (topic === null) return null
      for (let left = reader.count(22); left > 0; left--)
        partitions.push(readPartition(reader, topic, version))
    }
    const throttleMs = reader.int32()
    return reader.isAtEnd ? { partitions, throttleMs } : null
  } catch (error) {
    // Reading behind the end: of the bytes here, or of the buffer they stand in.
    if (error instanceof RangeError) return null
    throw error
  }
}

/** The answer for a partition, or null. Most often the answers stand in the order of the request. */
export function answerFor(
  { topic, partition }: { readonly topic: string; readonly partition: number },
  { partitions }: ProduceAnswer,
  expectedAt: number
): PartitionAnswer | null {
  for (let i = 0; i < partitions.length; i++) {
    const answer = partitions[(expectedAt + i) % partitions.length]!
    if (answer.partition === partition && answer.topic === topic) return answer
  }
  return null
}

function readPartition(reader: Reader, topic: string, version: number): PartitionAnswer {
  const partition = reader.int32()
  const code = reader.int16()
  const baseOffset = reader.int64()
  // The log's append time, from version 5 the log's first offset.
  reader.skip(version >= 5 ? 16 : 8)
  if (version < 8) return { topic, partition, code, baseOffset, badRows: noRows, message: null }
  const count = reader.count(6)
  const badRows = count === 0 ? noRows : readRows(reader, count)
  return { topic, partition, code, baseOffset, badRows, message: reader.text() }
}

function readRows(reader: Reader, count: number): number[] {
  const rows: number[] = []
  for (let i = 0; i < count; i++) {
    rows.push(reader.int32())
    reader.text()
  }
  return rows
}

class Reader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = Math.min(end, bytes.length)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end
  }

  /** Moves on and returns where it stood. */
  skip(bytes: number): number {
    const at = this.#at
    if (bytes > this.#end - at) throw new RangeError('the answer ends early')
    this.#at = at + bytes
    return at
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.skip(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.skip(4))
  }

  /** Offsets stay far below 2^53. */
  int64(): number {
    const at = this.skip(8)
    return this.#bytes.readInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4)
  }

  /** The length of an array whose elements take at least `bytesEach`; null counts as empty. */
  count(bytesEach: number): number {
    const count = this.int32()
    if (count < -1 || count * bytesEach > this.#end - this.#at) throw new RangeError('the array is too long')
    return Math.max(0, count)
  }

  text(): string | null {
    const length = this.int16()
    if (length === -1) return null
    if (length < -1) throw new RangeError('the text has a negative length')
    const at = this.skip(length)
    return this.#bytes.toString('utf8', at, at + length)
  }
}
