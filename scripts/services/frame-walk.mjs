/**
 * Walks along a stream of Kafka's frames (a length of 4 bytes, then as many bytes), whatever pieces it comes in, and tells
 * of each when its first bytes have passed and when it has passed whole.
 */
export class FrameWalk {
  #head
  #headBytes = 0
  #left = 0
  #began
  #ended

  /** @param headBytes how many of the first bytes are handed on: at least the 4 of the length */
  constructor(headBytes, { began = () => {}, ended = () => {} }) {
    this.#head = Buffer.alloc(headBytes)
    this.#began = began
    this.#ended = ended
  }

  take(chunk) {
    let at = 0
    while (at < chunk.length) {
      if (this.#headBytes < this.#head.length) {
        const taken = chunk.copy(this.#head, this.#headBytes, at)
        this.#headBytes += taken
        at += taken
        if (this.#headBytes < this.#head.length) return
        this.#left = 4 + this.#head.readInt32BE(0) - this.#head.length
        this.#began(this.#head)
      }
      const taken = Math.min(this.#left, chunk.length - at)
      this.#left -= taken
      at += taken
      if (this.#left > 0) return
      this.#ended(this.#head)
      this.#headBytes = 0
    }
  }
}
