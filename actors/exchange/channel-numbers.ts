/** Channel numbers that lead to one subscription: frames of the older ones may still be on their way. */
const numbersPerSubscription = 8

/** The numbers under which a venue names the channels of one socket, where it does (Bitfinex). */
export class ChannelNumbers {
  /** Subscriptions by number, the latest of each and some that it has replaced. */
  readonly subscriptions: Record<string, number> = {}
  /** The oldest first. */
  readonly #ofSubscription = new Map<number, string[]>()

  /** False when the venue has only said again what is known. */
  give(number: string, subscription: number): boolean {
    const numbers = this.#ofSubscription.get(subscription) ?? []
    this.#ofSubscription.set(subscription, numbers)
    if (numbers.at(-1) === number && this.subscriptions[number] === subscription) return false
    numbers.push(number)
    this.subscriptions[number] = subscription
    const oldest = numbers.length > numbersPerSubscription ? numbers.shift() : undefined
    // A number that the venue has given away again belongs to whoever has it now.
    if (oldest !== undefined && this.subscriptions[oldest] === subscription && !numbers.includes(oldest)) {
      delete this.subscriptions[oldest]
    }
    return true
  }

  latestOf(subscription: number): string | null {
    return this.#ofSubscription.get(subscription)?.at(-1) ?? null
  }
}
