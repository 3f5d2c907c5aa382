/** Writes the primitive types of the protocol; answers are small, so a list of pieces will do. */
export class WireWriter {
  readonly #pieces: Buffer[] = []

  int8(value: number): this {
    return this.raw(Buffer.from([value & 0xff]))
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  int16(value: number): this {
    const bytes = Buffer.alloc(2)
    bytes.writeInt16BE(value)
    return this.raw(bytes)
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return this.raw(bytes)
  }

  int64(value: bigint): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return this.raw(bytes)
  }

  uvarint(value: number): this {
    const bytes: number[] = []
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
    bytes.push(rest)
    return this.raw(Buffer.from(bytes))
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.from(value, 'utf8')
    return this.int16(bytes.length).raw(bytes)
  }

  bytes(value: Buffer): this {
    return this.int32(value.length).raw(value)
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.uvarint(items.length + 1)
    for (const item of items) write(item)
    return this
  }

  raw(bytes: Buffer): this {
    this.#pieces.push(bytes)
    return this
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
