import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { apiKeys } from './api-versions.ts'
import { crc32c } from './crc32c.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

export interface BatchSpec {
  readonly values: readonly string[]
  readonly producerId?: bigint
  readonly epoch?: number
  readonly baseSequence?: number
  readonly timestamp?: number
}

/** An uncompressed record batch, written by its definition. */
export function batchOf({
  values,
  producerId = -1n,
  epoch = 0,
  baseSequence = 0,
  timestamp = Date.now()
}: BatchSpec): Buffer {
  const records = values.map((value, i) => {
    const bytes = Buffer.from(value)
    const body = new WireWriter().int8(0).int8(0).uvarint(zigzag(i)).uvarint(zigzag(-1))
    return body.uvarint(zigzag(bytes.length)).raw(bytes).int8(0).toBuffer()
  })
  const checked = new WireWriter()
    .int16(0)
    .int32(values.length - 1)
    .int64(BigInt(timestamp))
    .int64(BigInt(timestamp))
  checked.int64(producerId).int16(epoch).int32(baseSequence).int32(values.length)
  for (const record of records) checked.uvarint(zigzag(record.length)).raw(record)
  const bytes = checked.toBuffer()
  const head = new WireWriter()
    .int64(0n)
    .int32(9 + bytes.length)
    .int32(-1)
    .int8(2)
  return head
    .int32(crc32c(bytes) | 0)
    .raw(bytes)
    .toBuffer()
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31)
}

/** Asks one node, one request at a time, and decides every byte itself. */
export class RawClient implements AsyncDisposable {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #whenMore: (() => void) | null = null
  #correlationId = 0
  /** How the node ended the connection; null while it stands. */
  end: 'closed' | 'reset' | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes])
      this.#whenMore?.()
    })
    socket.on('error', () => {
      this.end = 'reset'
    })
    socket.on('close', () => {
      this.end ??= 'closed'
      this.#whenMore?.()
    })
  }

  static async connect(address: string): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }

  /** The bytes that came unasked for, or as part of a torn answer. */
  get leftover(): Buffer {
    return this.#bytes
  }

  send(key: number, version: number, body: Buffer): number {
    const header = new WireWriter()
      .int16(key)
      .int16(version)
      .int32(++this.#correlationId)
      .string('raw')
    this.#socket.write(new WireWriter().bytes(Buffer.concat([header.toBuffer(), body])).toBuffer())
    return this.#correlationId
  }

  /** The next answer with its correlation id; null when the connection ends before it is whole. */
  async answer(): Promise<{ readonly correlationId: number; readonly body: WireReader } | null> {
    for (;;) {
      if (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readInt32BE(0)) {
        const end = 4 + this.#bytes.readInt32BE(0)
        const body = new WireReader(this.#bytes.subarray(4, end))
        this.#bytes = this.#bytes.subarray(end)
        return { correlationId: body.int32(), body }
      }
      if (this.end !== null) return null
      await new Promise<void>(resolve => {
        this.#whenMore = resolve
      })
    }
  }

  sendProduce(topic: string, batches: Readonly<Record<number, Buffer>>): number {
    const writer = new WireWriter().string(null).int16(-1).int32(1000).int32(1).string(topic)
    const body = writer.array(Object.entries(batches), ([partition, batch]) => {
      writer.int32(Number(partition)).bytes(batch)
    })
    return this.send(apiKeys.produce, 7, body.toBuffer())
  }

  /** Codes by partition; null when the connection ended instead. */
  async produce(
    topic: string,
    batches: Readonly<Record<number, Buffer>>
  ): Promise<Map<number, number> | null> {
    this.sendProduce(topic, batches)
    const answer = await this.answer()
    return answer === null ? null : codesOf(answer.body)
  }
}

/** The codes of a produce answer in version 7, which must be well-formed. */
export function codesOf(body: WireReader): Map<number, number> {
  const codes = new Map<number, number>()
  body.array(() => {
    body.string()
    body.array(() => {
      codes.set(body.int32(), body.int16())
      body.take(24)
    })
  })
  body.int32()
  body.end('a produce answer')
  return codes
}
