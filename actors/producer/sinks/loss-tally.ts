import { type Route, type SinkListener } from './record-sink.ts'

interface Loss {
  first: number
  last: number
  count: number
}

/** Gathers records that a sink gives up, so that each route's loss is told once, in the range of its receive times. */
export class LossTally {
  readonly #losses = new Map<Route, Loss>()

  add(route: Route, receivedMicros: number): void {
    const loss = this.#losses.get(route)
    if (loss === undefined) {
      this.#losses.set(route, { first: receivedMicros, last: receivedMicros, count: 1 })
      return
    }
    loss.first = Math.min(loss.first, receivedMicros)
    loss.last = Math.max(loss.last, receivedMicros)
    loss.count++
  }

  tell(listener: SinkListener, reason: string): void {
    for (const [route, { first, last, count }] of this.#losses) {
      listener.undelivered(route, first, last, count, reason)
    }
  }
}
