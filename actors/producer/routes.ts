import { partitionOf } from '../../src/domain/routing.ts'
import { type Route } from './sinks/record-sink.ts'

const encoder = new TextEncoder()

/** Routes by topic and key, made once; a partition follows from the key as Java's client computes it. */
export class Routes {
  readonly #partitions: Readonly<Record<string, number>>
  readonly #routes = new Map<string, Route>()

  constructor(partitions: Readonly<Record<string, number>>) {
    this.#partitions = partitions
  }

  to(topic: string, key: string): Route {
    const name = `${topic}\n${key}`
    const known = this.#routes.get(name)
    if (known !== undefined) return known
    const keyBytes = encoder.encode(key)
    const partition = partitionOf(keyBytes, this.#partitions[topic] ?? 1)
    const route = { id: this.#routes.size, topic, partition, key, keyBytes }
    this.#routes.set(name, route)
    return route
  }
}
