const encoder = new TextEncoder()

/**
 * From the bytes with which a frame names a symbol to a subscription index. Names are compared in full; the hash only
 * finds where to look. Several spellings (native symbol, stream name) may lead to one index.
 */
export class SymbolTable {
  /** Entry number plus one by slot; 0 is an empty slot. Its length is a power of two. */
  #slots = new Int32Array(64)
  readonly #names: Uint8Array[] = []
  readonly #indices: number[] = []
  /** One name by subscription index, tried first when the caller has a guess. */
  readonly #byIndex: (Uint8Array | undefined)[] = []

  get size(): number {
    return this.#names.length
  }

  /** A name that is already there keeps its first index. */
  add(name: string, index: number): void {
    const bytes = encoder.encode(name)
    if (bytes.length === 0 || this.find(bytes, 0, bytes.length, -1) >= 0) return
    if ((this.#names.length + 1) * 2 > this.#slots.length) this.#grow()
    this.#names.push(bytes)
    this.#indices.push(index)
    this.#byIndex[index] ??= bytes
    this.#insert(this.#names.length)
  }

  /** @param guess a subscription index that is probably right, or -1 */
  find(bytes: Uint8Array, start: number, end: number, guess: number): number {
    if (guess >= 0) {
      const name = this.#byIndex[guess]
      if (name !== undefined && equals(name, bytes, start, end)) return guess
    }
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hashOf(bytes, start, end) & mask
    for (;;) {
      const entry = slots[slot]!
      if (entry === 0) return -1
      if (equals(this.#names[entry - 1]!, bytes, start, end)) return this.#indices[entry - 1]!
      slot = (slot + 1) & mask
    }
  }

  #insert(entry: number): void {
    const name = this.#names[entry - 1]!
    const mask = this.#slots.length - 1
    let slot = hashOf(name, 0, name.length) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = entry
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let entry = 1; entry <= this.#names.length; entry++) this.#insert(entry)
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function equals(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}
