/**
 * Follows the numbers that a venue gives to all frames of a connection. A frame without a readable number counts for one
 * or for none: a corrupted one had a number and is declared on its own, an answer to a request has none.
 */
export class FrameSequence {
  #last = Number.NaN
  #unreadable = 0

  /** The number that should have come. */
  get expected(): number {
    return this.#last + 1
  }

  /** Whatever number comes next follows. */
  forget(): void {
    this.#last = Number.NaN
    this.#unreadable = 0
  }

  /**
   * Takes the number of the next frame in.
   * @param number NaN when the frame has none to be read
   * @returns whether it follows; false when frames are missing before it
   */
  follows(number: number): boolean {
    if (Number.isNaN(number)) {
      this.#unreadable++
      return true
    }
    // A number that comes again or is lower tells of no loss: the venue has begun to count anew.
    const isHole = number > this.#last + 1 + this.#unreadable
    this.#last = number
    this.#unreadable = 0
    return !isHole
  }
}
