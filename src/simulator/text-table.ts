import assert from 'node:assert'
import { writeAscii } from './digits.ts'

/** Texts of one width by index, as bytes ready to be copied into a frame. */
export class TextTable {
  readonly width: number
  readonly #bytes: Uint8Array

  constructor(texts: readonly string[]) {
    this.width = texts[0]?.length ?? 0
    this.#bytes = new Uint8Array(texts.length * this.width)
    texts.forEach((text, i) => {
      assert(text.length === this.width, `a table of width ${this.width} was given "${text}"`)
      writeAscii(this.#bytes, i * this.width, text)
    })
  }

  write(index: number, bytes: Uint8Array, at: number): number {
    const from = index * this.width
    for (let i = 0; i < this.width; i++) bytes[at + i] = this.#bytes[from + i]!
    return at + this.width
  }

  text(index: number): string {
    return Buffer.from(this.#bytes.buffer, index * this.width, this.width).toString('latin1')
  }
}
