/** What a `connection_id` (`pod/exchange/request_type/shard/dial-time-ms`) tells. */
export interface ConnectionFacts {
  readonly id: string
  /** Everything but the dial time: the same for all connections that one shard has had. */
  readonly shard: string
  readonly dialMs: number
}

export function readConnectionId(id: string): ConnectionFacts {
  const slash = id.lastIndexOf('/')
  return { id, shard: id.slice(0, Math.max(slash, 0)), dialMs: Number(id.slice(slash + 1)) }
}

/** Small numbers for connection ids, so that a delivered record remembers its connection in an integer. */
export class Connections {
  readonly #numbers = new Map<string, number>()
  readonly #facts: ConnectionFacts[] = []

  numberOf(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const number = this.#facts.length
    this.#numbers.set(id, number)
    this.#facts.push(readConnectionId(id))
    return number
  }

  facts(number: number): ConnectionFacts {
    return this.#facts[number]!
  }

  dialMs(number: number): number {
    return this.#facts[number]!.dialMs
  }
}
