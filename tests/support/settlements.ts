import { type Outcome, type Route, type SinkListener } from '../../actors/producer/sinks/record-sink.ts'

/** A sink's listener that keeps what it is told, and lets a test await it. */
export class Settlements implements SinkListener {
  /** Times each owner was settled, by outcome. */
  readonly published = new Map<number, number>()
  readonly failed = new Map<number, number>()
  readonly availabilities: { readonly isUp: boolean; readonly message: string }[] = []
  /** Records told as undelivered, by route key. */
  readonly lost = new Map<string, number>()
  /** Records that were refused one by one. */
  readonly refusals: { readonly key: string; readonly value: Uint8Array; readonly reason: string }[] = []
  readonly #waiters: { readonly isDone: () => boolean; readonly resolve: () => void }[] = []

  settled(owners: Int32Array, _receivedMicros: Float64Array, count: number, outcome: Outcome): void {
    const counts = outcome === 'published' ? this.published : this.failed
    for (let i = 0; i < count; i++) counts.set(owners[i]!, (counts.get(owners[i]!) ?? 0) + 1)
    this.#check()
  }

  undelivered(route: Route, _firstMicros: number, _lastMicros: number, count: number): void {
    this.lost.set(route.key, (this.lost.get(route.key) ?? 0) + count)
  }

  refused(route: Route, value: Uint8Array, _receivedMicros: number, reason: string): void {
    this.refusals.push({ key: route.key, value: new Uint8Array(value), reason })
  }

  availability(isUp: boolean, message: string): void {
    this.availabilities.push({ isUp, message })
    this.#check()
  }

  /** Resolves as soon as the condition holds; it is looked at after every call of the sink. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push({ isDone, resolve }))
  }

  #check(): void {
    for (let i = this.#waiters.length - 1; i >= 0; i--) {
      if (!this.#waiters[i]!.isDone()) continue
      this.#waiters[i]!.resolve()
      this.#waiters.splice(i, 1)
    }
  }
}
