import { chunksOf } from '../../src/exchange-kit/chunks.ts'

/** How long the answer to a request is waited for before its subscriptions are asked for again; doubled each time. */
const answerMsMax = 10_000
/** The longest time between two requests for a subscription that is never confirmed. */
const pauseMsMax = 300_000
/** A refusal that names nobody and that nobody understands may be the fault of one: the next requests are a quarter as large. */
const portionDivisor = 4
const anyPortion = 0xffff
/** More of them change nothing: the pause has been at its longest for long. */
const repeatsMax = 255

/**
 * When each subscription of a socket that stays without its confirmation is to be asked for again, and with how many
 * others. Indices are the context's.
 */
export class AskingAgain {
  /** When the latest request left. */
  readonly #sentMicros: Float64Array
  /** Requests that wait for their turn to be sent. */
  readonly #waiting: Uint16Array
  /** Requests that were made again since the last confirmation. */
  readonly #repeats: Uint8Array
  /** With how many others at most it may stand in one request. */
  readonly #portions: Uint16Array

  constructor(subscriptions: number) {
    this.#sentMicros = new Float64Array(subscriptions).fill(Infinity)
    this.#waiting = new Uint16Array(subscriptions)
    this.#repeats = new Uint8Array(subscriptions)
    this.#portions = new Uint16Array(subscriptions).fill(anyPortion)
  }

  /** A request is made; what the venue's limits hold back is not asked for a second time. */
  asked(subscriptions: readonly number[]): void {
    for (const subscription of subscriptions) this.#waiting[subscription]! += 1
  }

  sent(subscriptions: readonly number[], nowMicros: number): void {
    for (const subscription of subscriptions) {
      this.#waiting[subscription]! -= 1
      this.#sentMicros[subscription] = nowMicros
    }
  }

  /** A request was refused for now without a word about whom it meant. */
  refusedTogether(subscriptions: readonly number[]): void {
    const portion = Math.ceil(subscriptions.length / portionDivisor)
    for (const subscription of subscriptions) this.#portions[subscription] = portion
  }

  /** It is confirmed, or somebody else has a reason to ask for it: the times begin anew. */
  reset(subscription: number): void {
    this.#repeats[subscription] = 0
    this.#portions[subscription] = anyPortion
  }

  /** Which of the wanted ones are to be asked for again now, by request; who takes them makes these requests. */
  due(wanted: readonly number[], nowMicros: number): readonly (readonly number[])[] {
    const byPortion = new Map<number, number[]>()
    for (const subscription of wanted) {
      if (!this.#isDue(subscription, nowMicros)) continue
      this.#repeats[subscription] = Math.min(this.#repeats[subscription]! + 1, repeatsMax)
      const portion = this.#portions[subscription]!
      const alike = byPortion.get(portion)
      if (alike === undefined) byPortion.set(portion, [subscription])
      else alike.push(subscription)
    }
    return [...byPortion].flatMap(([portion, alike]) => chunksOf(alike, portion))
  }

  #isDue(subscription: number, nowMicros: number): boolean {
    if (this.#waiting[subscription]! > 0) return false
    const pauseMs = Math.min(answerMsMax * 2 ** this.#repeats[subscription]!, pauseMsMax)
    return nowMicros - this.#sentMicros[subscription]! >= pauseMs * 1000
  }
}
