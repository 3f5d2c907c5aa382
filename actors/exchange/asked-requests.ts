/** Requests of one socket that are remembered until the venue has answered them; beyond it the oldest are forgotten. */
const requestsMax = 1_024

/** One request as it was sent: the subscriptions whose confirmation it asks for. */
export interface AskedRequest {
  readonly id: string | null
  readonly subscriptions: readonly number[]
}

/** What one socket has asked for, so that an answer which names only a request, or only a part of it, finds the rest. */
export class AskedRequests {
  /** In the order in which they were sent. */
  readonly #requests = new Set<AskedRequest>()
  readonly #byId = new Map<string, AskedRequest>()

  add(id: string | null, subscriptions: readonly number[]): void {
    if (subscriptions.length === 0) return
    const request = { id, subscriptions }
    this.#requests.add(request)
    if (id !== null) this.#byId.set(id, request)
    if (this.#requests.size <= requestsMax) return
    const [oldest] = this.#requests
    if (oldest !== undefined) this.forget(oldest)
  }

  /** The oldest first. */
  get all(): readonly AskedRequest[] {
    return [...this.#requests]
  }

  byId(id: string | null): AskedRequest | undefined {
    return id === null ? undefined : this.#byId.get(id)
  }

  /** The latest request in which one of these stood. */
  latestWith(subscriptions: readonly number[]): AskedRequest | undefined {
    return [...this.#requests].findLast(request =>
      request.subscriptions.some(subscription => subscriptions.includes(subscription))
    )
  }

  /** Requests without an id are answered when nothing of them is wanted any more: no answer will name them. */
  forgetAnswered(isWanted: (subscription: number) => boolean): void {
    for (const request of this.#requests) {
      if (request.id === null && !request.subscriptions.some(isWanted)) this.forget(request)
    }
  }

  forget(request: AskedRequest): void {
    this.#requests.delete(request)
    if (request.id !== null && this.#byId.get(request.id) === request) this.#byId.delete(request.id)
  }
}
