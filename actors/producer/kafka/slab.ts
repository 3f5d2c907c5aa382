/** Memory of a batch with the view that fast copies go through. What it holds at first is arbitrary. */
export interface Slab {
  readonly bytes: Buffer
  readonly view: DataView
}

export function newSlab(bytes: number): Slab {
  // Never a part of Node's shared pool: the view must see the buffer and nothing else.
  const buffer = Buffer.allocUnsafeSlow(bytes)
  return { bytes: buffer, view: new DataView(buffer.buffer, buffer.byteOffset, buffer.length) }
}

export const noSlab = newSlab(0)
