import { type SinkListener } from '../sinks/record-sink.ts'

/** Elections and restarts of a connection pass sooner; they delay records and need no announcement. */
const graceMs = 1_000

interface Trouble {
  readonly sinceMs: number
  text: string
}

/**
 * Says once when Kafka stops taking records and once when it takes them again. A part is whatever fails and recovers on its
 * own: a partition, a broker, the cluster. One that fails only for a moment is not told.
 */
export class Health {
  readonly #where: string
  readonly #listener: SinkListener
  readonly #troubles = new Map<object, Trouble>()
  #isDown = false

  constructor(brokers: readonly string[], listener: SinkListener) {
    this.#where = brokers.join(', ')
    this.#listener = listener
  }

  /** `isLasting`: it will not pass by itself, or has lasted long enough already. */
  failing(part: object, text: string, nowMs: number, isLasting = false): void {
    const trouble = this.#troubles.get(part) ?? { sinceMs: nowMs, text }
    trouble.text = text
    this.#troubles.set(part, trouble)
    if (isLasting || nowMs - trouble.sinceMs >= graceMs) this.#fall(text)
  }

  /** The part works again. */
  recovered(part: object): void {
    if (this.#troubles.delete(part)) this.worked()
  }

  /** The part has nothing left to do, so that its trouble is none. */
  forget(part: object): void {
    this.#troubles.delete(part)
  }

  /** Nothing waits, so that nothing is in trouble. */
  forgetAll(): void {
    this.#troubles.clear()
  }

  get isDown(): boolean {
    return this.#isDown
  }

  /** Something was acknowledged or answered as it should be. */
  worked(): void {
    if (!this.#isDown || this.#troubles.size > 0) return
    this.#isDown = false
    this.#listener.availability(true, 'Kafka takes records again.')
  }

  tick(nowMs: number): void {
    if (this.#isDown) return
    for (const { sinceMs, text } of this.#troubles.values()) {
      if (nowMs - sinceMs >= graceMs) this.#fall(text)
    }
  }

  #fall(text: string): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#listener.availability(
      false,
      `Kafka at ${this.#where} does not take records: ${text}. They wait in order and are sent when it does.`
    )
  }
}
