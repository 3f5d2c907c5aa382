/** A request, batch or record that does not keep to the protocol's grammar; the message names the place. */
export class WireFault extends Error {
  override readonly name = 'WireFault'
}

/**
 * Reads the primitive types of the protocol and throws as soon as something is missing or out of range.
 * @see https://kafka.apache.org/protocol.html#protocol_types
 */
export class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  get position(): number {
    return this.#at
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#skip(4))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8))
  }

  /** Unsigned, at most 32 bits, in at most 5 bytes. */
  uvarint(): number {
    const value = this.#base128(5)
    if (value > 0xffff_ffffn) throw new WireFault(`a varint of ${value} at ${this.#at}`)
    return Number(value)
  }

  /** Zigzag, 32 bits. */
  varint(): number {
    const value = this.uvarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** Zigzag, 64 bits. */
  varlong(): bigint {
    const value = this.#base128(10)
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }

  take(length: number): Buffer {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  string(): string {
    const text = this.nullableString()
    if (text === null) throw new WireFault(`null where a string must be, at ${this.#at}`)
    return text
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.take(length).toString('utf8')
  }

  compactString(): string {
    return this.take(this.uvarint() - 1).toString('utf8')
  }

  bytes(): Buffer {
    return this.take(this.int32())
  }

  array<T>(item: () => T): T[] {
    const items = this.nullableArray(item)
    if (items === null) throw new WireFault(`null where an array must be, at ${this.#at}`)
    return items
  }

  nullableArray<T>(item: () => T): T[] | null {
    const length = this.int32()
    if (length === -1) return null
    // Each item takes a byte at least, so a false count cannot make us allocate for nothing.
    if (length < 0 || length > this.left) throw new WireFault(`an array of ${length} at ${this.#at}`)
    return Array.from({ length }, item)
  }

  skipTags(): void {
    for (let tags = this.uvarint(); tags > 0; tags--) {
      this.uvarint()
      this.take(this.uvarint())
    }
  }

  end(what: string): void {
    if (this.left > 0) throw new WireFault(`${this.left} bytes stand behind ${what}`)
  }

  #base128(bytesMax: number): bigint {
    let value = 0n
    for (let i = 0; i < bytesMax; i++) {
      const byte = this.#bytes[this.#skip(1)]!
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return value
    }
    throw new WireFault(`a varint of more than ${bytesMax} bytes at ${this.#at}`)
  }

  #skip(length: number): number {
    const start = this.#at
    if (length < 0 || length > this.left) {
      throw new WireFault(`${length} bytes wanted at ${start}, ${this.left} are left`)
    }
    this.#at += length
    return start
  }
}
